import { describe, expect, test } from '@jest/globals'
import { ErrorCode } from '../../../broker/protocol/errors.ts'
import { bytes, GroupRig, text } from './group-rig.ts'

const named = (...names: string[]) => names.map((name) => ({ name, metadata: bytes(name) }))

describe('joining', () => {
  test('a dynamic member is given an id and sent away to come back with it', () => {
    const rig = new GroupRig()
    const reply = rig.join()
    expect(rig.error(reply)).toBe('MEMBER_ID_REQUIRED')
    expect(rig.joined(reply).memberId).toBe('m1')
  })

  test('before version 4 a dynamic member joins at once', () => {
    const rig = new GroupRig()
    const reply = rig.join({ needsKnownMemberId: false })
    rig.advance(3000)
    expect(rig.joined(reply)).toMatchObject({ errorCode: 0, memberId: 'm1', leader: 'm1', generationId: 1 })
  })

  test('the initial delay is extended by each newcomer, up to the rebalance timeout', () => {
    const rig = new GroupRig()
    const first = rig.joinNew({ rebalanceTimeoutMs: 7000 })
    rig.advance(2000)
    rig.joinNew({ rebalanceTimeoutMs: 7000 })
    rig.advance(2000)
    rig.joinNew({ rebalanceTimeoutMs: 7000 })
    rig.advance(2900)
    expect(rig.error(first.reply)).toBe('pending')
    rig.joinNew({ rebalanceTimeoutMs: 7000 })
    rig.advance(100)
    expect(rig.joined(first.reply).members).toHaveLength(4)
  })

  test('only the leader learns the members and their metadata', () => {
    const rig = new GroupRig()
    const leader = rig.joinNew()
    const follower = rig.joinNew({ protocols: [{ name: 'range', metadata: bytes('other') }] })
    rig.advance(6000)
    expect(rig.joined(leader.reply).members.map(({ memberId, metadata }) => [memberId, text(metadata)])).toEqual([
      [leader.memberId, 'r'],
      [follower.memberId, 'other'],
    ])
    expect(rig.joined(follower.reply)).toMatchObject({ members: [], leader: leader.memberId, protocolName: 'range' })
  })

  test('the protocol that most members prefer among those that all have is selected', () => {
    const rig = new GroupRig()
    const first = rig.joinNew({ protocols: named('a', 'b', 'c') })
    rig.joinNew({ protocols: named('b', 'a') })
    rig.joinNew({ protocols: named('d', 'b', 'a') })
    rig.advance(9000)
    expect(rig.joined(first.reply).protocolName).toBe('b')
  })

  test.each([
    ['of another type', { protocolType: 'connect' }],
    ['without a common protocol', { protocols: [{ name: 'unheard', metadata: bytes('') }] }],
  ])('a member %s is refused', (_, options) => {
    const rig = new GroupRig()
    rig.stable(1)
    expect(rig.error(rig.join(options))).toBe('INCONSISTENT_GROUP_PROTOCOL')
  })

  test.each([
    ['without a type', { protocolType: '' }],
    ['without protocols', { protocols: [] }],
  ])('a first member %s is refused', (_, options) => {
    const rig = new GroupRig()
    expect(rig.error(rig.join(options))).toBe('INCONSISTENT_GROUP_PROTOCOL')
  })

  test('an id that was never given out is unknown', () => {
    const rig = new GroupRig()
    rig.stable(1)
    expect(rig.error(rig.join({ memberId: 'stranger' }))).toBe('UNKNOWN_MEMBER_ID')
  })

  test('an id that is not used within the session timeout is forgotten', () => {
    const rig = new GroupRig()
    const { memberId } = rig.joined(rig.join())
    rig.advance(10_000)
    expect(rig.error(rig.join({ memberId }))).toBe('UNKNOWN_MEMBER_ID')
  })

  test('a follower of a stable group that joins with unchanged protocols stays in the generation', () => {
    const rig = new GroupRig()
    const [, follower = ''] = rig.stable(2)
    const reply = rig.join({ memberId: follower })
    expect(rig.joined(reply)).toMatchObject({ errorCode: 0, generationId: 1, members: [] })
    expect(rig.group.state).toBe('Stable')
  })

  test('a leader that rejoins a stable group starts a rebalance', () => {
    const rig = new GroupRig()
    const [leader = '', follower = ''] = rig.stable(2)
    const reply = rig.join({ memberId: leader })
    expect(rig.heartbeat(follower)).toBe('REBALANCE_IN_PROGRESS')
    rig.join({ memberId: follower })
    expect(rig.joined(reply).generationId).toBe(2)
  })

  test('a rebalance of a sole member is over at once', () => {
    const rig = new GroupRig()
    const [memberId = ''] = rig.stable(1)
    expect(rig.joined(rig.join({ memberId })).generationId).toBe(2)
  })

  test('a changed subscription starts a rebalance', () => {
    const rig = new GroupRig()
    const [, follower = ''] = rig.stable(2)
    rig.join({ memberId: follower, protocols: [{ name: 'range', metadata: bytes('more') }] })
    expect(rig.group.state).toBe('PreparingRebalance')
  })

  test('the same join sent again while the first waits answers the first', () => {
    const rig = new GroupRig()
    const { memberId, reply } = rig.joinNew()
    const again = rig.join({ memberId })
    rig.advance(3000)
    expect([rig.error(reply), rig.error(again)]).toEqual(['REBALANCE_IN_PROGRESS', 'NONE'])
  })

  test('a member above the maximum size is refused', () => {
    const rig = new GroupRig({ maxSize: 2 })
    rig.stable(2)
    expect(rig.error(rig.join())).toBe('GROUP_MAX_SIZE_REACHED')
  })

  test('a member that does not rejoin is out when the rebalance timeout ends, and another one leads', () => {
    const rig = new GroupRig()
    const [leader = '', follower = ''] = rig.stable(2)
    const { reply } = rig.joinNew()
    const rejoined = rig.join({ memberId: follower })
    for (let i = 0; i < 12; i++) {
      rig.advance(5000)
      rig.heartbeat(leader)
    }
    expect(rig.joined(rejoined)).toMatchObject({ generationId: 2, leader: follower })
    expect(rig.joined(reply).leader).toBe(follower)
    expect(rig.group.members.has(leader)).toBe(false)
  })

  test('a client that gave up on its first join is out after the new-member timeout', () => {
    const rig = new GroupRig({ newMemberJoinTimeoutMs: 20_000 })
    const [leader = ''] = rig.stable(1)
    rig.joinNew({ rebalanceTimeoutMs: 90_000 })
    for (let i = 0; i < 4; i++) {
      rig.advance(5000)
      rig.heartbeat(leader)
    }
    expect(rig.group.members.size).toBe(1)
  })
})

