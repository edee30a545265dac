/**
 * `node test/scale/topics.ts [TOPICS]`: what 10,000 KafkaTopics cost the operator, with a real broker and an API server in memory. They are there before
 * it starts.
 */
import { EVENT, KAFKA_CLUSTER, KAFKA_TOPIC } from '../../operator/api/resource.ts'
import { kafkaCluster, kafkaTopic } from '../fakes/operator.ts'
import { startOurs } from '../tools/ours.ts'
import { FakeApiServer } from './fake-api.ts'
import { allOf, isReady, MeasuredOperator, NAMESPACE } from './rig.ts'

const TOPICS = Number(process.argv[2] ?? 10_000)
const IDLE_RESYNCS = 4
const lastTransitionTime = '2026-01-01T00:00:00Z'
const READY = { type: 'Ready', status: 'True', reason: 'Ready', message: '', lastTransitionTime } as const

await using api = await FakeApiServer.start([EVENT, KAFKA_CLUSTER, KAFKA_TOPIC])
const topics = () => api.kube.all(KAFKA_TOPIC)
// The cluster is none of the operator's here: its status stays.
api.kube.put(KAFKA_CLUSTER, { ...kafkaCluster(), status: { conditions: [READY] } })
for (let index = 0; index < TOPICS; index++) {
  const name = `topic-${String(index).padStart(5, '0')}`
  api.kube.put(KAFKA_TOPIC, kafkaTopic({ config: { 'retention.ms': '3600000' } }, name, NAMESPACE))
}
const broker = await startOurs()
try {
  await using operator = new MeasuredOperator({ server: api.url, account: null, broker: broker.bootstrap })
  await operator.measure(`${TOPICS} topics made and Ready`, () => allOf('topics Ready', topics(), TOPICS, isReady))
  await operator.idle(IDLE_RESYNCS)
  for (const { metadata } of topics()) api.kube.remove(KAFKA_TOPIC, NAMESPACE, metadata.name)
  await operator.measure('all of them deleted', () => allOf('topics', topics(), 0, isReady))
} finally {
  await broker.stop()
}
