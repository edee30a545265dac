import type { Move } from '../reassignment/placement.ts'
import type { Planned } from '../reassignment/targets.ts'

/** The key of a plan in its ConfigMap. */
export const PLAN_KEY = 'reassignment.json'
/** A ConfigMap takes 1 MiB. */
const TEXT_MAX = 900_000

interface Document {
  readonly version: 1
  readonly partitions: readonly Planned[]
}

/**
 * A plan as kafka-reassign-partitions.sh reads it. Of one that is too large for a ConfigMap the first part: it can be carried out by itself,
 * and the rest planned anew. Returns how many partitions are in it.
 */
export function formatPlan(moves: readonly Move[]): { readonly text: string; readonly count: number } {
  const head = '{"version":1,"partitions":[\n'
  const lines: string[] = []
  let size = head.length + 2
  for (const { topic, partition, to } of moves) {
    const line = JSON.stringify({ topic, partition, replicas: to })
    size += line.length + 2
    if (size > TEXT_MAX) break
    lines.push(line)
  }
  return { text: `${head}${lines.join(',\n')}\n]}`, count: lines.length }
}

/** The other way round; null where it is none: somebody may have written into it. */
export function parsePlan(text: string): readonly Planned[] | null {
  try {
    const document: unknown = JSON.parse(text)
    return isDocument(document) ? document.partitions : null
  } catch {
    return null
  }
}

function isDocument(value: unknown): value is Document {
  const { partitions } = (value ?? {}) as Partial<Document>
  return Array.isArray(partitions) && partitions.every(isPlanned)
}

function isPlanned(value: unknown): value is Planned {
  const { topic, partition, replicas } = (value ?? {}) as Partial<Planned>
  const areIds = Array.isArray(replicas) && replicas.length > 0 && replicas.every((id) => Number.isInteger(id))
  return (
    typeof topic === 'string' && Number.isInteger(partition) && areIds && new Set(replicas).size === replicas.length
  )
}
