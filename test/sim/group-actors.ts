import { ApiKey } from '../../broker/protocol/api-key.ts'
import { ErrorCode } from '../../broker/protocol/errors.ts'
import type { ActorDeps, SimTopic } from './broker-actors.ts'
import { hold } from './history.ts'

/** Commits offsets of a group without members; what was acknowledged last must be read back. */
export async function commitOffsets(group: string, topic: SimTopic, deps: ActorDeps): Promise<void> {
  const { client, random, isOver, pauseMs } = deps
  let acknowledged = -1
  for (let offset = 0; !isOver(); offset++) {
    const committed = await commit(group, topic, offset, deps)
    if (committed) acknowledged = offset
    const found = await committedOffset(group, topic, deps)
    if (found === undefined) return
    hold(found >= acknowledged && found <= offset, `${group}: committed ${acknowledged}, read ${found}`)
    deps.trace.note(`${group} committed ${found}`)
    await client.sleep(random.fraction() * pauseMs * 3)
  }
}

async function commit(group: string, topic: SimTopic, offset: number, { client, isOver }: ActorDeps): Promise<boolean> {
  const body = {
    groupId: group,
    generationIdOrMemberEpoch: -1,
    memberId: '',
    groupInstanceId: null,
    topics: [
      {
        name: topic.name,
        topicId: topic.topicId,
        partitions: [{ partitionIndex: 0, committedOffset: BigInt(offset), committedMetadata: `m${offset}` }],
      },
    ],
  }
  return (
    (await client.insist(ApiKey.OffsetCommit, body, isCommitted, isOver, { type: 'coordinator', group })) !== undefined
  )
}

async function committedOffset(
  group: string,
  topic: SimTopic,
  { client, isOver }: ActorDeps,
): Promise<number | undefined> {
  const topics = [{ name: topic.name, topicId: topic.topicId, partitionIndexes: [0] }]
  const body = { groups: [{ groupId: group, memberId: null, memberEpoch: -1, topics }], requireStable: false }
  const answer = await client.insist(ApiKey.OffsetFetch, body, isLoaded, isOver, { type: 'coordinator', group })
  const found = answer?.groups[0]?.topics[0]?.partitions[0]
  return found === undefined ? undefined : Number(found.committedOffset)
}

interface HasError {
  readonly errorCode: number
}

function isCommitted({
  topics,
}: {
  readonly topics: readonly { readonly partitions: readonly HasError[] }[]
}): boolean {
  return topics[0]?.partitions[0]?.errorCode === ErrorCode.NONE
}

function isLoaded({ groups }: { readonly groups: readonly HasError[] }): boolean {
  return groups[0]?.errorCode === ErrorCode.NONE
}
