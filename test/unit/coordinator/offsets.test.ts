import { describe, expect, test } from '@jest/globals'
import { ErrorCode } from '../../../broker/protocol/errors.ts'
import { BatchView } from '../../../broker/records/batch.ts'
import { CoordinatorRig } from './coordinator-rig.ts'

const HOUR_MS = 3_600_000
const NONE = { offset: -1, epoch: -1, metadata: '' }

describe('committing', () => {
  test('what a simple consumer commits is fetched, with its epoch and metadata', async () => {
    const rig = await CoordinatorRig.open()
    expect(await rig.commit(42)).toBe(ErrorCode.NONE)
    expect(await rig.fetch()).toEqual({ offset: 42, epoch: 3, metadata: 'note' })
  })

  test('and again after a restart', async () => {
    const rig = await CoordinatorRig.open()
    await rig.commit(42)
    await rig.restart()
    expect(await rig.fetch()).toEqual({ offset: 42, epoch: 3, metadata: 'note' })
  })

  test('an answer waits for the log, and a fetch does not see the offset before', async () => {
    const rig = await CoordinatorRig.open()
    rig.log.isHeld = true
    const answer = rig.commitLater(42)
    await rig.clock.run(1)
    expect(await rig.fetch()).toEqual(NONE)
    rig.log.release()
    expect(await answer).toBe(ErrorCode.NONE)
    expect((await rig.fetch()).offset).toBe(42)
  })

  test('a fetch that requires stable offsets waits for commits that are on their way', async () => {
    const rig = await CoordinatorRig.open()
    rig.log.isHeld = true
    const answer = rig.commitLater(42)
    await rig.clock.run(1)
    const fetched = rig.fetchLater('g', 'orders', true)
    await rig.clock.run(1)
    rig.log.release()
    expect((await fetched).offset).toBe(42)
    await answer
  })

  test('but not for those that come behind it, however many', async () => {
    const rig = await CoordinatorRig.open()
    rig.log.isHeld = true
    const answers = [rig.commitLater(42)]
    await rig.clock.run(1)
    let fetched: object | undefined
    void rig.fetchLater('g', 'orders', true).then((found) => (fetched = found))
    await rig.clock.run(1)
    answers.push(rig.commitLater(43))
    await rig.clock.run(1)
    rig.log.releaseFirst()
    await rig.clock.run(1)
    expect(fetched).toMatchObject({ offset: 42 })
    rig.log.release()
    await Promise.all(answers)
  })

  test('what could not be written is not committed', async () => {
    const rig = await CoordinatorRig.open()
    rig.log.failWith = ErrorCode.NOT_ENOUGH_REPLICAS
    expect(await rig.commit(42)).toBe(ErrorCode.COORDINATOR_NOT_AVAILABLE)
    expect(await rig.fetch()).toEqual(NONE)
  })

  test.each([
    ['refused', ErrorCode.NONE, { metadata: 'x'.repeat(21) }],
    ['not written', ErrorCode.NOT_ENOUGH_REPLICAS, {}],
  ])('a commit that is %s leaves no group behind', async (_, error, options) => {
    const rig = await CoordinatorRig.open()
    rig.log.failWith = error
    expect(await rig.commit(42, options)).not.toBe(ErrorCode.NONE)
    expect([...rig.coordinator.groups()]).toEqual([])
  })

  test.each([
    ['behind', [ErrorCode.NOT_ENOUGH_REPLICAS, ErrorCode.NONE]],
    ['before', [ErrorCode.NONE, ErrorCode.NOT_ENOUGH_REPLICAS]],
  ])(
    'what is committed %s the creation of its group, which fails, is there, as after a restart',
    async (order, log) => {
      const rig = await CoordinatorRig.open()
      rig.log.outcomes.push(...log)
      rig.log.isHeld = true
      const early = order === 'before' ? rig.commitLater(42) : undefined
      await rig.clock.run(1)
      await rig.coordinator.joinGroup(rig.joinRequest(), rig.context(9))
      await rig.clock.run(1)
      const commit = early ?? rig.commitLater(42)
      await rig.clock.run(1)
      rig.log.release()
      expect(await rig.run(commit)).toBe(ErrorCode.NONE)
      await rig.clock.run(1)
      expect((await rig.fetch()).offset).toBe(42)
      await rig.restart()
      expect((await rig.fetch()).offset).toBe(42)
    },
  )

  test.each([2n ** 53n + 1n, 2n ** 63n - 1n, -(2n ** 53n) - 1n])(
    '%d is an offset like any other',
    async (committedOffset) => {
      const rig = await CoordinatorRig.open()
      const partitions = [{ partitionIndex: 0, committedOffset, committedLeaderEpoch: -1, committedMetadata: null }]
      const topics = [{ topicId: '', name: 'orders', partitions }]
      expect(await rig.commit(0, { topics })).toBe(ErrorCode.NONE)
      const request = rig.fetchRequest('g', null)
      const fetched = () => rig.run(rig.coordinator.offsetFetch(request, rig.context(9)))
      const expected = { groups: [{ topics: [{ partitions: [{ committedOffset }] }] }] }
      expect(await fetched()).toMatchObject(expected)
      await rig.restart()
      expect(await fetched()).toMatchObject(expected)
    },
  )

  test('the largest int64 is a retention that never ends', async () => {
    const rig = await CoordinatorRig.open()
    const largest = 2n ** 63n - 1n
    expect(await rig.commit(42, { version: 4, retentionTimeMs: largest })).toBe(ErrorCode.NONE)
    await rig.restart()
    await rig.clock.run(2 * HOUR_MS)
    expect(await rig.fetch()).toMatchObject({ offset: 42 })
  })

  test('topics without partitions are not told of', async () => {
    const rig = await CoordinatorRig.open()
    const partition = { partitionIndex: 0, committedOffset: 1n, committedLeaderEpoch: -1, committedMetadata: null }
    const topics = [
      { topicId: '', name: 'audit', partitions: [] },
      { topicId: '', name: 'orders', partitions: [partition] },
    ]
    const member = { generationIdOrMemberEpoch: -1, memberId: '', groupInstanceId: null, retentionTimeMs: -1n }
    const answer = await rig.run(rig.coordinator.offsetCommit({ groupId: 'g', ...member, topics }, rig.context(9)))
    expect(answer.topics?.map(({ name }) => name)).toEqual(['orders'])
  })

  test('commits of one tick share a batch', async () => {
    const rig = await CoordinatorRig.open()
    await Promise.all([1, 2, 3].map((offset) => rig.commit(offset, { groupId: `g${offset}` })))
    expect(rig.log.batches().map((batch) => new BatchView(batch).recordCount)).toEqual([3])
  })

  test.each([
    ['a member of a group that is not there', 9, { generationIdOrMemberEpoch: 1, memberId: 'm' }, 'GROUP_ID_NOT_FOUND'],
    ['the same before version 9', 8, { generationIdOrMemberEpoch: 1, memberId: 'm' }, 'ILLEGAL_GENERATION'],
    ['too much metadata', 9, { metadata: 'x'.repeat(21) }, 'OFFSET_METADATA_TOO_LARGE'],
    ['an unknown topic', 9, { topic: 'ghost' }, 'UNKNOWN_TOPIC_OR_PARTITION'],
    ['an unknown topic id', 10, { topic: 'ghost' }, 'UNKNOWN_TOPIC_ID'],
  ] as const)('%s is refused', async (_, version, options, error) => {
    const rig = await CoordinatorRig.open()
    expect(await rig.commit(1, { ...options, version })).toBe(ErrorCode[error])
  })

  test('topic ids name topics from version 10 on', async () => {
    const rig = await CoordinatorRig.open()
    expect(await rig.commit(5, { version: 10 })).toBe(ErrorCode.NONE)
    expect((await rig.fetch()).offset).toBe(5)
  })

  test.each([
    ['its member', {}, 'NONE'],
    ['its member in an old generation', { generationIdOrMemberEpoch: 0 }, 'ILLEGAL_GENERATION'],
    ['a stranger', { memberId: 'stranger' }, 'UNKNOWN_MEMBER_ID'],
    ['nobody', { memberId: '', generationIdOrMemberEpoch: -1 }, 'UNKNOWN_MEMBER_ID'],
    ['an unknown instance', { groupInstanceId: 'i' }, 'UNKNOWN_MEMBER_ID'],
  ] as const)('to a stable group, by %s', async (_, options, error) => {
    const rig = await CoordinatorRig.open()
    const { memberId, generationId } = await rig.stableMember()
    const code = await rig.commit(1, { memberId, generationIdOrMemberEpoch: generationId, ...options })
    expect(code).toBe(ErrorCode[error])
  })

  test('between joining and syncing a member is told to go on first', async () => {
    const rig = await CoordinatorRig.open()
    const { memberId = '' } = await rig.run(rig.coordinator.joinGroup(rig.joinRequest(), rig.context(9)))
    const joined = await rig.run(rig.coordinator.joinGroup(rig.joinRequest({ memberId }), rig.context(9)))
    const code = await rig.commit(1, { memberId, generationIdOrMemberEpoch: joined.generationId ?? -1 })
    expect(code).toBe(ErrorCode.REBALANCE_IN_PROGRESS)
  })

  test('keeps the session of a member alive', async () => {
    const rig = await CoordinatorRig.open()
    const { memberId, generationId } = await rig.stableMember()
    for (let i = 0; i < 3; i++) {
      await rig.clock.run(6000)
      expect(await rig.commit(i, { memberId, generationIdOrMemberEpoch: generationId })).toBe(ErrorCode.NONE)
    }
  })
})

