import { expect, test } from '@jest/globals'
import { Peer } from '../../../broker/client/peer.ts'
import { ApiKey } from '../../../broker/protocol/api-key.ts'
import { ErrorCode } from '../../../broker/protocol/errors.ts'
import { buildBatch } from '../../../broker/records/build.ts'
import { TestCluster } from './bed.ts'

const COMBINED = ['broker,controller', 'broker,controller', 'broker,controller']
const SEPARATE = ['controller', 'controller', 'controller', 'broker', 'broker', 'broker']

const CREATE = {
  topics: [{ name: 't', numPartitions: 1, replicationFactor: 3, assignments: [], configs: [] }],
  timeoutMs: 5000,
}

function record(topicId: string, value: string) {
  const records = buildBatch({
    records: [{ key: null, value: new TextEncoder().encode(value) }],
    baseTimestampMs: 1_000_000_000_000,
  })
  return {
    acks: -1,
    timeoutMs: 5000,
    topicData: [{ name: 't', topicId, partitionData: [{ index: 0, records }] }],
  }
}

/** Creates the topic `t` with three replicas, in sync; gives its id. */
async function createTopic(cluster: TestCluster): Promise<string> {
  const node = cluster.nodes.find(({ roles }) => roles.includes('broker'))
  const created = await cluster.ask(node, ApiKey.CreateTopics, CREATE)
  expect(created?.topics).toMatchObject([{ errorCode: ErrorCode.NONE }])
  await cluster.until(
    ApiKey.Metadata,
    () => ({ topics: [{ name: 't' }] }),
    ({ topics }) => topics[0]?.partitions[0]?.isrNodes.length === 3,
  )
  return created?.topics[0]?.topicId ?? ''
}

async function leaderOf(cluster: TestCluster) {
  let found = -1
  await cluster.until(
    ApiKey.Metadata,
    () => ({ topics: [{ name: 't' }] }),
    ({ topics }) => {
      found = topics[0]?.partitions[0]?.leaderId ?? -1
      return found >= 0
    },
  )
  return cluster.nodes.find(({ id }) => id === found)
}

test.each([
  ['three nodes of both roles', COMBINED, {}],
  ['three controllers and three brokers', SEPARATE, {}],
  [
    'three nodes that are bound to every interface',
    COMBINED,
    { listeners: 'PLAINTEXT://:9092,CONTROLLER://0.0.0.0:9093' },
  ],
])('%s elect, create a topic, replicate it, and fail over when its leader dies', async (_what, roles, properties) => {
  const cluster = new TestCluster(roles, properties)
  await cluster.start()
  const topicId = await createTopic(cluster)
  const leader = await leaderOf(cluster)
  const before = await cluster.ask(leader, ApiKey.Produce, record(topicId, 'before'))
  expect(before?.responses[0]?.partitionResponses[0]).toMatchObject({ errorCode: ErrorCode.NONE, baseOffset: 0n })
  leader?.machine.kill()
  const tookMs = await cluster.until(
    ApiKey.Produce,
    () => record(topicId, 'behind'),
    ({ responses }) => responses[0]?.partitionResponses[0]?.errorCode === ErrorCode.NONE,
  )
  expect(tookMs).toBeLessThan(3000)
  await cluster.stop()
})

test('a node that stops hands over what it leads before it is gone, and waits for no interval of the others', async () => {
  const cluster = new TestCluster(COMBINED)
  await cluster.start()
  const topicId = await createTopic(cluster)
  const leader = await leaderOf(cluster)
  const beganMs = cluster.world.clock.monotonicMs()
  await cluster.world.clock.runFor(Promise.resolve(leader?.broker?.[Symbol.asyncDispose]()), 60_000)
  expect(cluster.world.clock.monotonicMs() - beganMs).toBeLessThan(1500)
  leader?.machine.kill()
  const next = await leaderOf(cluster)
  expect(next?.id).not.toBe(leader?.id)
  const answer = await cluster.ask(next, ApiKey.Produce, record(topicId, 'after'))
  expect(answer?.responses[0]?.partitionResponses[0]?.errorCode).toBe(ErrorCode.NONE)
  await cluster.stop()
})

