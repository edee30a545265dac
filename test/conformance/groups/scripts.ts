import { ApiKey } from '../../../broker/protocol/api-key.ts'
import { APIS } from '../../../broker/protocol/apis.ts'
import { SUBSCRIPTION, type Script } from './script.ts'

function versionsOf(key: ApiKey): number[] {
  const { min, max } = APIS[key].versions
  return Array.from({ length: max - min + 1 }, (_, i) => min + i)
}

const STRANGER = { memberId: 'stranger', generationId: 1 }
const UNKNOWN_ID = 'AAAAAAAAAAAAAAAAAAAACA'

/** What is asked of groups that are not there, in every version. */
async function strangers(script: Script): Promise<void> {
  for (const version of versionsOf(ApiKey.JoinGroup)) {
    await script.join(version, { groupId: '' })
    await script.join(version, { groupId: 'none', sessionTimeoutMs: 100 })
    await script.join(version, { groupId: 'none', memberId: 'stranger' })
    await script.join(version, { groupId: `protocols-${version}`, protocols: [] })
    await script.join(version, { groupId: `type-${version}`, protocolType: '' })
  }
  for (const version of versionsOf(ApiKey.SyncGroup)) {
    await script.sync(version, '', STRANGER)
    await script.sync(version, 'none', STRANGER)
  }
  for (const version of versionsOf(ApiKey.LeaveGroup)) {
    const members = [{ memberId: 'stranger' }, { memberId: '', groupInstanceId: 'i' }]
    await script.call(ApiKey.LeaveGroup, version, { groupId: '', memberId: 'stranger', members })
    await script.call(ApiKey.LeaveGroup, version, { groupId: 'none', memberId: 'stranger', members })
  }
  await script.heartbeat('none', STRANGER)
  await script.heartbeat('', STRANGER)
  for (const version of versionsOf(ApiKey.DescribeGroups)) await script.describe(version, 'none')
  for (const version of versionsOf(ApiKey.DeleteGroups)) {
    await script.call(ApiKey.DeleteGroups, version, { groupsNames: ['none', 'none'] })
  }
  const topics = [{ name: 'orders', partitions: [{ partitionIndex: 0 }] }]
  for (const groupId of ['', 'none']) await script.call(ApiKey.OffsetDelete, 0, { groupId, topics })
}

/** One member through a whole life, in every version of JoinGroup. */
async function lives(script: Script): Promise<void> {
  for (const version of versionsOf(ApiKey.JoinGroup)) {
    const groupId = `life-${version}`
    const joined = await script.joinTwice(version, { groupId })
    await script.describe(6, groupId)
    await script.commit(9, groupId, { memberId: joined.memberId, generationIdOrMemberEpoch: joined.generationId }, {})
    await script.sync(Math.min(version, 5), groupId, joined, [joined.memberId, 'nobody'])
    await script.describe(6, groupId)
    await script.heartbeat(groupId, joined)
    await script.heartbeat(groupId, { ...joined, generationId: 0 })
    await script.heartbeat(groupId, STRANGER)
    await script.sync(5, groupId, { ...joined, generationId: 9 })
    await script.join(version, { groupId, memberId: joined.memberId, protocolType: 'other' })
    const again = await script.join(version, { groupId, memberId: joined.memberId })
    await script.sync(Math.min(version, 5), groupId, again, [joined.memberId])
    await script.call(ApiKey.DeleteGroups, 2, { groupsNames: [groupId] })
    const { memberId } = joined
    await script.call(ApiKey.LeaveGroup, Math.min(version, 5), { groupId, memberId, members: [{ memberId }] })
    await script.describe(6, groupId)
    await script.call(ApiKey.DeleteGroups, 2, { groupsNames: [groupId] })
    await script.describe(6, groupId)
  }
}

/** Two members: rebalances, and what each is told meanwhile. */
async function rebalances(script: Script): Promise<void> {
  const options = { groupId: 'two' }
  const first = await script.joinTwice(9, options)
  await script.sync(5, 'two', first, [first.memberId])
  const { memberId } = await script.join(9, options)
  await script.heartbeat('two', first)
  const second = script.target.call(ApiKey.JoinGroup, 9, joinRequest(memberId))
  await script.pause(100)
  await script.heartbeat('two', first)
  await script.sync(5, 'two', first)
  await script.describe(6, 'two')
  const rejoined = await script.join(9, { ...options, memberId: first.memberId })
  const joined = await second
  script.note('second', joined)
  const waiting = script.target.call(ApiKey.SyncGroup, 5, syncRequest(joined))
  await script.pause(100)
  await script.sync(5, 'two', rejoined, [first.memberId, memberId])
  script.note('second', await waiting)
  await script.join(9, { ...options, memberId })
  await script.describe(6, 'two')
  await script.call(ApiKey.LeaveGroup, 5, { groupId: 'two', members: [{ memberId }, { memberId }] })
  await script.heartbeat('two', first)
  await script.pause(3200)
  await script.describe(6, 'two')
}

