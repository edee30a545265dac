import { describe, expect, test } from '@jest/globals'
import { ErrorCode } from '../../../broker/protocol/errors.ts'
import { CoordinatorRig } from './coordinator-rig.ts'
import { FakeLog } from './fake-log.ts'

const HOUR_MS = 3_600_000
const NONE = { offset: -1, epoch: -1, metadata: '' }

const places = (name: string) => [{ name, partitions: [{ partitionIndex: 0 }] }]

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

  test('those of a topic that was deleted while the partition could not be loaded are gone when it is', async () => {
    const rig = await CoordinatorRig.open()
    await rig.commit(1)
    const topicId = rig.topics.idOf('orders') ?? ''
    rig.log.failReads = true
    await rig.restart()
    rig.coordinator.onTopicsDeleted([{ name: 'orders', topicId }])
    await rig.clock.run(1000)
    rig.log.failReads = false
    await rig.clock.run(2001)
    expect(await rig.fetch()).toEqual(NONE)
  })

  test('those of a deleted topic that could not be written off are gone in the next epoch', async () => {
    const rig = await CoordinatorRig.open()
    await rig.commit(1)
    const topicId = rig.topics.idOf('orders') ?? ''
    rig.log.failWith = ErrorCode.NOT_ENOUGH_REPLICAS
    rig.coordinator.onTopicsDeleted([{ name: 'orders', topicId }])
    await rig.clock.run(1)
    rig.log.failWith = ErrorCode.NONE
    await rig.run(rig.coordinator.onLoad(0, 2))
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

  const removals = {
    group: async (rig: CoordinatorRig, groupsNames: string[]) => {
      const { results } = await rig.run(rig.coordinator.deleteGroups({ groupsNames }, rig.context(2)))
      expect(new Set(results?.map(({ errorCode }) => errorCode))).toEqual(new Set([ErrorCode.NONE]))
    },
    topic: async (rig: CoordinatorRig) => {
      rig.coordinator.onTopicsDeleted([{ name: 'orders', topicId: rig.topics.idOf('orders') ?? '' }])
      await rig.clock.run(1)
    },
    expiry: (rig: CoordinatorRig) => rig.clock.run(2 * HOUR_MS),
  }

  test.each(['group', 'topic', 'expiry'] as const)('takes as many batches as it needs: by %s', async (by) => {
    const rig = await CoordinatorRig.open()
    rig.log.maxMessageBytes = 200
    const groupIds = Array.from({ length: 9 }, (_, index) => `group-${index}`)
    const commits = groupIds.map((groupId) => rig.commitLater(2, { groupId, metadata: '' }))
    expect(new Set(await rig.run(Promise.all(commits)))).toEqual(new Set([ErrorCode.NONE]))
    await removals[by](rig, groupIds)
    await rig.restart()
    expect(rig.coordinator.counts().offsets).toBe(0)
  })
})
