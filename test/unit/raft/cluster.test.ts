import { expect, test } from '@jest/globals'
import { ErrorCode } from '../../../broker/protocol/errors.ts'
import { directoryOf, type Member, RaftCluster, voterOf } from './cluster.ts'
import { values } from './harness.ts'

async function elected(cluster: RaftCluster): Promise<Member> {
  await cluster.start()
  return cluster.untilLeader()
}

/** Proposes on the leader, and waits until that is committed. */
async function proposed(cluster: RaftCluster, leader: Member, ...names: readonly string[]): Promise<void> {
  await cluster.world.clock.runFor(cluster.node(leader.id).propose(values(...names)), 10_000)
}

function voterIds(cluster: RaftCluster, leader: Member): number[] {
  const ids = cluster
    .node(leader.id)
    .quorumInfo()
    .voters.map(({ id }) => id)
  return ids.toSorted((a, b) => a - b)
}

/** What the member's listeners heard, without control records, snapshots and leaders. */
function heard({ recorder }: Member): string[] {
  return recorder.heard
    .filter((line) => /^\d/.test(line) && !line.endsWith('control'))
    .map((line) => line.slice(line.indexOf(' ') + 1))
}

function others(cluster: RaftCluster, leader: Member): Member[] {
  return [...cluster.members.values()].filter(({ id }) => id !== leader.id)
}

test.each([true, false])('three voters elect one of them, well within a second; static: %p', async (isStatic) => {
  const cluster = new RaftCluster({ seed: 1, voters: [1, 2, 3], isStatic })
  await cluster.start()
  const leader = await cluster.untilLeader(900)
  await cluster.run(500)
  for (const member of cluster.members.values()) {
    expect(cluster.node(member.id).leaderAndEpoch).toEqual(cluster.node(leader.id).leaderAndEpoch)
    expect(cluster.node(member.id).leaderAddress).toEqual({ host: `node${leader.id}`, port: 9093 })
  }
})

test('timers that fire a little early are set again', async () => {
  for (let seed = 1; seed <= 5; seed++) {
    const cluster = new RaftCluster({ seed, voters: [1, 2], hasCoarseTimers: true })
    await cluster.start()
    await cluster.untilLeader(3000)
  }
})

test('what is committed is heard by voters and observers within a few round trips', async () => {
  const cluster = new RaftCluster({ seed: 2, voters: [1, 2, 3], observers: [4] })
  const leader = await elected(cluster)
  await cluster.run(1000)
  await proposed(cluster, leader, 'a', 'b')
  await cluster.run(15)
  for (const member of cluster.members.values()) expect(heard(member)).toEqual(['a,b'])
  expect(cluster.node(4).role).toBe('observer')
})

test('without a majority nothing is committed', async () => {
  const cluster = new RaftCluster({ seed: 3, voters: [1, 2, 3] })
  const leader = await elected(cluster)
  for (const { id } of others(cluster, leader)) cluster.kill(id)
  let isDone = false
  cluster
    .node(leader.id)
    .propose(values('a'))
    .then(
      () => (isDone = true),
      () => {},
    )
  await cluster.run(2000)
  expect(isDone).toBe(false)
  expect(heard(leader)).toEqual([])
})

test('when the leader is killed another one leads within half a second, with all that was committed', async () => {
  const cluster = new RaftCluster({ seed: 4, voters: [1, 2, 3], observers: [4] })
  const leader = await elected(cluster)
  await proposed(cluster, leader, 'a')
  await cluster.run(1000)
  cluster.kill(leader.id)
  const next = await cluster.untilLeader(500, leader.id)
  expect(heard(next)).toEqual(['a'])
  await proposed(cluster, next, 'b')
  await cluster.run(500)
  expect(heard(cluster.member(4))).toEqual(['a', 'b'])
  await cluster.start(leader.id)
  await cluster.run(1000)
  expect(heard(cluster.member(leader.id))).toEqual(['a', 'b'])
})