function joinRequest(memberId: string) {
  const protocols = [{ name: 'range', metadata: SUBSCRIPTION }]
  const timeouts = { sessionTimeoutMs: 10_000, rebalanceTimeoutMs: 3000 }
  return { groupId: 'two', ...timeouts, memberId, protocolType: 'consumer', protocols }
}

function syncRequest({ memberId, generationId }: { memberId: string; generationId: number }) {
  return { groupId: 'two', memberId, generationId, protocolType: 'consumer', protocolName: 'range', assignments: [] }
}

/** Static members: replaced, fenced, removed by an administrator. */
async function staticMembers(script: Script): Promise<void> {
  for (const version of [5, 8, 9]) {
    const options = { groupId: `static-${version}`, groupInstanceId: 'one' }
    const { groupId } = options
    const joined = await script.join(version, options)
    await script.sync(5, groupId, joined, [joined.memberId], 'one')
    const replaced = await script.join(version, options)
    await script.heartbeat(groupId, joined, 'one')
    await script.heartbeat(groupId, replaced, 'one')
    await script.sync(5, groupId, joined, [], 'one')
    await script.sync(5, groupId, replaced, [], 'one')
    await script.commit(
      9,
      groupId,
      { memberId: joined.memberId, generationIdOrMemberEpoch: 1, groupInstanceId: 'one' },
      {},
    )
    await script.join(version, { ...options, memberId: joined.memberId })
    await script.join(version, { ...options, memberId: replaced.memberId, groupInstanceId: 'other' })
    await script.describe(6, groupId)
    const members = [
      { memberId: joined.memberId, groupInstanceId: 'one' },
      { memberId: '', groupInstanceId: 'one' },
      { memberId: '', groupInstanceId: 'two' },
    ]
    await script.call(ApiKey.LeaveGroup, 5, { groupId, members })
    await script.describe(6, groupId)
  }
}

/** group.max.size, sessions that end, protocols without anything in common. */
async function limits(script: Script): Promise<void> {
  const groupId = 'limits'
  const options = { groupId, sessionTimeoutMs: 1000 }
  const joined = await Promise.all(
    [0, 1, 2].map(() => script.target.call(ApiKey.JoinGroup, 3, { ...joinRequest(''), ...options })),
  )
  script.note(
    'generations',
    joined.map(({ generationId, errorCode }) => [generationId, errorCode]),
  )
  await script.join(3, options)
  await script.join(9, { ...options, protocols: [{ name: 'unheard', metadata: SUBSCRIPTION }] })
  await script.pause(1500)
  await script.call(ApiKey.ListGroups, 5, { statesFilter: ['Dead'], typesFilter: [] })
  await script.describe(6, groupId)
}

const places = (name: string, ...partitions: number[]) => ({
  name,
  partitions: partitions.map((partitionIndex) => ({ partitionIndex })),
})

/** Offsets of consumers that do not join, in every version. */
async function offsets(script: Script): Promise<void> {
  for (const version of versionsOf(ApiKey.OffsetCommit)) {
    const groupId = `offsets-${version}`
    await script.commit(version, `${groupId}-none`, { memberId: 'm', generationIdOrMemberEpoch: 1 }, {})
    await script.commit(
      version,
      groupId,
      {},
      { partition: 0 },
      { partition: 1, metadata: null },
      { partition: 2, metadata: 'x'.repeat(4097) },
    )
    await script.commit(version, groupId, {}, { partition: 9 }, { topic: 'ghost', topicId: UNKNOWN_ID })
    await script.commit(version, groupId, { memberId: 'm' }, {})
    await script.describe(6, groupId)
  }
  for (const version of versionsOf(ApiKey.OffsetFetch)) {
    await script.fetch(version, 'offsets-9', [0, 1, 2, 7])
    await script.fetch(version, 'none', [0])
    await script.fetch(version, 'offsets-9', [0], 'ghost', UNKNOWN_ID)
    if (version >= 2) await script.fetch(version, 'offsets-9', null)
    if (version >= 2) await script.fetch(version, 'none', null)
  }
  const topics = [places('orders', 9, 0), places('ghost', 0)]
  await script.call(ApiKey.OffsetDelete, 0, { groupId: 'offsets-9', topics })
  await script.fetch(9, 'offsets-9', null)
  await script.call(ApiKey.DeleteGroups, 2, { groupsNames: ['offsets-9'] })
  await script.fetch(9, 'offsets-9', [1])
}

export const SCRIPTS = { strangers, lives, rebalances, staticMembers, limits, offsets }
