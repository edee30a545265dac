import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import { METADATA_TOPIC_ID } from '../../../broker/lib/uuid.ts'
import { ApiKey } from '../../../broker/protocol/api-key.ts'
import { APIS, type ResponseInputOf, type ResponseOf } from '../../../broker/protocol/apis.ts'
import { ErrorCode } from '../../../broker/protocol/errors.ts'
import type { RaftNode } from '../../../broker/raft/raft-node.ts'
import type { RaftTransport } from '../../../broker/raft/raft-types.ts'
import { encodeSnapshot, snapshotName } from '../../../broker/raft/snapshot-file.ts'
import { MemoryLogger } from '../../fakes/logger.ts'
import { batchOf } from '../storage/fixture.ts'
import { decoded } from './cluster.ts'
import { DIRECTORY_ID, METADATA_DIR, RAFT_DEFAULTS, RaftBench, values } from './harness.ts'

async function proposed(bench: RaftBench, node: RaftNode, ...names: readonly string[]): Promise<number> {
  const committed = node.propose(values(...names))
  await bench.run()
  return committed
}

test('the first start makes an epoch of its own and tells of it before anything is proposed', async () => {
  const bench = new RaftBench(1)
  const { node, recorder } = await bench.open()
  expect(recorder.heard).toEqual(['0: control', 'leader 1 in epoch 1'])
  expect(node.leaderAndEpoch).toEqual({ leaderId: 1, epoch: 1 })
})

test('what is proposed is heard before the proposal resolves, in the order of the log', async () => {
  const bench = new RaftBench(2)
  const { node, recorder } = await bench.open()
  const done: string[] = []
  const first = node.propose(values('a', 'b')).then((offset) => done.push(`${recorder.heard.at(-1)} at ${offset}`))
  const second = node.propose(values('c')).then((offset) => done.push(`${recorder.heard.at(-1)} at ${offset}`))
  await bench.run()
  await Promise.all([first, second])
  expect(recorder.heard.slice(2)).toEqual(['1: a,b', '3: c'])
  expect(done).toEqual(['3: c at 2', '3: c at 3'])
})

test('nothing counts before it is synced', async () => {
  const bench = new RaftBench(3)
  const { node, recorder } = await bench.open()
  const heard = recorder.heard.length
  void node.propose(values('a'))
  expect(recorder.heard.length).toBe(heard)
  expect(node.highWatermark).toBe(1)
  await bench.run()
  expect(node.highWatermark).toBe(2)
})

test('proposals of one tick share a sync', async () => {
  const bench = new RaftBench(4)
  const { node } = await bench.open()
  const before = bench.machine.disk.counts.sync
  const all = Array.from({ length: 50 }, (_, index) => node.propose(values(`r${index}`)))
  await bench.run()
  await Promise.all(all)
  expect(bench.machine.disk.counts.sync - before).toBeLessThanOrEqual(2)
})

test('a restart hears everything again, in a new epoch', async () => {
  const bench = new RaftBench(5)
  const first = await bench.open()
  await proposed(bench, first.node, 'a')
  const { recorder } = await bench.reopen('killed')
  expect(recorder.heard).toEqual(['0: control', '1: a', '2: control', 'leader 1 in epoch 2'])
})

test('a proposal that is not committed when the node stops is rejected', async () => {
  const bench = new RaftBench(6)
  const { node } = await bench.open()
  const outcome = node.propose(values('a')).catch((error: unknown) => error)
  await node.close()
  expect(await outcome).toMatchObject({ code: 'NOT_CONTROLLER' })
  await expect(node.propose(values('b'))).rejects.toMatchObject({ code: 'NOT_CONTROLLER' })
})

test('a disk that fails ends the leadership', async () => {
  const bench = new RaftBench(7)
  const { node, recorder } = await bench.open()
  bench.machine.disk.fault = (operation) => (operation === 'sync' ? 'EIO' : undefined)
  const outcome = node.propose(values('a')).catch((error: unknown) => error)
  await bench.run()
  expect(await outcome).toMatchObject({ code: 'NOT_CONTROLLER' })
  expect(recorder.heard.at(-1)).toBe('leader -1 in epoch 1')
})

test('a restart begins with the newest snapshot and goes on in the log', async () => {
  const bench = new RaftBench(8)
  const { node } = await bench.open()
  await proposed(bench, node, 'a', 'b')
  await node.createSnapshot({ endOffset: 3, epoch: 1 }, 7, values('ab'))
  await proposed(bench, node, 'c')
  const { recorder } = await bench.reopen('power lost')
  expect(recorder.heard).toEqual(['snapshot 3: ab', '3: c', '4: control', 'leader 1 in epoch 2'])
})