test('a broker that stops is there for a while to tell whoever comes for what it led that another leads', async () => {
  const cluster = new TestCluster(SEPARATE)
  await cluster.start()
  const topicId = await createTopic(cluster)
  const leader = await leaderOf(cluster)
  const stopped = leader?.broker?.[Symbol.asyncDispose]()
  await cluster.world.clock.run(800)
  const answer = await cluster.ask(leader, ApiKey.Produce, record(topicId, 'late'))
  expect(answer?.responses[0]?.partitionResponses[0]?.errorCode).toBe(ErrorCode.NOT_LEADER_OR_FOLLOWER)
  const known = await cluster.ask(leader, ApiKey.Metadata, { topics: [{ name: 't' }] })
  expect(known?.brokers.map(({ nodeId }) => nodeId)).toContain(leader?.id)
  expect(known?.topics[0]?.partitions[0]?.leaderId).not.toBe(leader?.id)
  await cluster.world.clock.runFor(Promise.resolve(stopped), 60_000)
  await cluster.stop()
})

test('a broker that is the only one does not stay when it stops', async () => {
  const cluster = new TestCluster(['controller', 'broker'], { 'default.replication.factor': '1' })
  await cluster.start()
  const [, broker] = cluster.nodes
  const created = await cluster.ask(broker, ApiKey.CreateTopics, {
    ...CREATE,
    topics: [{ name: 't', numPartitions: 1, replicationFactor: 1, assignments: [], configs: [] }],
  })
  expect(created?.topics).toMatchObject([{ errorCode: ErrorCode.NONE }])
  await leaderOf(cluster)
  const beganMs = cluster.world.clock.monotonicMs()
  await cluster.world.clock.runFor(Promise.resolve(broker?.broker?.[Symbol.asyncDispose]()), 60_000)
  expect(cluster.world.clock.monotonicMs() - beganMs).toBeLessThan(500)
  await cluster.stop()
})

test.each([
  ['of both roles', COMBINED],
  ['of one role each', SEPARATE],
])('a whole cluster of nodes %s that stops at once does so soon, and serves again when it starts', async (_, roles) => {
  const cluster = new TestCluster(roles)
  await cluster.start()
  const topicId = await createTopic(cluster)
  await cluster.ask(await leaderOf(cluster), ApiKey.Produce, record(topicId, 'before'))
  const beganMs = cluster.world.clock.monotonicMs()
  await cluster.stop()
  expect(cluster.world.clock.monotonicMs() - beganMs).toBeLessThan(1500)
  await cluster.start()
  const answer = await cluster.ask(await leaderOf(cluster), ApiKey.Produce, record(topicId, 'behind'))
  expect(answer?.responses[0]?.partitionResponses[0]).toMatchObject({ errorCode: ErrorCode.NONE, baseOffset: 1n })
  await cluster.stop()
})

test('a broker that stops while the controller has no power is let go by it when it is back', async () => {
  const cluster = new TestCluster(['controller', 'broker'], { 'broker.session.timeout.ms': '2000' })
  await cluster.start()
  const [controller, broker] = cluster.nodes
  if (controller === undefined) throw new Error('a controller')
  controller.machine.losePower()
  const stopped = broker?.broker?.[Symbol.asyncDispose]()
  // A handshake that is lost is sent again after one second, then after two, then after four.
  await cluster.world.clock.run(4200)
  await cluster.start([controller])
  await cluster.world.clock.runFor(Promise.resolve(stopped), 60_000)
  expect(broker?.logger.messages('warn')).toEqual(['the controller is not reached; trying again'])
  await cluster.stop()
})

test('a topic that was deleted and made again while a broker was down is replicated there when it is back', async () => {
  const cluster = new TestCluster(SEPARATE)
  await cluster.start()
  const before = await createTopic(cluster)
  await cluster.ask(await leaderOf(cluster), ApiKey.Produce, record(before, 'before'))
  const [, , , one, two, three] = cluster.nodes
  three?.machine.kill()
  const topics = [{ name: null, topicId: before }]
  const deleted = await cluster.ask(one, ApiKey.DeleteTopics, { topics, topicNames: [], timeoutMs: 5000 })
  expect(deleted?.responses).toMatchObject([{ errorCode: ErrorCode.NONE }])
  await cluster.world.clock.run(20_000)
  const created = await cluster.ask(two, ApiKey.CreateTopics, CREATE)
  expect(created?.topics).toMatchObject([{ errorCode: ErrorCode.NONE }])
  if (three !== undefined) await cluster.start([three])
  await cluster.until(
    ApiKey.Metadata,
    () => ({ topics: [{ name: 't' }] }),
    ({ topics: [topic] }) => topic?.topicId !== before && topic?.partitions[0]?.isrNodes.length === 3,
  )
  await cluster.stop()
})

