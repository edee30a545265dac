import { describe, expect, test } from '@jest/globals'
import { ErrorCode } from '../../../broker/protocol/errors.ts'
import { BatchView } from '../../../broker/records/batch.ts'
import { CoordinatorRig } from './coordinator-rig.ts'
import { FakeLog } from './fake-log.ts'

const HOUR_MS = 3_600_000
const NONE = { offset: -1, epoch: -1, metadata: '' }

const places = (name: string) => [{ name, partitions: [{ partitionIndex: 0 }] }]

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

  test('the largest int64 is an offset like any other, and a retention that never ends', async () => {
    const rig = await CoordinatorRig.open()
    const largest = 2n ** 63n - 1n
    const partitions = [
      { partitionIndex: 0, committedOffset: largest, committedLeaderEpoch: -1, committedMetadata: null },
    ]
    const topics = [{ topicId: '', name: 'orders', partitions }]
    expect(await rig.commit(0, { topics })).toBe(ErrorCode.NONE)
    expect(await rig.fetch()).toMatchObject({ offset: Number.MAX_SAFE_INTEGER })
    expect(await rig.commit(42, { version: 4, retentionTimeMs: largest })).toBe(ErrorCode.NONE)
    await rig.restart()
    await rig.clock.run(2 * HOUR_MS)
    expect(await rig.fetch()).toMatchObject({ offset: 42 })
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

describe('losing offsets', () => {
  test('those of a simple consumer expire after the retention time, and their group with them', async () => {
    const rig = await CoordinatorRig.open()
    await rig.commit(7)
    await rig.clock.run(HOUR_MS - 1)
    expect((await rig.fetch()).offset).toBe(7)
    await rig.clock.run(600_000)
    expect(rig.coordinator.counts()).toEqual({ groups: expect.objectContaining({ Empty: 0 }), offsets: 0 })
    await rig.restart()
    expect(rig.coordinator.counts().offsets).toBe(0)
  })

  test('the retention of a group runs from when it became empty', async () => {
    const rig = await CoordinatorRig.open()
    const { memberId, generationId } = await rig.stableMember()
    await rig.commit(7, { memberId, generationIdOrMemberEpoch: generationId })
    const member = { memberId, groupInstanceId: null, generationId }
    for (let i = 0; i < 800; i++) {
      await rig.clock.run(5000)
      await rig.run(rig.coordinator.heartbeat({ groupId: 'g', ...member }, rig.context(4)))
    }
    await rig.clock.run(50 * 60_000)
    expect((await rig.fetch()).offset).toBe(7)
    await rig.clock.run(HOUR_MS)
    expect(await rig.fetch()).toEqual(NONE)
  })

  test('a stable group loses those of topics that it does not subscribe to, by the time of the commit', async () => {
    const rig = await CoordinatorRig.open()
    const { memberId, generationId } = await rig.stableMember()
    const member = { memberId, generationIdOrMemberEpoch: generationId }
    await rig.commit(7, member)
    await rig.commit(8, { ...member, topic: 'audit' })
    for (let i = 0; i < 900; i++) {
      await rig.clock.run(5000)
      await rig.coordinator.heartbeat({ groupId: 'g', memberId, groupInstanceId: null, generationId }, rig.context(4))
    }
    expect([(await rig.fetch()).offset, (await rig.fetch('g', 'audit')).offset]).toEqual([7, -1])
  })

  test('a commit that is not in the log yet keeps its group from expiring', async () => {
    const rig = await CoordinatorRig.open()
    await rig.commit(1)
    await rig.clock.run(HOUR_MS - 300_000)
    rig.log.isHeld = true
    const commit = rig.commitLater(2)
    await rig.clock.run(600_000)
    rig.log.release()
    expect(await commit).toBe(ErrorCode.NONE)
    expect((await rig.fetch()).offset).toBe(2)
  })

  test('a retention of the request, before version 5, wins', async () => {
    const rig = await CoordinatorRig.open()
    await rig.commit(7, { version: 4, retentionTimeMs: 1000n })
    await rig.restart()
    await rig.clock.run(600_000)
    expect(await rig.fetch()).toEqual(NONE)
  })

  test('those of a deleted topic are gone, those of its successor stay', async () => {
    const rig = await CoordinatorRig.open()
    await rig.commit(1, { groupId: 'old' })
    const topicId = rig.topics.idOf('orders') ?? ''
    rig.topics.ids.set('orders', 'AAAAAAAAAAAAAAAAAAAACA')
    await rig.commit(2, { groupId: 'new' })
    rig.coordinator.onTopicsDeleted([{ name: 'orders', topicId }])
    await rig.clock.run(1)
    await rig.restart()
    expect([(await rig.fetch('old')).offset, (await rig.fetch('new')).offset]).toEqual([-1, 2])
  })

  test('those of a deleted topic that could not be written off are tried again', async () => {
    const rig = await CoordinatorRig.open()
    await rig.commit(1)
    const topicId = rig.topics.idOf('orders') ?? ''
    rig.log.failWith = ErrorCode.NOT_ENOUGH_REPLICAS
    rig.coordinator.onTopicsDeleted([{ name: 'orders', topicId }])
    await rig.clock.run(1)
    rig.log.failWith = ErrorCode.NONE
    await rig.clock.run(600_000)
    expect(await rig.fetch()).toEqual(NONE)
    // The group goes behind its last offset.
    await rig.clock.run(600_000)
    const written = rig.log.batches().length
    await rig.clock.run(600_000)
    expect(rig.log.batches()).toHaveLength(written)
  })

  test('those of a topic that was deleted while they were loaded, or on their way, are gone too', async () => {
    const rig = await CoordinatorRig.open()
    await rig.commit(1)
    const topicId = rig.topics.idOf('orders') ?? ''
    rig.log.isHeld = true
    const commit = rig.commitLater(2, { groupId: 'late' })
    await rig.clock.run(1)
    rig.coordinator.onTopicsDeleted([{ name: 'orders', topicId }])
    rig.log.release()
    expect(await rig.run(commit)).toBe(ErrorCode.NONE)
    await rig.clock.run(600_000)
    expect([await rig.fetch(), await rig.fetch('late')]).toEqual([NONE, NONE])

    await rig.commit(3)
    const gate = Promise.withResolvers<void>()
    rig.log.readGate = gate.promise
    const restarted = rig.restart()
    await rig.clock.run(1)
    rig.coordinator.onTopicsDeleted([{ name: 'orders', topicId }])
    gate.resolve()
    await rig.run(restarted)
    await rig.clock.run(1)
    expect(await rig.fetch()).toEqual(NONE)
  })

  test('who tells that a topic was deleted does not wait for the log, which may wait for what it tells next', async () => {
    const rig = await CoordinatorRig.open()
    await rig.commit(1)
    rig.log.isHeld = true
    const topicId = rig.topics.idOf('orders') ?? ''
    expect(rig.coordinator.onTopicsDeleted([{ name: 'orders', topicId }])).toBeUndefined()
    await rig.clock.run(1)
    rig.log.release()
    await rig.clock.run(1)
    expect(await rig.fetch()).toEqual(NONE)
  })

  test('OffsetDelete removes them for good', async () => {
    const rig = await CoordinatorRig.open()
    await rig.commit(1)
    const answer = await rig.run(
      rig.coordinator.offsetDelete({ groupId: 'g', topics: places('orders') }, rig.context(0)),
    )
    expect(answer).toMatchObject({ errorCode: 0, topics: [{ partitions: [{ errorCode: 0 }] }] })
    await rig.restart()
    expect(await rig.fetch()).toEqual(NONE)
  })

  test('OffsetDelete does not tell of topics without partitions', async () => {
    const rig = await CoordinatorRig.open()
    await rig.commit(1)
    const topics = [{ name: 'audit', partitions: [] }, ...places('orders')]
    const answer = await rig.run(rig.coordinator.offsetDelete({ groupId: 'g', topics }, rig.context(0)))
    expect(answer.topics?.map(({ name }) => name)).toEqual(['orders'])
  })

  test('OffsetDelete spares topics that the group subscribes to', async () => {
    const rig = await CoordinatorRig.open()
    await rig.stableMember()
    const request = { groupId: 'g', topics: [...places('orders'), ...places('audit'), ...places('ghost')] }
    const { topics } = await rig.run(rig.coordinator.offsetDelete(request, rig.context(0)))
    expect(topics?.map(({ partitions }) => partitions?.[0]?.errorCode)).toEqual([
      ErrorCode.GROUP_SUBSCRIBED_TO_TOPIC,
      ErrorCode.NONE,
      ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
    ])
  })

  test.each([
    ['', 'INVALID_GROUP_ID'],
    ['ghost', 'GROUP_ID_NOT_FOUND'],
  ] as const)('OffsetDelete of group %j is refused', async (groupId, error) => {
    const rig = await CoordinatorRig.open()
    const answer = await rig.run(rig.coordinator.offsetDelete({ groupId, topics: places('orders') }, rig.context(0)))
    expect(answer.errorCode).toBe(ErrorCode[error])
  })

  test('a group whose deletion fails waits for nobody whom it has told to come back', async () => {
    const rig = await CoordinatorRig.open()
    const join = (request = {}) => rig.coordinator.joinGroup(rig.joinRequest(request), rig.context(9))
    await rig.run(join())
    rig.log.failWith = ErrorCode.REQUEST_TIMED_OUT
    const { results } = await rig.run(rig.coordinator.deleteGroups({ groupsNames: ['g'] }, rig.context(2)))
    expect(results).toMatchObject([{ errorCode: ErrorCode.COORDINATOR_NOT_AVAILABLE }])
    rig.log.failWith = ErrorCode.NONE
    await rig.clock.run(HOUR_MS)
    await rig.stableMember()
    const other = rig.joinRequest({ groupInstanceId: 'other' })
    const joined = rig.coordinator.joinGroup(other, rig.context(9))
    const startMs = rig.clock.monotonicMs()
    const { groups } = rig.coordinator.describeGroups(
      { groups: ['g'], includeAuthorizedOperations: false },
      rig.context(5),
    )
    expect(groups).toMatchObject([{ groupState: 'PreparingRebalance' }])
    await rig.clock.run(11_000)
    expect(await rig.run(joined)).toMatchObject({ errorCode: ErrorCode.NONE })
    expect(rig.clock.monotonicMs() - startMs).toBeLessThan(12_000)
  })

  test('a commit on its way to the log is deleted with its group', async () => {
    const log = new FakeLog()
    const rig = await CoordinatorRig.open({}, log)
    await rig.commit(1)
    log.isHeld = true
    const commit = rig.commitLater(2, { topic: 'audit' })
    await rig.clock.run(1)
    const deletion = rig.coordinator.deleteGroups({ groupsNames: ['g'] }, rig.context(2))
    await rig.clock.run(1)
    log.release()
    await Promise.all([commit, deletion])
    expect(rig.coordinator.counts()).toEqual({ groups: expect.objectContaining({ Empty: 0 }), offsets: 0 })
    await rig.restart()
    expect(rig.coordinator.counts()).toEqual({ groups: expect.objectContaining({ Empty: 0 }), offsets: 0 })
  })
})