describe('syncing', () => {
  test('assignments are given out after they are in the log, and not before', () => {
    const rig = new GroupRig()
    const leader = rig.joinNew()
    const follower = rig.joinNew()
    rig.advance(6000)
    const early = rig.sync(follower.memberId)
    const own = rig.sync(leader.memberId, { [leader.memberId]: 'a', [follower.memberId]: 'b' })
    expect([rig.error(early), rig.error(own)]).toEqual(['pending', 'pending'])
    rig.ack()
    expect([rig.assignment(early), rig.assignment(own)]).toEqual(['b', 'a'])
    expect(rig.group.state).toBe('Stable')
  })

  test('what is written holds the generation, the protocol and each assignment', () => {
    const rig = new GroupRig()
    const [leader = '', follower = ''] = rig.stable(2)
    expect(rig.written).toMatchObject({ protocolType: 'consumer', generation: 1, protocol: 'range', leader })
    expect(rig.written?.members.map(({ memberId, assignment }) => [memberId, text(assignment)])).toEqual([
      [leader, `for ${leader}`],
      [follower, `for ${follower}`],
    ])
  })

  test('a member that the leader forgot gets an empty assignment', () => {
    const rig = new GroupRig()
    const leader = rig.joinNew()
    const follower = rig.joinNew()
    rig.advance(6000)
    const reply = rig.sync(follower.memberId)
    rig.sync(leader.memberId)
    rig.ack()
    expect(rig.assignment(reply)).toBe('')
  })

  test('a member of a stable group gets its assignment again', () => {
    const rig = new GroupRig()
    const [, follower = ''] = rig.stable(2)
    expect(rig.assignment(rig.sync(follower))).toBe(`for ${follower}`)
  })

  test('an assignment that could not be written starts another rebalance', () => {
    const rig = new GroupRig()
    const { memberId } = rig.joinNew()
    rig.advance(3000)
    const reply = rig.sync(memberId, { [memberId]: 'a' })
    rig.ack(ErrorCode.COORDINATOR_NOT_AVAILABLE)
    expect(rig.error(reply)).toBe('COORDINATOR_NOT_AVAILABLE')
    expect(rig.group.state).toBe('PreparingRebalance')
  })

  test('an assignment that is written after the generation ended is not given out', () => {
    const rig = new GroupRig()
    const { memberId } = rig.joinNew()
    rig.advance(3000)
    const reply = rig.sync(memberId, { [memberId]: 'a' })
    rig.joinNew()
    expect(rig.error(reply)).toBe('REBALANCE_IN_PROGRESS')
    rig.ack()
    expect(rig.group.state).toBe('PreparingRebalance')
  })

  test('an assignment that is written after the next generation began is not given out in that one', () => {
    const rig = new GroupRig()
    const { memberId } = rig.joinNew()
    rig.advance(3000)
    rig.sync(memberId, { [memberId]: 'old' })
    rig.join({ memberId, protocols: [{ name: 'range', metadata: bytes('new') }] })
    rig.ack()
    expect([rig.group.state, rig.group.generationId]).toEqual(['CompletingRebalance', 2])
  })

  test.each([
    ['a stranger', 'stranger', 1, 'UNKNOWN_MEMBER_ID'],
    ['another generation', 'm1', 7, 'ILLEGAL_GENERATION'],
  ])('a sync of %s is refused', (_, memberId, generationId, error) => {
    const rig = new GroupRig()
    rig.stable(1)
    expect(rig.error(rig.sync(memberId, {}, generationId))).toBe(error)
  })

  test('a sync with another protocol than the selected one is refused', () => {
    const rig = new GroupRig()
    const [memberId = ''] = rig.stable(1)
    const request = {
      kind: 'sync',
      reply: 999,
      memberId,
      groupInstanceId: null,
      generationId: 1,
      assignments: [],
    } as const
    rig.send({ ...request, protocolType: 'consumer', protocolName: 'sticky' })
    expect(rig.error(999)).toBe('INCONSISTENT_GROUP_PROTOCOL')
  })

  test('a sync during a join phase tells the member to rejoin', () => {
    const rig = new GroupRig()
    const [leader = '', follower = ''] = rig.stable(2)
    rig.join({ memberId: leader })
    expect(rig.error(rig.sync(follower))).toBe('REBALANCE_IN_PROGRESS')
  })

  test('a member that never syncs is out after the rebalance timeout, and the others start again', () => {
    const rig = new GroupRig()
    const leader = rig.joinNew({ rebalanceTimeoutMs: 8000 })
    const follower = rig.joinNew({ rebalanceTimeoutMs: 8000 })
    rig.advance(6000)
    rig.sync(leader.memberId, {})
    rig.ack()
    rig.advance(5000)
    rig.heartbeat(follower.memberId)
    rig.advance(3000)
    expect([...rig.group.members.keys()]).toEqual([leader.memberId])
    expect(rig.group.state).toBe('PreparingRebalance')
  })
})
