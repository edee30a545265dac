import { describe, expect, test } from '@jest/globals'
import type { RaftOptions } from '../../../broker/raft/raft-types.ts'
import type { DiskOperation, SimDisk } from '../../fakes/disk.ts'
import { RaftCluster } from './cluster.ts'
import { METADATA_DIR, RaftBench, values } from './harness.ts'

/** From here on these operations on paths that end so find too many files open. */
function shortOfFiles(disk: SimDisk, operation: DiskOperation, ending: string): () => void {
  disk.fault = (asked, path) => (asked === operation && path.endsWith(ending) ? 'EMFILE' : undefined)
  return () => {
    disk.fault = undefined
  }
}

describe('too many open files', () => {
  test('put the first election off', async () => {
    const bench = new RaftBench(1)
    const over = shortOfFiles(bench.machine.disk, 'open', 'quorum-state.tmp')
    const { node } = await bench.open()
    await bench.run(1000)
    expect(node.leaderAndEpoch).toEqual({ leaderId: -1, epoch: 0 })
    over()
    await bench.run(1000)
    expect(node.leaderAndEpoch).toEqual({ leaderId: 1, epoch: 1 })
  })

  test.each(['open', 'sync'] as const)('put the next election off, where %s fails', async (operation) => {
    const bench = new RaftBench(2)
    const { node } = await bench.open()
    const over = shortOfFiles(bench.machine.disk, operation, 'quorum-state.tmp')
    await node.resign()
    await bench.run(5000)
    expect(node.role).toBe('resigned')
    over()
    await bench.run(5000)
    expect([node.role, node.leaderAndEpoch.epoch > 1]).toEqual(['leader', true])
  })

  test('do not keep who has no file for it busy', async () => {
    const bench = new RaftBench(3)
    const { node } = await bench.open()
    shortOfFiles(bench.machine.disk, 'open', 'quorum-state.tmp')
    await node.resign()
    await bench.run(5000)
    const before = bench.machine.disk.counts.open
    await bench.run(1000)
    expect(bench.machine.disk.counts.open - before).toBeLessThanOrEqual(10)
  })

  test('have a leader resign that cannot write the first record of its epoch', async () => {
    const bench = new RaftBench(4, { segmentBytes: 100 })
    const { node } = await bench.open()
    const over = shortOfFiles(bench.machine.disk, 'open', '.log')
    await node.resign()
    await bench.run(5000)
    await expect(node.propose(values('a'))).rejects.toMatchObject({ code: 'NOT_CONTROLLER' })
    over()
    await bench.run(5000)
    expect(node.role).toBe('leader')
    const committed = node.propose(values('a'))
    await bench.run()
    expect(await committed).toBe(2)
  })

  test('make the listeners wait for what is read', async () => {
    const bench = new RaftBench(5)
    const { node } = await bench.open()
    const committed = node.propose(values('a'))
    await bench.run()
    await committed
    const { disk } = bench.machine
    let isElected = false
    disk.fault = (operation, path) => {
      isElected ||= path.endsWith('quorum-state.tmp')
      return isElected && operation === 'read' ? 'EMFILE' : undefined
    }
    const { node: next, recorder } = await bench.reopen('killed')
    await bench.run(1000)
    expect([next.role, recorder.heard]).toEqual(['leader', []])
    disk.fault = undefined
    await bench.run(1000)
    expect(recorder.heard).toEqual(['0: control', '1: a', '2: control', 'leader 1 in epoch 2'])
  })
})

describe('in a quorum of three', () => {
  async function quorum(seed: number, options: Partial<RaftOptions> = {}) {
    const cluster = new RaftCluster({ seed, voters: [1, 2, 3], options })
    await cluster.start()
    const leader = await cluster.untilLeader()
    const [follower, other] = [...cluster.members.values()].filter(({ id }) => id !== leader.id)
    if (follower === undefined || other === undefined) throw new Error('there are three')
    return { cluster, leader, follower, other }
  }

  test('a voter that cannot write its vote gives none, and does later', async () => {
    const { cluster, leader, follower, other } = await quorum(5)
    const over = shortOfFiles(follower.machine.disk, 'open', 'quorum-state.tmp')
    const { epoch } = cluster.node(follower.id).leaderAndEpoch
    cluster.kill(leader.id)
    await cluster.run(10_000)
    expect(cluster.node(follower.id).leaderAndEpoch.epoch).toBe(epoch)
    expect(cluster.node(other.id).role).not.toBe('leader')
    over()
    const next = await cluster.untilLeader(20_000, leader.id)
    expect(cluster.node(next.id).leaderAndEpoch.epoch).toBeGreaterThan(epoch)
  })

  test('a follower that cannot sync tells nobody of the records, and does later', async () => {
    const { cluster, leader, follower, other } = await quorum(6)
    cluster.kill(other.id)
    const over = shortOfFiles(follower.machine.disk, 'sync', '.log')
    const node = cluster.node(leader.id)
    const committed = node.propose(values('a'))
    const before = node.highWatermark
    await cluster.run(1000)
    expect(node.highWatermark).toBe(before)
    over()
    await cluster.run(1000)
    expect(await committed).toBe(before)
    expect(cluster.node(follower.id).role).toBe('follower')
  })

  test('a follower loads a snapshot though it cannot sync the directory once its log is emptied', async () => {
    const retention = { maxBytes: 1500, maxAgeMs: -1 }
    const { cluster, leader, follower } = await quorum(7, { segmentBytes: 400, retention })
    await cluster.run(1000)
    const node = cluster.node(leader.id)
    const { epoch } = node.leaderAndEpoch
    const snapshot = async (id: number, name: string): Promise<void> => {
      const { highWatermark: endOffset } = cluster.node(id)
      await cluster.world.clock.runFor(cluster.node(id).createSnapshot({ endOffset, epoch }, 0, values(name)))
    }
    await snapshot(follower.id, 'before')
    cluster.kill(follower.id)
    for (let round = 0; round < 30; round++) {
      await cluster.world.clock.runFor(node.propose(values(`record ${round}`.padEnd(60))))
      if (round % 5 === 4) await snapshot(leader.id, `up to ${round}`)
    }
    await cluster.run(120_000)
    const { disk } = follower.machine
    let refused = 0
    await cluster.start(follower.id)
    disk.fault = (operation, path) => {
      if (operation !== 'sync' || path !== METADATA_DIR) return undefined
      const isEmptied = disk.files(METADATA_DIR).some((file) => file.path.endsWith('.log.deleted'))
      if (isEmptied) refused++
      return isEmptied ? 'EMFILE' : undefined
    }
    await cluster.run(3000)
    disk.fault = undefined
    expect(refused).toBeGreaterThan(0)
    await cluster.world.clock.runFor(node.propose(values('more')))
    await cluster.run(1000)
    expect(cluster.node(follower.id).role).toBe('follower')
    const { heard } = follower.recorder
    expect(heard.filter((line) => line.startsWith('snapshot')).at(-1)).toMatch(/up to 29$/)
    expect(heard.at(-1)).toMatch(/more$/)
  })
})