test('a snapshot that was being written at a crash is gone', async () => {
  const bench = new RaftBench(9)
  const { node } = await bench.open()
  await proposed(bench, node, 'a')
  bench.env.disk.replaceFile(`${METADATA_DIR}/00000000000000000002-0000000001.checkpoint.part`, new Uint8Array(9))
  const { recorder } = await bench.reopen('killed')
  expect(recorder.heard[0]).toBe('0: control')
  expect(bench.env.disk.list(METADATA_DIR).some(({ name }) => name.endsWith('.part'))).toBe(false)
})

test('old snapshots and the log before the oldest kept one go', async () => {
  const bench = new RaftBench(10, { segmentBytes: 400, retention: { maxBytes: 1500, maxAgeMs: -1 } })
  const { node } = await bench.open()
  for (let round = 0; round < 30; round++) {
    const offset = await proposed(bench, node, `record ${round}`.padEnd(60))
    if (round % 5 === 4) await node.createSnapshot({ endOffset: offset + 1, epoch: 1 }, 0, values(`up to ${round}`))
  }
  await bench.run(120_000)
  const names = bench.env.disk.list(METADATA_DIR).map(({ name }) => name)
  expect(names.filter((name) => name.endsWith('.checkpoint')).length).toBeLessThan(6)
  expect(names).not.toContain('00000000000000000000.log')
  const { recorder } = await bench.reopen('killed')
  expect(recorder.heard[0]).toBe('snapshot 31: up to 29')
})

test('a snapshot behind the end of the log takes its place', async () => {
  const bench = new RaftBench(11)
  const { node } = await bench.open()
  await proposed(bench, node, 'a', 'b')
  await node.createSnapshot({ endOffset: 3, epoch: 1 }, 7, values('ab'))
  await node.close()
  for (const { name } of bench.env.disk.list(METADATA_DIR)) {
    if (name.endsWith('.log')) bench.env.disk.remove(`${METADATA_DIR}/${name}`)
  }
  const { node: again, recorder } = await bench.reopen('killed')
  expect(recorder.heard).toEqual(['snapshot 3: ab', '3: control', 'leader 1 in epoch 2'])
  expect(again.nextOffset).toBe(4)
})

test('a controller that moved tells its new endpoint, once', async () => {
  const bench = new RaftBench(13, { staticVoters: [] })
  const voters = [{ id: 1, directoryId: DIRECTORY_ID, endpoints: bench.options.endpoints }]
  const id = { endOffset: 0, epoch: 0 }
  const snapshot = { id, lastContainedLogTimestampMs: 0, kraftVersion: 1, voters, records: [] }
  bench.env.disk.makeDirectory(METADATA_DIR)
  bench.env.disk.syncDirectory('/data')
  bench.env.disk.replaceFile(`${METADATA_DIR}/${snapshotName(id)}`, Buffer.concat(encodeSnapshot(snapshot, 0)))
  const { node } = await bench.open()
  // LeaderChange, kraft.version, and the voters that the format command left in the snapshot at 0.
  expect(node.nextOffset).toBe(3)
  const moved = { ...bench.options, endpoints: [{ name: 'CONTROLLER', host: 'elsewhere', port: 9093 }] }
  const second = new RaftBench(14, moved)
  second.env = bench.env
  await node.close()
  const again = await second.open()
  await bench.run()
  expect(again.node.nextOffset).toBe(5)
  await again.node.close()
  const third = await second.open()
  await bench.run()
  expect(third.node.nextOffset).toBe(6)
  expect(third.node.quorumInfo().voters[0]?.endpoints[0]?.host).toBe('elsewhere')
})

test.each([
  ['records that are damaged', { records: new Uint8Array(100) }],
  ['what a later leader has written', { records: batchOf({ baseOffset: 100, leaderEpoch: 8 }) }],
  ['a snapshot that it does not give', { snapshotId: { endOffset: 50n, epoch: 3 } }],
])('a leader that sends %s is not asked again without a pause', async (_, sent) => {
  const bench = new RaftBench(15)
  const asked: number[] = []
  const { node } = await bench.open({
    request: (_to, key) => {
      asked.push(bench.world.clock.monotonicMs())
      if (key !== ApiKey.Fetch) return Promise.reject(new Error('no answer'))
      const currentLeader = { leaderId: 2, leaderEpoch: 7 }
      const partition = { partitionIndex: 0, errorCode: 0, highWatermark: 9n, currentLeader, records: null, ...sent }
      const topic = { topic: '__cluster_metadata', topicId: METADATA_TOPIC_ID, partitions: [partition] }
      const { response } = APIS[key]
      // Over the wire, for what is left out.
      return new Promise((resolve) => {
        const body = decoded<ResponseOf<typeof key>, ResponseInputOf<typeof key>>(response, { responses: [topic] })
        bench.world.clock.setTimer(1, () => resolve(body))
      })
    },
  })
  const { nextOffset } = node
  const partition = { partitionIndex: 0, voterDirectoryId: DIRECTORY_ID, leaderId: 2, leaderEpoch: 7 }
  node.beginQuorumEpoch({
    clusterId: RAFT_DEFAULTS.clusterId,
    voterId: 1,
    topics: [{ topicName: '__cluster_metadata', partitions: [partition] }],
    leaderEndpoints: [{ name: 'CONTROLLER', host: 'node2', port: 9093 }],
  })
  await bench.run(1000)
  expect(node.role).toBe('follower')
  expect(node.nextOffset).toBe(nextOffset)
  expect(asked.length).toBeGreaterThan(2)
  expect(asked.length).toBeLessThan(40)
})