test('a replica that moved elsewhere while its broker was down is set aside when it is back', async () => {
  const cluster = new TestCluster(SEPARATE)
  await cluster.start()
  await createTopic(cluster)
  const [, , , one, two, three] = cluster.nodes
  three?.machine.kill()
  const replicas = [one?.id ?? 0, two?.id ?? 0]
  const topics = [{ name: 't', partitions: [{ partitionIndex: 0, replicas }] }]
  const moved = await cluster.ask(one, ApiKey.AlterPartitionReassignments, { topics, timeoutMs: 5000 })
  expect(moved?.responses).toMatchObject([{ partitions: [{ errorCode: ErrorCode.NONE }] }])
  await cluster.until(
    ApiKey.Metadata,
    () => ({ topics: [{ name: 't' }] }),
    ({ topics: [topic] }) => topic?.partitions[0]?.replicaNodes.length === 2,
  )
  if (three !== undefined) await cluster.start([three])
  const found = three?.machine.disk.list('/data').map(({ name }) => name)
  expect(found?.filter((name) => name.startsWith('t-'))).toEqual([expect.stringMatching(/^t-0\.[0-9a-f]{32}-stray$/)])
  await cluster.stop()
})

test('a broker whose log dirs are cordoned gets no new replicas until they are not any more', async () => {
  const cluster = new TestCluster(['broker,controller', 'broker'])
  await cluster.start()
  const [one, two] = cluster.nodes
  const cordon = (value: string) => {
    const configs = [{ name: 'cordoned.log.dirs', configOperation: 0, value }]
    const resources = [{ resourceType: 4, resourceName: String(two?.id), configs }]
    return cluster.ask(two, ApiKey.IncrementalAlterConfigs, { resources, validateOnly: false })
  }
  const create = async (name: string) => {
    const topics = CREATE.topics.map((topic) => ({ ...topic, name, replicationFactor: 2 }))
    return (await cluster.ask(one, ApiKey.CreateTopics, { ...CREATE, topics }))?.topics[0]
  }
  expect((await cordon('*'))?.responses[0]?.errorMessage).toBeNull()
  await cluster.world.clock.run(500)
  expect(await create('refused')).toMatchObject({
    errorCode: ErrorCode.INVALID_REPLICATION_FACTOR,
    errorMessage: expect.stringContaining('cordoned'),
  })
  await cordon('')
  await cluster.world.clock.run(500)
  expect(await create('made')).toMatchObject({ errorCode: ErrorCode.NONE })
  await cluster.stop()
})

test('a change that comes while the active controller is cut off is made by the next one', async () => {
  const cluster = new TestCluster(SEPARATE)
  await cluster.start()
  const { network } = cluster.world
  const active = cluster.nodes.find(({ logger }) =>
    logger.events.some(({ message }) => message === 'Became the active controller'),
  )
  expect(active).toBeDefined()
  for (const { id } of cluster.nodes) if (id !== active?.id) network.partition(`node-${active?.id}`, `node-${id}`)
  const created = await cluster.ask(cluster.nodes[3], ApiKey.CreateTopics, CREATE)
  expect(created?.topics).toMatchObject([{ errorCode: ErrorCode.NONE }])
  network.healAll()
  await cluster.stop()
})

test('brokers stay in the cluster when they restart one after the other, and when a controller does', async () => {
  const cluster = new TestCluster(SEPARATE)
  await cluster.start()
  const topicId = await createTopic(cluster)
  for (const node of cluster.nodes) {
    await cluster.world.clock.runFor(Promise.resolve(node.broker?.[Symbol.asyncDispose]()), 60_000)
    node.machine.kill()
    await cluster.start([node])
    const answer = await cluster.ask(await leaderOf(cluster), ApiKey.Produce, record(topicId, `behind ${node.id}`))
    expect(answer?.responses[0]?.partitionResponses[0]?.errorCode).toBe(ErrorCode.NONE)
  }
  await cluster.stop()
})