test('a leader that is cut off gives up, and what only it has is dropped', async () => {
  const cluster = new RaftCluster({ seed: 5, voters: [1, 2, 3] })
  const leader = await elected(cluster)
  await cluster.run(500)
  cluster.isolate(leader.id)
  const lost = cluster
    .node(leader.id)
    .propose(values('lost'))
    .catch((error: unknown) => error)
  const next = await cluster.untilLeader(8000, leader.id)
  await proposed(cluster, next, 'kept')
  expect(await cluster.world.clock.runFor(lost)).toMatchObject({ code: 'NOT_CONTROLLER' })
  cluster.heal()
  await cluster.run(6000)
  for (const member of cluster.members.values()) expect(heard(member)).toEqual(['kept'])
  expect(leader.recorder.heard.filter((line) => line.startsWith('leader -1')).length).toBe(1)
})

test('a follower that comes back after a cut does not depose the leader', async () => {
  const cluster = new RaftCluster({ seed: 6, voters: [1, 2, 3] })
  const leader = await elected(cluster)
  await cluster.run(500)
  const { epoch } = cluster.node(leader.id).leaderAndEpoch
  const [follower] = others(cluster, leader)
  cluster.isolate(follower?.id ?? 0)
  await cluster.run(10_000)
  cluster.heal()
  await cluster.run(3000)
  expect(cluster.node(leader.id).leaderAndEpoch).toEqual({ leaderId: leader.id, epoch })
})

test('a leader that resigns is followed at once', async () => {
  const cluster = new RaftCluster({ seed: 7, voters: [1, 2, 3] })
  const leader = await elected(cluster)
  await cluster.run(500)
  const resigned = cluster.node(leader.id).resign()
  const next = await cluster.untilLeader(100, leader.id)
  await cluster.world.clock.runFor(resigned, 100)
  await cluster.run(200)
  expect(cluster.node(leader.id).leaderAndEpoch.leaderId).toBe(next.id)
})

test('all lose power: what was committed is there again', async () => {
  const cluster = new RaftCluster({ seed: 8, voters: [1, 2, 3] })
  const leader = await elected(cluster)
  await proposed(cluster, leader, 'a')
  for (const id of cluster.members.keys()) cluster.kill(id, 'power lost')
  await cluster.start()
  const next = await cluster.untilLeader(3000)
  expect(heard(next)).toEqual(['a'])
})

test('a follower that is far behind loads a snapshot, in parts', async () => {
  const options = { segmentBytes: 400, retention: { maxBytes: 1500, maxAgeMs: -1 }, fetchSnapshotMaxBytes: 100 }
  const cluster = new RaftCluster({ seed: 9, voters: [1, 2, 3], observers: [4], options })
  const leader = await elected(cluster)
  await cluster.run(1000)
  const [behind] = others(cluster, leader).filter(({ id }) => id !== 4)
  const id = behind?.id ?? 0
  cluster.kill(id)
  cluster.kill(4)
  const node = cluster.node(leader.id)
  for (let round = 0; round < 30; round++) {
    await proposed(cluster, leader, `record ${round}`.padEnd(60))
    const endOffset = node.highWatermark
    const { epoch } = node.leaderAndEpoch
    if (round % 5 === 4)
      await cluster.world.clock.runFor(node.createSnapshot({ endOffset, epoch }, 0, values(`up to ${round}`)))
  }
  await cluster.run(120_000)
  await cluster.start(id, 4)
  await cluster.run(3000)
  await proposed(cluster, leader, 'more')
  await cluster.run(500)
  for (const member of [cluster.member(id), cluster.member(4)]) {
    expect(member.recorder.heard.filter((line) => line.startsWith('snapshot')).at(-1)).toMatch(/up to 29$/)
    expect(heard(member).at(-1)).toBe('more')
  }
  cluster.kill(id, 'power lost')
  await cluster.start(id)
  await cluster.run(3000)
  expect(heard(cluster.member(id)).at(-1)).toBe('more')
})

test('DescribeQuorum knows how far everybody is', async () => {
  const cluster = new RaftCluster({ seed: 10, voters: [1, 2, 3], observers: [4] })
  const leader = await elected(cluster)
  await proposed(cluster, leader, 'a')
  await cluster.run(2000)
  const info = cluster.node(leader.id).quorumInfo()
  expect(info).toMatchObject({ isLeader: true, leaderId: leader.id, highWatermark: cluster.node(leader.id).nextOffset })
  const nowMs = cluster.world.clock.wallMs()
  expect(info.voters.map(({ id }) => id)).toEqual([1, 2, 3])
  expect(info.observers.map(({ id }) => id)).toEqual([4])
  for (const { logEndOffset, lastFetchTimestampMs, lastCaughtUpTimestampMs } of [...info.voters, ...info.observers]) {
    expect(logEndOffset).toBe(info.highWatermark)
    expect(lastFetchTimestampMs).toBeGreaterThan(nowMs - 1000)
    expect(lastCaughtUpTimestampMs).toBeGreaterThan(nowMs - 1000)
  }
})

