import type { KafkaCluster } from '../api/resource.ts'

/** The ids that a pool's nodes have: as many, from `first` on. */
export interface NodeIds {
  readonly first: number
  readonly count: number
}

/** Node ids of pools begin at multiples of this; no pool has more nodes. */
export const POOL_IDS = 1000

/**
 * The ids of each pool's nodes, by pool. A pool keeps those that it has (status.pools), wherever it stands in the list; a new one takes the
 * first thousand in which no pool has an id.
 */
export function nodeIdsOf({ spec, status }: KafkaCluster): ReadonlyMap<string, NodeIds> {
  const firsts = new Map<string, number>()
  for (const { name, nodeIds } of status?.pools ?? []) {
    const [first] = nodeIds
    if (first !== undefined) firsts.set(name, first)
  }
  for (const { name } of spec.pools) {
    if (firsts.has(name)) continue
    const taken = new Set([...firsts.values()].map((first) => Math.floor(first / POOL_IDS)))
    let block = 0
    while (taken.has(block)) block += 1
    firsts.set(name, block * POOL_IDS)
  }
  return new Map(spec.pools.map(({ name, replicas }) => [name, { first: firsts.get(name) ?? 0, count: replicas }]))
}

/** `1000-1002`, as it is written down in annotations. */
export function formatNodeIds({ first, count }: NodeIds): string {
  return `${first}-${first + count - 1}`
}

/** The other way round; null for anything else. */
export function parseNodeIds(text: string | undefined): NodeIds | null {
  const [, first, last] = /^(\d{1,9})-(\d{1,9})$/.exec(text ?? '') ?? []
  if (first === undefined || last === undefined || Number(last) < Number(first)) return null
  return { first: Number(first), count: Number(last) - Number(first) + 1 }
}
