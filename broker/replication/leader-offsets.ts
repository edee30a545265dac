import { ApiKey } from '../protocol/api-key.ts'
import type { RequestInputOf } from '../protocol/apis.ts'
import { ErrorCode } from '../protocol/errors.ts'
import type { Followed } from './followed.ts'
import type { LeaderLink } from './leader-link.ts'

/** Where a leader's log begins and ends. */
export interface LeaderOffsets {
  readonly startOffset: number
  readonly endOffset: number
}

const LATEST = -1n
const EARLIEST = -2n

/** Asks a leader where its logs begin and end; partitions of which it does not say are left out. Rejects where it cannot be reached. */
export async function leaderOffsets(
  followed: readonly Followed[],
  options: { readonly brokerId: number; readonly timeoutMs: number },
  link: LeaderLink,
): Promise<ReadonlyMap<Followed, LeaderOffsets>> {
  const ends = await ask(followed, LATEST, options, link)
  const starts = await ask(followed, EARLIEST, options, link)
  const offsets = new Map<Followed, LeaderOffsets>()
  for (const each of followed) {
    const { topic, partition } = each.partition.log
    const endOffset = ends.get(`${topic}-${partition}`)
    const startOffset = starts.get(`${topic}-${partition}`)
    if (endOffset !== undefined && startOffset !== undefined) offsets.set(each, { startOffset, endOffset })
  }
  return offsets
}

async function ask(
  followed: readonly Followed[],
  timestamp: bigint,
  { brokerId, timeoutMs }: { readonly brokerId: number; readonly timeoutMs: number },
  link: LeaderLink,
): Promise<Map<string, number>> {
  const topics = Map.groupBy(followed, ({ partition }) => partition.log.topic)
  const request: RequestInputOf<typeof ApiKey.ListOffsets> = {
    replicaId: brokerId,
    isolationLevel: 0,
    timeoutMs,
    topics: [...topics].map(([name, partitions]) => ({
      name,
      partitions: partitions.map(({ partition, leaderEpoch }) => ({
        partitionIndex: partition.log.partition,
        currentLeaderEpoch: leaderEpoch,
        timestamp,
      })),
    })),
  }
  const response = await link.request(ApiKey.ListOffsets, request, timeoutMs)
  const offsets = new Map<string, number>()
  for (const { name, partitions } of response.topics) {
    for (const { partitionIndex, errorCode, offset } of partitions)
      if (errorCode === ErrorCode.NONE) offsets.set(`${name}-${partitionIndex}`, Number(offset))
  }
  return offsets
}
