import { expect, test } from '@jest/globals'
import { ResourceType } from '../../../broker/metadata/image.ts'
import { ApiKey } from '../../../broker/protocol/api-key.ts'
import { ErrorCode } from '../../../broker/protocol/errors.ts'
import { batchOf } from '../storage/fixture.ts'
import { TestCluster } from './bed.ts'

const KEY = 'producer.id.expiration.ms'
const DAY_MS = 86_400_000
/** Apache Kafka looks for producers to forget every ten minutes. */
const LOOKED_MS = 11 * 60_000

/** One node, to which a producer wrote just now; what is set is set for all brokers while it runs. */
async function withProducer(properties: Readonly<Record<string, string>>, expirationMs: number): Promise<TestCluster> {
  const cluster = new TestCluster(['broker,controller'], properties)
  await cluster.start()
  const [node] = cluster.nodes
  const topics = [{ name: 't', numPartitions: 1, replicationFactor: 1 }]
  const created = await cluster.ask(node, ApiKey.CreateTopics, { topics, timeoutMs: 5000 })
  const records = [
    batchOf({ producerId: 7, producerEpoch: 0, baseSequence: 0, baseTimestampMs: cluster.world.clock.wallMs() }),
  ]
  const topicData = [{ topicId: created?.topics[0]?.topicId ?? '', name: 't', partitionData: [{ index: 0, records }] }]
  const produced = await cluster.ask(node, ApiKey.Produce, { acks: -1, timeoutMs: 5000, topicData })
  expect(produced?.responses[0]?.partitionResponses[0]?.errorCode).toBe(ErrorCode.NONE)
  const configs = [{ name: KEY, configOperation: 0, value: String(expirationMs) }]
  const resources = [{ resourceType: ResourceType.BROKER, resourceName: '', configs }]
  await cluster.ask(node, ApiKey.IncrementalAlterConfigs, { resources, validateOnly: false })
  return cluster
}

async function producers(cluster: TestCluster): Promise<number | undefined> {
  const topics = [{ name: 't', partitionIndexes: [0] }]
  const answer = await cluster.ask(cluster.nodes[0], ApiKey.DescribeProducers, { topics })
  return answer?.topics[0]?.partitions[0]?.activeProducers.length
}

test('a producer that writes nothing is forgotten as is set while the broker runs', async () => {
  const cluster = await withProducer({}, 1000)
  expect(await producers(cluster)).toBe(1)
  await cluster.world.clock.run(LOOKED_MS)
  expect(await producers(cluster)).toBe(0)
  await cluster.stop()
})

test('a broker that starts again forgets no producer before it knows what is set', async () => {
  const cluster = await withProducer({ [KEY]: '1000' }, DAY_MS)
  await cluster.stop()
  await cluster.world.clock.run(5000)
  await cluster.start()
  await cluster.world.clock.run(LOOKED_MS)
  expect(await producers(cluster)).toBe(1)
  await cluster.stop()
})