test('a controller that may do so makes itself a voter, and then counts', async () => {
  const cluster = new RaftCluster({
    seed: 11,
    voters: [1],
    observers: [2, 3],
    options: { isController: true, autoJoin: true },
  })
  const leader = await elected(cluster)
  await cluster.run(20_000)
  expect(voterIds(cluster, leader)).toEqual([1, 2, 3])
  cluster.kill(1)
  const next = await cluster.untilLeader(1000, 1)
  await proposed(cluster, next, 'a')
})

test('a voter is added and removed on request; a leader that removes itself resigns', async () => {
  const cluster = new RaftCluster({ seed: 12, voters: [1, 2], observers: [3] })
  const leader = await elected(cluster)
  await cluster.run(1000)
  const { clusterId } = leader.options
  const { id: voterId, directoryId: voterDirectoryId, endpoints } = voterOf(3)
  const listeners = endpoints.map((endpoint) => ({ ...endpoint }))
  const request = { clusterId, timeoutMs: 1000, voterId, voterDirectoryId, listeners, ackWhenCommitted: true }
  const added = await cluster.world.clock.runFor(cluster.node(leader.id).addVoter(request))
  expect(added).toEqual({ errorCode: 0, errorMessage: null })
  expect(await cluster.world.clock.runFor(cluster.node(leader.id).addVoter(request))).toMatchObject({ errorCode: 126 })
  await cluster.run(100)
  expect(cluster.node(3).role).toBe('follower')
  const self = voterOf(leader.id)
  const removal = { clusterId, voterId: self.id, voterDirectoryId: self.directoryId }
  expect(await cluster.world.clock.runFor(cluster.node(leader.id).removeVoter(removal))).toMatchObject({ errorCode: 0 })
  const next = await cluster.untilLeader(1000, leader.id)
  await proposed(cluster, next, 'a')
  await cluster.run(1000)
  expect(heard(leader)).toEqual(['a'])
  expect(cluster.node(leader.id).role).toBe('observer')
})

test('a leader that removed itself and died with the only record of it leads until that is committed', async () => {
  const cluster = new RaftCluster({ seed: 13, voters: [1, 2] })
  const leader = await elected(cluster)
  await cluster.run(1000)
  const rest = leader.id === 1 ? 2 : 1
  cluster.kill(rest)
  const self = voterOf(leader.id)
  const removal = { clusterId: leader.options.clusterId, voterId: self.id, voterDirectoryId: self.directoryId }
  void cluster.node(leader.id).removeVoter(removal)
  await cluster.run(100)
  cluster.kill(leader.id)
  await cluster.start(leader.id, rest)
  const next = await cluster.untilLeader(20_000, leader.id)
  await proposed(cluster, next, 'a')
  await cluster.run(2000)
  expect([voterIds(cluster, next), cluster.node(leader.id).role]).toEqual([[rest], 'observer'])
})

test('a leader that removes itself resigns also where that takes longer than the request', async () => {
  const cluster = new RaftCluster({ seed: 14, voters: [1, 2, 3], options: { requestTimeoutMs: 200 } })
  const leader = await elected(cluster)
  await cluster.run(1000)
  cluster.isolate(leader.id)
  const self = voterOf(leader.id)
  const removal = { clusterId: leader.options.clusterId, voterId: self.id, voterDirectoryId: self.directoryId }
  const removed = cluster.world.clock.runFor(cluster.node(leader.id).removeVoter(removal))
  expect(await removed).toMatchObject({ errorCode: ErrorCode.REQUEST_TIMED_OUT })
  cluster.heal()
  await cluster.untilLeader(5000, leader.id)
  await cluster.run(1000)
  expect(cluster.node(leader.id).role).toBe('observer')
})