test('a node that was formatted for another cluster says so, once', async () => {
  let asked = 0
  const transport: RaftTransport = {
    request: (_to, key) => {
      asked++
      const { response } = APIS[key]
      const answer = { errorCode: ErrorCode.INCONSISTENT_CLUSTER_ID } as ResponseInputOf<typeof key>
      return Promise.resolve(decoded<ResponseOf<typeof key>, ResponseInputOf<typeof key>>(response, answer))
    },
  }
  const options = { isController: false, staticVoters: [], bootstrapServers: [{ host: 'elsewhere', port: 9093 }] }
  const bench = new RaftBench(1, options)
  const logger = new MemoryLogger()
  await bench.open(transport, logger)
  await bench.run(5000)
  expect(asked).toBeGreaterThan(10)
  expect(logger.messages('warn')).toEqual(['A controller that this node asks belongs to another cluster'])
})

test('a leader that does not answer is asked every other time, and nobody else in its place', async () => {
  const bootstrapServers = ['leader', 'other'].map((host) => ({ host, port: 9093 }))
  const bench = new RaftBench(16, { isController: false, staticVoters: [], bootstrapServers })
  const asked: string[] = []
  await bench.open({
    request: (to, key, _body, timeoutMs) => {
      asked.push(to.host)
      const { response } = APIS[key]
      const partition = { partitionIndex: 0, currentLeader: { leaderId: 2, leaderEpoch: 7 }, records: null }
      const topic = { topic: '__cluster_metadata', topicId: METADATA_TOPIC_ID, partitions: [partition] }
      const nodeEndpoints = [{ nodeId: 2, host: 'leader', port: 9093 }]
      const answer = { responses: [topic], nodeEndpoints } as ResponseInputOf<typeof key>
      return new Promise((resolve, reject) => {
        if (to.host === 'leader') bench.world.clock.setTimer(timeoutMs, () => reject(new Error('no answer')))
        else resolve(decoded<ResponseOf<typeof key>, ResponseInputOf<typeof key>>(response, answer))
      })
    },
  })
  await bench.run(60_000)
  const known = asked.slice(asked.indexOf('other') + 1)
  expect(known.length).toBeGreaterThan(20)
  expect(known.filter((host, index) => host === known[index + 1])).toEqual([])
})

test('a node that is no voter is refused', async () => {
  const bench = new RaftBench(12, { staticVoters: [] })
  await expect(bench.open()).rejects.toMatchObject({ code: 'INVALID_QUORUM' })
})

test('whatever crash: what was committed is heard again, whole batches only, in order', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 1_000_000 }),
      fc.array(fc.integer({ min: 1, max: 8 }), { minLength: 1, maxLength: 12 }),
      fc.constantFrom('killed' as const, 'power lost' as const),
      async (seed, sizes, how) => {
        const bench = new RaftBench(seed)
        let { node } = await bench.open()
        const committed: string[] = []
        for (const [index, size] of sizes.entries()) {
          const names = Array.from({ length: size }, (_, i) => `${index}.${i}`)
          const isLast = index === sizes.length - 1
          const proposal = node.propose(values(...names))
          proposal.then(
            () => committed.push(names.join(',')),
            () => {},
          )
          if (!isLast) await bench.run()
        }
        const { recorder, node: after } = await bench.reopen(how)
        const heard = recorder.heard
          .filter((line) => !line.endsWith('control') && !line.startsWith('leader'))
          .map((line) => line.slice(line.indexOf(' ') + 1))
        expect(heard.slice(0, committed.length)).toEqual(committed)
        const whole = sizes.map((size, index) => Array.from({ length: size }, (_, i) => `${index}.${i}`).join(','))
        expect(heard).toEqual(whole.slice(0, heard.length))
        node = after
        await node.close()
      },
    ),
    { numRuns: 40 },
  )
})
