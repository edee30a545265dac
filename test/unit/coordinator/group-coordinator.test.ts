import { describe, expect, test } from '@jest/globals'
import { partitionForGroup } from '../../../broker/coordinator/group/partitioner.ts'
import { ErrorCode } from '../../../broker/protocol/errors.ts'
import { CoordinatorRig } from './coordinator-rig.ts'
import { FakeLog } from './fake-log.ts'
import { text } from './group-rig.ts'

const remove = async (rig: CoordinatorRig, ...groupsNames: string[]) => {
  const { results } = await rig.run(rig.coordinator.deleteGroups({ groupsNames }, rig.context(2)))
  return results?.map(({ errorCode }) => errorCode)
}

describe('serving', () => {
  test('a member joins, syncs, beats and leaves', async () => {
    const rig = await CoordinatorRig.open()
    const { memberId, generationId } = await rig.stableMember()
    expect(memberId).toMatch(/^client-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/)
    const member = { memberId, groupInstanceId: null, generationId }
    const beat = await rig.run(rig.coordinator.heartbeat({ groupId: 'g', ...member }, rig.context(4)))
    expect(beat.errorCode).toBe(ErrorCode.NONE)
    const leave = { groupId: 'g', members: [{ memberId, groupInstanceId: null, reason: null }], memberId: '' }
    const left = await rig.run(rig.coordinator.leaveGroup(leave, rig.context(5)))
    expect(left).toMatchObject({ errorCode: 0, members: [{ memberId, errorCode: 0 }] })
    expect(rig.coordinator.counts().groups).toMatchObject({ Empty: 1, Stable: 0 })
  })

  test('before version 3 a member leaves alone, and the error is at the top', async () => {
    const rig = await CoordinatorRig.open()
    const answer = await rig.run(
      rig.coordinator.leaveGroup({ groupId: 'g', members: [], memberId: 'ghost' }, rig.context(2)),
    )
    expect(answer.errorCode).toBe(ErrorCode.UNKNOWN_MEMBER_ID)
  })

  test('a session without heartbeats ends', async () => {
    const rig = await CoordinatorRig.open()
    await rig.stableMember()
    await rig.clock.run(10_000)
    expect(rig.coordinator.counts().groups).toMatchObject({ Empty: 1, Stable: 0 })
  })

  test.each([
    ['no group id', { groupId: '' }, 'INVALID_GROUP_ID'],
    ['too short a session', { sessionTimeoutMs: 5999 }, 'INVALID_SESSION_TIMEOUT'],
    ['too long a session', { sessionTimeoutMs: 1_800_001 }, 'INVALID_SESSION_TIMEOUT'],
    ['an id in a group that is not there', { memberId: 'm' }, 'UNKNOWN_MEMBER_ID'],
  ] as const)('a join with %s is refused', async (_, options, error) => {
    const rig = await CoordinatorRig.open()
    const answer = await rig.run(rig.coordinator.joinGroup(rig.joinRequest(options), rig.context(9)))
    expect(answer.errorCode).toBe(ErrorCode[error])
  })

  test.each([
    [4, 'UNKNOWN_MEMBER_ID'],
    [5, 'INCONSISTENT_GROUP_PROTOCOL'],
  ] as const)('a sync that does not tell the protocol is, in version %i, %s', async (version, error) => {
    const rig = await CoordinatorRig.open()
    await rig.stableMember()
    const request = { ...rig.syncRequest('stranger', 1), protocolType: null, protocolName: null }
    const { errorCode } = await rig.run(rig.coordinator.syncGroup(request, rig.context(version)))
    expect(errorCode).toBe(ErrorCode[error])
  })

  test.each([
    ['x', 4, 9],
    ['😀', 2, 3],
  ])(
    'a client id that is too long for an id of its own, of %j, gets one that can be told',
    async (character, ...versions) => {
      const rig = await CoordinatorRig.open()
      const clientId = character.repeat(Math.floor(32_767 / Buffer.byteLength(character)))
      for (const version of versions) {
        const context = { ...rig.context(version), clientId }
        const joined = await rig.run(rig.coordinator.joinGroup(rig.joinRequest(), context))
        expect(Buffer.byteLength(joined.memberId ?? '')).toBeLessThan(32_768)
      }
    },
  )

  test('in version 0 the session timeout is the rebalance timeout too', async () => {
    const rig = await CoordinatorRig.open()
    const request = rig.joinRequest({ rebalanceTimeoutMs: -1 })
    await rig.run(rig.coordinator.joinGroup(request, rig.context(0)))
    expect([...rig.coordinator.groups()].map(({ rebalanceTimeoutMs }) => rebalanceTimeoutMs)).toEqual([10_000])
  })
})

