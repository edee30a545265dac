/**
 * `node test/scale/topics.ts [TOPICS]`: what 10,000 KafkaTopics cost the operator, with a real broker and an API server in memory. They are there before
 * it starts.
 */
import { EVENT, KAFKA_CLUSTER, KAFKA_TOPIC } from '../../operator/api/resource.ts'
import { kafkaCluster, kafkaTopic } from '../fakes/operator.ts'
import { startOurs } from '../tools/ours.ts'
import { FakeApiServer } from './fake-api.ts'
import { isReady, MeasuredOperator, NAMESPACE, timed } from './rig.ts'

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
  await using operator = new MeasuredOperator(api.url, broker.bootstrap)
  await timed(`${TOPICS} topics made and Ready`, () => topics().every(isReady))
  operator.report()
  await operator.idle(IDLE_RESYNCS)
  for (const { metadata } of topics()) api.kube.remove(KAFKA_TOPIC, NAMESPACE, metadata.name)
  await timed('all of them deleted', () => topics().length === 0)
  operator.report()
} finally {
  await broker.stop()
}
