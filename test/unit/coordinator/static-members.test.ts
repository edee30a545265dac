import { expect, test } from '@jest/globals'
import { ErrorCode } from '../../../broker/protocol/errors.ts'
import { bytes, GroupRig } from './group-rig.ts'

const RANGE = { name: 'range', metadata: bytes('r') }
const STICKY = { name: 'sticky', metadata: bytes('s') }

/** A stable group of two static members: `one` leads. Both have RANGE. */
function staticGroup(ofLeader = [RANGE]): { rig: GroupRig; leader: string; follower: string } {
  const rig = new GroupRig()
  const joins = [
    rig.join({ groupInstanceId: 'one', protocols: ofLeader }),
    rig.join({ groupInstanceId: 'two', protocols: [RANGE] }),
  ]
  while (rig.group.state === 'PreparingRebalance') rig.advance(1000)
  const [leader = '', follower = ''] = joins.map((reply) => rig.joined(reply).memberId)
  const sync = { kind: 'sync', generationId: 1, protocolType: null, protocolName: null } as const
  rig.send({ ...sync, reply: 901, memberId: follower, groupInstanceId: 'two', assignments: [] })
  const assignments = [leader, follower].map((memberId) => ({ memberId, assignment: bytes(`for ${memberId}`) }))
  rig.send({ ...sync, reply: 902, memberId: leader, groupInstanceId: 'one', assignments })
  rig.ack()
  return { rig, leader, follower }
}

test('a static member joins at once, without being sent away for an id', () => {
  const rig = new GroupRig()
  const reply = rig.join({ groupInstanceId: 'one' })
  rig.advance(3000)
  expect(rig.joined(reply)).toMatchObject({ errorCode: 0, memberId: 'm1', generationId: 1 })
})

test('one that is back in a stable group keeps its assignment, and nobody rebalances', () => {
  const { rig, leader, follower } = staticGroup()
  const reply = rig.join({ groupInstanceId: 'two' })
  expect(rig.error(reply)).toBe('pending')
  rig.ack()
  const { memberId, generationId, members } = rig.joined(reply)
  expect({ generationId, members }).toEqual({ generationId: 1, members: [] })
  expect(memberId).not.toBe(follower)
  expect(rig.assignment(rig.sync(memberId))).toBe(`for ${follower}`)
  expect(rig.heartbeat(leader)).toBe('NONE')
})

test('who still uses the old member id is fenced', () => {
  const { rig, follower } = staticGroup()
  rig.join({ groupInstanceId: 'two' })
  rig.ack()
  expect(rig.heartbeat(follower, 1, 'two')).toBe('FENCED_INSTANCE_ID')
})

test('the old member is fenced while its own join waits', () => {
  const rig = new GroupRig()
  const first = rig.join({ groupInstanceId: 'one' })
  rig.join({ groupInstanceId: 'one' })
  expect(rig.error(first)).toBe('FENCED_INSTANCE_ID')
})

test('a leader that is back leads on and is told to skip the assignment', () => {
  const { rig } = staticGroup()
  const reply = rig.join({ groupInstanceId: 'one' })
  rig.ack()
  const { memberId, leader, skipAssignment, members } = rig.joined(reply)
  expect({ leader, skipAssignment, count: members.length }).toEqual({
    leader: memberId,
    skipAssignment: true,
    count: 2,
  })
})

test('a leader that is back and cannot skip the assignment is told that the old id leads', () => {
  const { rig, leader } = staticGroup()
  const reply = rig.join({ groupInstanceId: 'one', canSkipAssignment: false })
  rig.ack()
  expect(rig.joined(reply)).toMatchObject({ leader, skipAssignment: false, members: [] })
})

test('where the new id could not be written the old one stays', () => {
  const { rig, follower } = staticGroup()
  const reply = rig.join({ groupInstanceId: 'two' })
  rig.ack(ErrorCode.COORDINATOR_NOT_AVAILABLE)
  expect(rig.error(reply)).toBe('COORDINATOR_NOT_AVAILABLE')
  expect(rig.heartbeat(follower, 1, 'two')).toBe('NONE')
})

test('one whose new id is written while another member makes the group rebalance waits for that', () => {
  const { rig } = staticGroup()
  const reply = rig.join({ groupInstanceId: 'two' })
  rig.joinNew()
  rig.ack()
  expect([rig.error(reply), rig.group.state]).toEqual(['pending', 'PreparingRebalance'])
})

test('one whose new id cannot be written while the others go on to another protocol goes there too', () => {
  const { rig, leader } = staticGroup([RANGE, STICKY])
  const reply = rig.join({ groupInstanceId: 'two', protocols: [RANGE, STICKY] })
  // Somebody who does not come back: the join phase does not end at once.
  rig.join()
  rig.join({ memberId: leader, groupInstanceId: 'one', protocols: [STICKY] })
  rig.ack(ErrorCode.COORDINATOR_NOT_AVAILABLE)
  rig.advance(60_000)
  expect(rig.joined(reply)).toMatchObject({ errorCode: 0, generationId: 2, protocolName: 'sticky' })
})

test('one that is back with another protocol makes the group rebalance', () => {
  const { rig, leader } = staticGroup()
  const both = ['range', 'sticky'].map((name) => ({ name, metadata: bytes(name) }))
  rig.join({ memberId: leader, groupInstanceId: 'one', protocols: both })
  expect(rig.group.state).toBe('PreparingRebalance')
})

test('one that is back while the leader computes the assignment makes the group rebalance', () => {
  const rig = new GroupRig()
  rig.join({ groupInstanceId: 'one' })
  rig.join({ groupInstanceId: 'two' })
  while (rig.group.state === 'PreparingRebalance') rig.advance(1000)
  rig.join({ groupInstanceId: 'two' })
  expect(rig.group.state).toBe('PreparingRebalance')
})

test('one that does not rejoin keeps its place until its session ends', () => {
  const { rig, leader, follower } = staticGroup()
  const reply = rig.join({ memberId: leader, groupInstanceId: 'one', sessionTimeoutMs: 90_000 })
  for (let i = 0; i < 12; i++) {
    rig.advance(5000)
    rig.heartbeat(follower, 1, 'two')
  }
  expect(rig.joined(reply).members).toHaveLength(2)
})

test('members that stay away are not asked after again and again, even where they want no time to rejoin', () => {
  const { rig } = staticGroup()
  for (const groupInstanceId of ['one', 'two']) {
    rig.join({ groupInstanceId, rebalanceTimeoutMs: groupInstanceId === 'one' ? 0 : -1 })
    rig.ack()
  }
  rig.leave(rig.joinNew({ rebalanceTimeoutMs: 0 }).memberId)
  rig.send({ kind: 'timer', timer: 'join' })
  expect(rig.group.state).toBe('PreparingRebalance')
  expect((rig.timers.get('join') ?? 0) - rig.nowMs).toBeGreaterThanOrEqual(1000)
})

test('one is removed by its instance id alone', () => {
  const { rig, follower } = staticGroup()
  const reply = rig.leave({ memberId: '', groupInstanceId: 'two' }, { memberId: '', groupInstanceId: 'three' })
  expect(rig.left(reply)).toEqual(['NONE', 'UNKNOWN_MEMBER_ID'])
  expect(rig.group.members.has(follower)).toBe(false)
})

test('one that leaves with an id that is not its own any more is fenced', () => {
  const { rig, follower } = staticGroup()
  rig.join({ groupInstanceId: 'two' })
  rig.ack()
  expect(rig.left(rig.leave({ memberId: follower, groupInstanceId: 'two' }))).toEqual(['FENCED_INSTANCE_ID'])
})