test('static voters become dynamic ones', async () => {
  const cluster = new RaftCluster({ seed: 13, voters: [1, 2, 3], isStatic: true })
  const leader = await elected(cluster)
  const node = cluster.node(leader.id)
  expect(node.upgradeKraftVersion(1, { validateOnly: false })).toMatch(/have not said that they support it/)
  await cluster.run(6000)
  expect(node.upgradeKraftVersion(1, { validateOnly: true })).toBe(null)
  expect(node.kraftVersion).toBe(0)
  expect(node.upgradeKraftVersion(1, { validateOnly: false })).toBe(null)
  await proposed(cluster, leader, 'a')
  await cluster.run(500)
  for (const { id } of cluster.members.values()) {
    expect(cluster.node(id).kraftVersion).toBe(1)
    expect(cluster.node(id).quorumInfo().voters).toMatchObject([voterOf(1), voterOf(2), voterOf(3)])
  }
  cluster.kill(leader.id)
  await cluster.untilLeader(1000, leader.id)
})

test('a voter that moved tells the leader where it listens', async () => {
  const cluster = new RaftCluster({ seed: 14, voters: [1, 2, 3] })
  const leader = await elected(cluster)
  const [moved] = others(cluster, leader)
  const id = moved?.id ?? 0
  cluster.kill(id)
  const endpoints = [{ name: 'CONTROLLER', host: `node${id}`, port: 9999 }]
  Object.assign(cluster.member(id).options, { endpoints })
  await cluster.start(id)
  await cluster.run(6000)
  expect(
    cluster
      .node(leader.id)
      .quorumInfo()
      .voters.find((voter) => voter.id === id)?.endpoints,
  ).toEqual(endpoints)
})

test('a follower that has not synced does not count', async () => {
  const cluster = new RaftCluster({ seed: 15, voters: [1, 2, 3] })
  const leader = await elected(cluster)
  await cluster.run(500)
  for (const { machine } of others(cluster, leader)) machine.disk.syncMsMax = 60_000
  let isDone = false
  cluster
    .node(leader.id)
    .propose(values('a'))
    .then(
      () => (isDone = true),
      () => {},
    )
  await cluster.run(100)
  for (const { id } of others(cluster, leader))
    expect(cluster.node(id).nextOffset).toBe(cluster.node(leader.id).nextOffset)
  expect(isDone).toBe(false)
})

test('a controller that lost its disk takes its own place again', async () => {
  const options = { isController: true, autoJoin: true }
  const cluster = new RaftCluster({ seed: 16, voters: [1, 2], observers: [3], options })
  const leader = await elected(cluster)
  await cluster.run(15_000)
  expect(voterIds(cluster, leader)).toEqual([1, 2, 3])
  cluster.kill(3)
  const directoryId = directoryOf(8)
  cluster.add({ ...cluster.member(3).options, directoryId }, 'new machine')
  await cluster.start(3)
  await cluster.run(20_000)
  const replaced = cluster
    .node(leader.id)
    .quorumInfo()
    .voters.find(({ id }) => id === 3)
  expect(replaced).toMatchObject({ directoryId })
})

test('the wall clock may jump: nobody is deposed', async () => {
  const cluster = new RaftCluster({ seed: 17, voters: [1, 2, 3] })
  const leader = await elected(cluster)
  const before = cluster.node(leader.id).leaderAndEpoch
  await cluster.run(500)
  cluster.world.clock.shiftWall(86_400_000)
  await cluster.run(3000)
  cluster.world.clock.shiftWall(-2 * 86_400_000)
  await cluster.run(3000)
  expect(cluster.node(leader.id).leaderAndEpoch).toEqual(before)
  await proposed(cluster, leader, 'a')
})

test('a leader whose disk fails makes way for another', async () => {
  const cluster = new RaftCluster({ seed: 18, voters: [1, 2, 3] })
  const leader = await elected(cluster)
  await proposed(cluster, leader, 'a')
  await cluster.run(500)
  leader.machine.disk.fault = (operation) => (operation === 'sync' ? 'EIO' : undefined)
  const lost = cluster
    .node(leader.id)
    .propose(values('b'))
    .catch((error: unknown) => error)
  const next = await cluster.untilLeader(1000, leader.id)
  expect(await lost).toMatchObject({ code: 'NOT_CONTROLLER' })
  expect(heard(next)[0]).toBe('a')
})
