import { ApiKey } from '../../broker/protocol/api-key.ts'
import { ErrorCode } from '../../broker/protocol/errors.ts'
import type { ActorDeps, SimTopic } from './broker-actors.ts'
import { hold } from './history.ts'

/** What a group has committed last, as far as it knows. */
export interface GroupHistory {
  acknowledged: number
}

/**
 * Commits offsets of a group without members; what was acknowledged last must be read back before the next. A coordinator that does not
 * know yet that it is none any more may answer with less for a while.
 */
export async function commitOffsets(
  group: string,
  topic: SimTopic,
  history: GroupHistory,
  deps: ActorDeps,
): Promise<void> {
  const { client, random, isOver, pauseMs } = deps
  for (let offset = 0; !isOver(); offset++) {
    if (!(await commit(group, topic, offset, deps))) return
    history.acknowledged = offset
    deps.onAcknowledged()
    for (let found = -1; found < offset && !isOver();) {
      found = (await committedOffset(group, topic, deps)) ?? found
      hold(found <= offset, `${group}: committed ${offset}, read ${found}`)
    }
    deps.trace.note(`${group} committed ${offset}`)
    await client.sleep(random.fraction() * pauseMs * 3)
  }
}

/** In the end, what was acknowledged is there. */
export async function checkGroup(
  group: string,
  topic: SimTopic,
  { acknowledged }: GroupHistory,
  deps: ActorDeps,
): Promise<void> {
  const found = (await committedOffset(group, topic, deps)) ?? -1
  hold(found >= acknowledged && found <= acknowledged + 1, `${group}: committed ${acknowledged}, in the end ${found}`)
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