describe('partitions', () => {
  test('groups of a partition that others lead are not served', async () => {
    const rig = new CoordinatorRig()
    expect(await rig.commit(1)).toBe(ErrorCode.NOT_COORDINATOR)
  })

  /** A coordinator that loads its partition until `gate` resolves. */
  function loading() {
    const log = new FakeLog()
    const gate = Promise.withResolvers<void>()
    log.readGate = gate.promise
    const rig = new CoordinatorRig({}, log)
    return { rig, gate, load: rig.coordinator.onLoad(0, 1) }
  }

  const leave = { groupId: 'g', members: [], memberId: 'm' }
  const asking: [string, (rig: CoordinatorRig) => Promise<unknown>, object | number][] = [
    ['JoinGroup', (rig) => rig.coordinator.joinGroup(rig.joinRequest(), rig.context(3)), { generationId: 1 }],
    ['SyncGroup', (rig) => rig.coordinator.syncGroup(rig.syncRequest('m', 1), rig.context(4)), { errorCode: 25 }],
    ['LeaveGroup', (rig) => rig.coordinator.leaveGroup(leave, rig.context(2)), { errorCode: 25 }],
    ['OffsetCommit', (rig) => rig.commitLater(1), 0],
    ['OffsetFetch', (rig) => rig.fetchLater(), { offset: -1 }],
    [
      'OffsetFetch of one group',
      (rig) => {
        const request = { ...rig.fetchRequest('', []), groupId: 'g', groups: [] }
        return rig.coordinator.offsetFetch(request, rig.context(7))
      },
      { errorCode: 0, topics: [] },
    ],
  ]

  test.each(asking)('while a partition is loaded %s waits, and is answered then', async (_, ask, expected) => {
    const { rig, gate } = loading()
    let answer: unknown
    void ask(rig).then((given) => (answer = given))
    await rig.clock.run(4900)
    expect(answer).toBeUndefined()
    gate.resolve()
    await rig.clock.run(10)
    if (typeof expected === 'number') expect(answer).toBe(expected)
    else expect(answer).toMatchObject(expected)
  })

  test('whoever waits for a partition hears at once that others lead it', async () => {
    const { rig } = loading()
    const commit = rig.commitLater(1)
    rig.coordinator.onUnload(0)
    expect(await commit).toBe(ErrorCode.NOT_COORDINATOR)
  })

  test('or that it cannot be read', async () => {
    const { rig, gate } = loading()
    const commit = rig.commitLater(1)
    gate.reject(new Error('the disk is gone'))
    expect(await commit).toBe(ErrorCode.NOT_COORDINATOR)
  })

  test('while it is loaded for long its groups are told to wait, and heartbeats are fine', async () => {
    const { rig, gate, load } = loading()
    const beginMs = rig.clock.monotonicMs()
    expect(await rig.commit(1)).toBe(ErrorCode.COORDINATOR_LOAD_IN_PROGRESS)
    expect(await rig.commit(1)).toBe(ErrorCode.COORDINATOR_LOAD_IN_PROGRESS)
    expect(rig.clock.monotonicMs() - beginMs).toBe(5000)
    const beat = { groupId: 'g', memberId: 'm', groupInstanceId: null, generationId: 1 }
    expect(await rig.run(rig.coordinator.heartbeat(beat, rig.context(4)))).toMatchObject({ errorCode: 0 })
    const list = rig.coordinator.listGroups({ statesFilter: [], typesFilter: [] }, rig.context(5))
    expect(list.errorCode).toBe(ErrorCode.COORDINATOR_LOAD_IN_PROGRESS)
    gate.resolve()
    await rig.run(load)
    expect(await rig.commit(1)).toBe(ErrorCode.NONE)
  })

  test('a partition that cannot be read is not served', async () => {
    const log = new FakeLog()
    log.failReads = true
    const rig = await CoordinatorRig.open({}, log)
    expect(await rig.commit(1)).toBe(ErrorCode.NOT_COORDINATOR)
    expect(rig.warnings).toHaveLength(1)
  })

  test('it is read again after a while, and again later', async () => {
    const log = new FakeLog()
    const rig = await CoordinatorRig.open({}, log)
    await rig.commit(7)
    log.failReads = true
    await rig.restart()
    await rig.clock.run(999)
    expect(rig.warnings).toHaveLength(1)
    await rig.clock.run(1)
    expect(rig.warnings).toHaveLength(2)
    log.failReads = false
    expect(await rig.fetch()).toEqual({ groupError: ErrorCode.NOT_COORDINATOR })
    await rig.clock.run(2000)
    expect(await rig.fetch()).toMatchObject({ offset: 7 })
    await rig.clock.run(600_000)
    expect(rig.warnings).toHaveLength(2)
  })

  test('what it has read by then is not there twice', async () => {
    const log = new FakeLog()
    const rig = await CoordinatorRig.open({}, log)
    await rig.commit(7)
    const read = log.read.bind(log)
    log.read = (partition, from) => (from > 0 ? Promise.reject(new Error('torn')) : read(partition, from))
    await rig.restart()
    expect([...rig.coordinator.groups()]).toEqual([])
    log.read = read
    await rig.clock.run(1000)
    expect(rig.coordinator.counts()).toMatchObject({ groups: { Empty: 1 }, offsets: 1 })
  })

  test('it is not read again once it is lost', async () => {
    const log = new FakeLog()
    log.failReads = true
    const rig = await CoordinatorRig.open({}, log)
    rig.coordinator.onUnload(0)
    await rig.clock.run(600_000)
    expect(rig.warnings).toHaveLength(1)
    expect(await rig.commit(1)).toBe(ErrorCode.NOT_COORDINATOR)
  })

  test('one that is lost while it is loaded stays lost', async () => {
    const log = new FakeLog()
    const gate = Promise.withResolvers<void>()
    log.readGate = gate.promise
    const rig = new CoordinatorRig({}, log)
    const load = rig.coordinator.onLoad(0, 1)
    rig.coordinator.onUnload(0)
    gate.resolve()
    await rig.run(load)
    expect(await rig.commit(1)).toBe(ErrorCode.NOT_COORDINATOR)
  })

  test('losing one answers whoever waits', async () => {
    const rig = await CoordinatorRig.open()
    rig.log.isHeld = true
    const commit = rig.commitLater(1)
    const join = rig.coordinator.joinGroup(rig.joinRequest(), rig.context(3))
    await rig.clock.run(1)
    rig.coordinator.onUnload(0)
    expect(await commit).toBe(ErrorCode.NOT_COORDINATOR)
    expect(await rig.run(join)).toMatchObject({ errorCode: 0 })
  })

  test('groups go on after a restart, with their members and assignments', async () => {
    const rig = await CoordinatorRig.open()
    const { memberId, generationId } = await rig.stableMember()
    await rig.restart()
    const sync = await rig.run(rig.coordinator.syncGroup(rig.syncRequest(memberId, generationId), rig.context(5)))
    expect(text(sync.assignment ?? new Uint8Array())).toBe('mine')
  })

  test('records are written with offsets.topic.compression.codec and read again', async () => {
    const rig = await CoordinatorRig.open({ offsetsTopicCompressionCodec: 4 })
    await rig.commit(1)
    await rig.restart()
    expect((await rig.fetch()).offset).toBe(1)
  })

  test.each([
    ['', 0],
    ['group', 47],
    ['console-consumer-12345', 6],
    ['grüppe-🚀', 36],
  ])('group %j is in the partition that Java computes', (groupId, partition) => {
    expect(partitionForGroup(groupId, 50)).toBe(partition)
  })

  test('the one hash that has no positive value is in partition 0', () => {
    expect(partitionForGroup('polygenelubricants', 7)).toBe(0)
  })
})

