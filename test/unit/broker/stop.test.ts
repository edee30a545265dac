import { expect, test } from '@jest/globals'
import { ApiKey } from '../../../broker/protocol/api-key.ts'
import { TestCluster } from './bed.ts'

const MARKER = '/data/.kafka_cleanshutdown'
const STEP_MS = 5

test('a node that is stopped again while it stops has stopped in order, for whoever asked', async () => {
  const cluster = new TestCluster(['broker,controller'])
  await cluster.start()
  const [node] = cluster.nodes
  if (node?.broker === undefined) throw new Error('no broker')
  const { machine, broker } = node
  machine.disk.syncMsMax = 20
  const ends: boolean[] = []
  const stop = (): void => void broker[Symbol.asyncDispose]().then(() => ends.push(machine.disk.exists(MARKER)))
  for (let waited = 0; ends.length === 0 && waited < 60_000; waited += STEP_MS) {
    stop()
    await cluster.world.clock.run(STEP_MS)
  }
  expect(new Set(ends)).toEqual(new Set([true]))
})

test('a controller whose disk is full leaves no connection open, which would keep its process', async () => {
  const cluster = new TestCluster(['controller', 'controller', 'controller'])
  await cluster.start()
  await cluster.world.clock.run(5000)
  const node = cluster.nodes[0]
  if (node?.broker === undefined) throw new Error('no controller')
  const { machine, broker } = node
  machine.disk.fault = (operation) => (operation === 'write' ? 'ENOSPC' : undefined)
  const stopping = broker[Symbol.asyncDispose]()
  await expect(cluster.world.clock.runFor(stopping, 60_000)).rejects.toThrow('has failed')
  await cluster.world.clock.run(1000)
  expect(machine.openConnections).toBe(0)
  machine.kill()
  await cluster.stop()
})

test('a node whose metadata log has failed finds no controller any more, and does not wait for one', async () => {
  const cluster = new TestCluster(['broker,controller', 'broker,controller', 'broker,controller'])
  await cluster.start()
  const { clock } = cluster.world
  await clock.run(1000)
  const [node, other] = cluster.nodes
  if (node?.broker === undefined) throw new Error('no broker')
  const { machine, broker } = node
  let failedMs = NaN
  let stoppedMs = NaN
  broker.onFailed(() => {
    failedMs = clock.monotonicMs()
    const stopped = (): void => void (stoppedMs = clock.monotonicMs())
    broker[Symbol.asyncDispose]().then(stopped, stopped)
  })
  machine.disk.fault = (operation) => (operation === 'write' ? 'EIO' : undefined)
  const topic = { name: 't', numPartitions: 1, replicationFactor: 3, assignments: [], configs: [] }
  await cluster.ask(other, ApiKey.CreateTopics, { topics: [topic], timeoutMs: 5000 })
  await clock.run(15_000)
  expect(stoppedMs - failedMs).toBeLessThan(500)
  machine.kill()
  await cluster.stop()
})