describe('fetching', () => {
  test('nothing was committed', async () => {
    expect(await (await CoordinatorRig.open()).fetch()).toEqual(NONE)
  })

  test('all offsets of a group', async () => {
    const rig = await CoordinatorRig.open()
    await rig.commit(1)
    await rig.commit(2, { topic: 'audit' })
    const answer = await rig.run(rig.coordinator.offsetFetch(rig.fetchRequest('g', null), rig.context(9)))
    const found = answer.groups?.[0]?.topics?.map(({ name, partitions }) => [name, partitions?.[0]?.committedOffset])
    expect(found).toEqual([
      ['orders', 1n],
      ['audit', 2n],
    ])
  })

  test('several groups at once', async () => {
    const rig = await CoordinatorRig.open()
    await rig.commit(1, { groupId: 'a' })
    const groups = ['a', 'b'].flatMap((groupId) => rig.fetchRequest(groupId, null).groups)
    const request = { ...rig.fetchRequest('a', null), groups }
    const answer = await rig.run(rig.coordinator.offsetFetch(request, rig.context(8)))
    expect(answer.groups?.map(({ groupId, topics }) => [groupId, topics?.length])).toEqual([
      ['a', 1],
      ['b', 0],
    ])
  })

  test('before version 8 one group is asked at the top of the request', async () => {
    const rig = await CoordinatorRig.open()
    await rig.commit(7)
    const topics = [{ name: 'orders', partitionIndexes: [0, 1] }]
    const request = { groups: [], groupId: 'g', topics, requireStable: false }
    const answer = await rig.run(rig.coordinator.offsetFetch(request, rig.context(5)))
    expect(answer.topics?.[0]?.partitions?.map(({ committedOffset }) => committedOffset)).toEqual([7n, -1n])
  })

  test('by a topic id that no topic has', async () => {
    const rig = await CoordinatorRig.open()
    const request = rig.fetchRequest('g', [{ topicId: 'AAAAAAAAAAAAAAAAAAAACA', name: '', partitionIndexes: [0] }])
    const answer = await rig.run(rig.coordinator.offsetFetch(request, rig.context(10)))
    expect(answer.groups?.[0]?.topics?.[0]?.partitions?.[0]?.errorCode).toBe(ErrorCode.UNKNOWN_TOPIC_ID)
  })

  test('an offset of an earlier topic of the same name is none', async () => {
    const rig = await CoordinatorRig.open()
    await rig.commit(7)
    rig.topics.ids.set('orders', 'AAAAAAAAAAAAAAAAAAAACA')
    const request = rig.fetchRequest('g', [{ topicId: 'AAAAAAAAAAAAAAAAAAAACA', name: '', partitionIndexes: [0] }])
    const answer = await rig.run(rig.coordinator.offsetFetch(request, rig.context(10)))
    expect(answer.groups?.[0]?.topics?.[0]?.partitions?.[0]?.committedOffset).toBe(-1n)
  })
})