describe('describing', () => {
  test('a stable group with its members', async () => {
    const rig = await CoordinatorRig.open()
    const { memberId } = await rig.stableMember()
    const { groups: [group] = [] } = rig.coordinator.describeGroups(
      { groups: ['g'], includeAuthorizedOperations: false },
      rig.context(6),
    )
    expect(group).toMatchObject({ errorCode: 0, groupState: 'Stable', protocolType: 'consumer', protocolData: 'range' })
    const [member] = group?.members ?? []
    expect(member).toMatchObject({ memberId, clientId: 'client', clientHost: '/10.0.0.1' })
    expect(text(member?.memberAssignment ?? new Uint8Array())).toBe('mine')
  })

  test.each([
    [5, { errorCode: 0, groupState: 'Dead' }],
    [6, { errorCode: ErrorCode.GROUP_ID_NOT_FOUND, groupState: 'Dead', errorMessage: 'Group g not found.' }],
  ])('in version %i a group that is not there', async (version, expected) => {
    const rig = await CoordinatorRig.open()
    const request = { groups: ['g'], includeAuthorizedOperations: false }
    expect(rig.coordinator.describeGroups(request, rig.context(version)).groups?.[0]).toMatchObject(expected)
  })

  test.each([
    [[], [], ['g', 'simple']],
    [['stable'], [], ['g']],
    [[' EMPTY '], ['Classic'], ['simple']],
    [[], ['consumer'], []],
  ])('groups in states %j and of types %j are listed', async (statesFilter, typesFilter, expected) => {
    const rig = await CoordinatorRig.open()
    await rig.stableMember()
    await rig.commit(1, { groupId: 'simple' })
    const { groups } = rig.coordinator.listGroups({ statesFilter, typesFilter }, rig.context(5))
    expect(groups?.map(({ groupId }) => groupId)).toEqual(expected)
  })

  test('offsets are told for metrics', async () => {
    const rig = await CoordinatorRig.open()
    await rig.commit(9)
    expect([...rig.coordinator.committedOffsets()]).toEqual([
      { groupId: 'g', topic: 'orders', partition: 0, offset: 9n },
    ])
  })
})