test('a broker that was cut off for long catches up with a snapshot, and lets go of what was deleted meanwhile', async () => {
  const cluster = new TestCluster(SEPARATE, {
    'metadata.log.max.record.bytes.between.snapshots': '1000',
    'metadata.max.retention.bytes': '2000',
    'metadata.log.segment.bytes': String(8 * 1024 * 1024),
    'log.index.size.max.bytes': '4096',
  })
  await cluster.start()
  await createTopic(cluster)
  const { network, clock } = cluster.world
  const [last, ...others] = cluster.nodes.toReversed()
  for (const { id } of others) network.partition(`node-${last?.id}`, `node-${id}`)
  await cluster.ask(cluster.nodes[3], ApiKey.DeleteTopics, { topics: [{ name: 't' }], timeoutMs: 1000 })
  for (let round = 0; round < 30; round++) {
    const topics = [{ name: `u${round}`, numPartitions: 3, replicationFactor: 1, assignments: [], configs: [] }]
    await cluster.ask(cluster.nodes[3], ApiKey.CreateTopics, { topics, timeoutMs: 1000 })
    await clock.run(200)
  }
  network.healAll()
  await cluster.until(
    ApiKey.Metadata,
    () => ({ topics: null }),
    ({ brokers, topics }) => brokers.length === 3 && topics.length === 30,
  )
  await clock.run(5000)
  const metadata = last?.machine.disk.list('/data/__cluster_metadata-0').map(({ name }) => name)
  expect(metadata).not.toContain('00000000000000000000.log')
  expect(last?.machine.disk.list('/data').map(({ name }) => name)).not.toContain('t-0')
  await cluster.stop()
})

test('limits on connections come into force while the broker runs', async () => {
  const cluster = new TestCluster(['broker,controller'], {
    listeners: 'PLAINTEXT://:9092,MORE://:9094,CONTROLLER://:9093',
    'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,MORE:PLAINTEXT,CONTROLLER:PLAINTEXT',
  })
  await cluster.start()
  const [node] = cluster.nodes
  const isServed = async () => (await cluster.ask(node, ApiKey.Metadata, { topics: [] }, 9094)) !== undefined
  const limit = async (name: string, value: string) => {
    const configs = [{ name, configOperation: 0, value }]
    const resources = [{ resourceType: 4, resourceName: '', configs }]
    await cluster.ask(node, ApiKey.IncrementalAlterConfigs, { resources, validateOnly: false }, 9093)
    await cluster.world.clock.run(500)
  }
  const holder = cluster.world.machine('holder').start()
  const timeouts = { connectTimeoutMs: 1000, requestTimeoutMs: 1000 }
  const held = new Peer({ address: { host: 'node-1', port: 9094 }, clientId: 'holder', ...timeouts }, holder)
  expect(await isServed()).toBe(true)
  for (const name of ['max.connections', 'listener.name.more.max.connections']) {
    // It makes way for the controller's client, which has to get in.
    await cluster.world.clock.runFor(held.request(ApiKey.Metadata, { topics: [] }), 1000)
    await limit(name, '1')
    expect([name, await isServed()]).toEqual([name, false])
    await limit(name, '10')
    expect([name, await isServed()]).toEqual([name, true])
  }
  held.close()
  await cluster.stop()
})

test('with controlled.shutdown.enable=false a broker that stops waits for nobody', async () => {
  const cluster = new TestCluster(['controller', 'broker', 'broker'], { 'controlled.shutdown.enable': 'false' })
  await cluster.start()
  const stopping = cluster.nodes[2]
  const beganMs = cluster.world.clock.monotonicMs()
  await cluster.world.clock.runFor(Promise.resolve(stopping?.broker?.[Symbol.asyncDispose]()), 60_000)
  expect(cluster.world.clock.monotonicMs() - beganMs).toBeLessThan(100)
  stopping?.machine.kill()
  await cluster.stop()
})
