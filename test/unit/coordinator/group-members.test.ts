import { describe, expect, test } from '@jest/globals'
import { ClassicGroup } from '../../../broker/coordinator/group/classic-group.ts'
import { ErrorCode } from '../../../broker/protocol/errors.ts'
import { GroupRig, RULES } from './group-rig.ts'

describe('sessions', () => {
  test('a member without heartbeats is out after its session timeout', () => {
    const rig = new GroupRig()
    const [leader = '', follower = ''] = rig.stable(2)
    rig.advance(6000)
    expect(rig.heartbeat(leader)).toBe('NONE')
    rig.advance(4000)
    expect(rig.heartbeat(follower)).toBe('UNKNOWN_MEMBER_ID')
    expect(rig.heartbeat(leader)).toBe('REBALANCE_IN_PROGRESS')
  })

  test('a member that waits for its join to end does not time out', () => {
    const rig = new GroupRig()
    const [leader = '', follower = ''] = rig.stable(2)
    const reply = rig.join({ memberId: leader })
    for (let i = 0; i < 5; i++) {
      rig.advance(6000)
      rig.heartbeat(follower)
    }
    expect(rig.error(reply)).toBe('pending')
    expect(rig.group.members.size).toBe(2)
  })

  test('an offset commit counts as a sign of life', () => {
    const rig = new GroupRig()
    const [memberId = ''] = rig.stable(1)
    rig.advance(6000)
    rig.send({ kind: 'alive', memberId })
    rig.advance(6000)
    expect(rig.heartbeat(memberId)).toBe('NONE')
  })

  test('a heartbeat of another generation is refused', () => {
    const rig = new GroupRig()
    const [memberId = ''] = rig.stable(1)
    expect(rig.heartbeat(memberId, 0)).toBe('ILLEGAL_GENERATION')
  })
})

describe('leaving', () => {
  test('the others rebalance', () => {
    const rig = new GroupRig()
    const [leader = '', follower = ''] = rig.stable(2)
    expect(rig.left(rig.leave(follower))).toEqual(['NONE'])
    expect(rig.heartbeat(leader)).toBe('REBALANCE_IN_PROGRESS')
  })

  test('the last one is answered when the empty group is in the log', () => {
    const rig = new GroupRig()
    const [memberId = ''] = rig.stable(1)
    const reply = rig.leave(memberId)
    expect(rig.error(reply)).toBe('pending')
    rig.ack()
    expect(rig.left(reply)).toEqual(['NONE'])
    expect(rig.written).toMatchObject({ generation: 2, protocol: null, leader: null, members: [] })
    expect(rig.group.state).toBe('Empty')
  })

  test('several members leave in one request, each with its own result', () => {
    const rig = new GroupRig()
    const [, a = '', b = ''] = rig.stable(3)
    expect(rig.left(rig.leave(a, 'stranger', b))).toEqual(['NONE', 'UNKNOWN_MEMBER_ID', 'NONE'])
    expect(rig.group.members.size).toBe(1)
  })

  test('a member that leaves while its sync waits gets that answered', () => {
    const rig = new GroupRig()
    const leader = rig.joinNew()
    const follower = rig.joinNew()
    rig.advance(6000)
    const reply = rig.sync(follower.memberId)
    rig.leave(follower.memberId)
    expect(rig.error(reply)).toBe('UNKNOWN_MEMBER_ID')
    expect(rig.group.leaderId).toBe(leader.memberId)
  })

  test('the last expected member of a join phase leaves, and the phase ends', () => {
    const rig = new GroupRig()
    const [leader = '', follower = ''] = rig.stable(2)
    const reply = rig.join({ memberId: leader })
    rig.leave(follower)
    expect(rig.joined(reply).generationId).toBe(2)
  })
})

describe('the coordinator', () => {
  test('sends everybody away when it loses the group', () => {
    const rig = new GroupRig()
    const [leader = '', follower = ''] = rig.stable(2)
    const reply = rig.join({ memberId: leader })
    rig.send({ kind: 'unload' })
    expect(rig.error(reply)).toBe('NOT_COORDINATOR')
    expect(rig.heartbeat(follower)).toBe('COORDINATOR_NOT_AVAILABLE')
    expect(rig.timers.size).toBe(0)
  })

  test('forgets a group whose creation could not be written', () => {
    const rig = new GroupRig()
    const { reply } = rig.joinNew()
    rig.send({ kind: 'appended', write: { purpose: 'create' }, error: ErrorCode.NOT_COORDINATOR })
    expect(rig.error(reply)).toBe('NOT_COORDINATOR')
    expect(rig.group.state).toBe('Dead')
  })

  test('goes on with a group as it was written', () => {
    const rig = new GroupRig()
    const [leader = '', follower = ''] = rig.stable(2)
    if (rig.written === undefined) throw new Error('nothing written')
    rig.group = ClassicGroup.fromMetadata({ groupId: 'g', rules: RULES }, rig.written)
    rig.timers.clear()
    rig.send({ kind: 'loaded' })
    expect([rig.heartbeat(leader), rig.heartbeat(follower)]).toEqual(['NONE', 'NONE'])
    expect(rig.assignment(rig.sync(follower))).toBe(`for ${follower}`)
    rig.advance(10_000)
    expect(rig.group.members.size).toBe(0)
  })

  test('makes a loaded group that is above the maximum size rebalance', () => {
    const rig = new GroupRig()
    const ids = rig.stable(3)
    if (rig.written === undefined) throw new Error('nothing written')
    rig.group = ClassicGroup.fromMetadata({ groupId: 'g', rules: { ...RULES, maxSize: 2 } }, rig.written)
    rig.send({ kind: 'loaded' })
    expect(rig.group.state).toBe('PreparingRebalance')
    const replies = ids.map((memberId) => rig.join({ memberId }))
    expect(replies.map((reply) => rig.error(reply))).toEqual(['NONE', 'NONE', 'GROUP_MAX_SIZE_REACHED'])
  })
})