describe('deleting groups', () => {
  test('an empty one is gone for good, with its offsets', async () => {
    const rig = await CoordinatorRig.open()
    await rig.commit(1)
    expect(await remove(rig, 'g', 'g')).toEqual([ErrorCode.NONE])
    await rig.restart()
    expect([...rig.coordinator.groups()]).toEqual([])
    expect((await rig.fetch()).offset).toBe(-1)
  })

  test('one with members, or that is not there, is refused', async () => {
    const rig = await CoordinatorRig.open()
    await rig.stableMember()
    expect(await remove(rig, 'g', 'ghost')).toEqual([ErrorCode.NON_EMPTY_GROUP, ErrorCode.GROUP_ID_NOT_FOUND])
  })

  test('one whose deletion cannot be written is still there', async () => {
    const rig = await CoordinatorRig.open()
    await rig.commit(1)
    rig.log.failWith = ErrorCode.NOT_ENOUGH_REPLICAS
    expect(await remove(rig, 'g')).toEqual([ErrorCode.COORDINATOR_NOT_AVAILABLE])
    expect((await rig.fetch()).offset).toBe(1)
  })

  test('what is left of one whose deletion is written in part is there, as after a restart', async () => {
    const rig = await CoordinatorRig.open()
    const groupId = 'g'.repeat(30_000)
    const topics = Array.from({ length: 20 }, (_, index) => `topic-${index}`)
    for (const [index, topic] of topics.entries()) {
      rig.topics.ids.set(topic, `AAAAAAAAAAAAAAAAAAAB${index + 10}`)
      await rig.commit(index, { groupId, topic })
    }
    const left = async () => {
      const { groups } = await rig.run(rig.coordinator.offsetFetch(rig.fetchRequest(groupId, null), rig.context(9)))
      return groups?.[0]?.topics?.length
    }
    rig.log.outcomes.push(ErrorCode.NOT_ENOUGH_REPLICAS, ErrorCode.NONE)
    expect(await remove(rig, groupId)).toEqual([ErrorCode.COORDINATOR_NOT_AVAILABLE])
    expect(await left()).toBe(17)
    await rig.restart()
    expect(await left()).toBe(17)
    expect(await remove(rig, groupId)).toEqual([ErrorCode.NONE])
    expect(rig.coordinator.counts()).toEqual({ groups: expect.objectContaining({ Empty: 0 }), offsets: 0 })
  })
})
