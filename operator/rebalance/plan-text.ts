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

/** The other way round. Throws where it is none. */
export function parsePlan(text: string): readonly Planned[] {
  return (JSON.parse(text) as Document).partitions
}
