import { expect, test } from '@jest/globals'
import {
  CONFIG_MAP,
  KAFKA_CLUSTER,
  KAFKA_TOPIC,
  LEASE,
  POD_DISRUPTION_BUDGET,
  SERVICE,
  SERVICE_ACCOUNT,
  STATEFUL_SET,
} from '../../../operator/api/resource.ts'
import type { KafkaCluster, KafkaTopic, Manifest } from '../../../operator/api/resource.ts'
import type { KubeApi } from '../../../operator/kube/api.ts'
import { OperatorMetrics } from '../../../operator/metrics.ts'
import { Operator } from '../../../operator/operator.ts'
import type { FakeKube } from '../../fakes/kube.ts'
import { FakeKubelet } from '../../fakes/kubelet.ts'
import { TopicRefusal } from '../../../operator/topic/admin.ts'
import {
  condition,
  FakeTopics,
  kafkaCluster,
  kafkaState,
  kafkaTopic,
  operatorWorld,
  pool,
} from '../../fakes/operator.ts'
import { FakeReassignments } from '../../fakes/reassignment.ts'
import { FakeScaling } from '../../fakes/scaling.ts'

/** The API as KubeRest gives it: nothing goes through once the signal has aborted. */
function guarded(api: FakeKube, signal: AbortSignal): KubeApi {
  const guard = async <R>(call: () => Promise<R>): Promise<R> => {
    signal.throwIfAborted()
    return call()
  }
  return {
    get: (...args) => guard(() => api.get(...args)),
    list: (...args) => guard(() => api.list(...args)),
    watch: (...args) => guard(() => api.watch(...args)),
    create: (...args) => guard(() => api.create(...args)),
    update: (...args) => guard(() => api.update(...args)),
    apply: (...args) => guard(() => api.apply(...args)),
    applyStatus: (...args) => guard(() => api.applyStatus(...args)),
    patch: (...args) => guard(() => api.patch(...args)),
    delete: (...args) => guard(() => api.delete(...args)),
  }
}

function operating(namespaces: readonly string[] | null = null) {
  const world = operatorWorld()
  const topics = new FakeTopics()
  const stop = new AbortController()
  const kafka = { state: kafkaState(), shortage: '', looks: 0 }
  /** Clusters to which connections have been closed. */
  const forgotten: string[] = []
  const clusterId = () => world.api.peek<KafkaCluster>(KAFKA_CLUSTER, 'kafka', 'orders')?.status?.clusterId ?? ''
  const admins = {
    look: async () => {
      kafka.looks += 1
      return kafkaState({ ...kafka.state, clusterId: clusterId() })
    },
    configure: () => Promise.resolve({ changes: '' }),
    resetMinIsr: () => Promise.resolve([]),
    setMetadataVersion: () => Promise.resolve({ changes: '' }),
    topicsOf: () => topics,
    scalingOf: () => new FakeScaling(),
    reassignmentOf: () => new FakeReassignments([]),
    shortage: () => Promise.resolve(kafka.shortage),
    survey: () => Promise.resolve(null),
    forget: (key: string) => void forgotten.push(key),
    close: () => void forgotten.push('all'),
  }
  const operator = new Operator(
    {
      namespaces,
      images: { bundled: new Map([['4.3', 'ottla:1']]), apache: new Map([['4.3', 'apache:1']]) },
      identity: 'me',
      lease: { namespace: 'ops', name: 'ottla-operator' },
      clusterWorkers: 2,
      topicWorkers: 2,
      resyncMs: 60_000,
    },
    {
      ...world,
      apiFor: (signal) => guarded(world.api, signal),
      metrics: new OperatorMetrics(),
      post: async () => ({ status: 200 }),
      certificateAt: () => Promise.reject(new Error('no TLS here')),
      admins,
    },
  )
  const running = operator.run(stop.signal)
  const kubelet = new FakeKubelet(world.api)
  const finish = async () => {
    stop.abort()
    await world.clock.run(100)
    return running
  }
  return { ...world, topics, kafka, kubelet, finish, running, forgotten }
}

test('from two resources to a topic on a running cluster, by watches alone', async () => {
  const { api, clock, topics, kubelet, finish } = operating()
  await clock.run(100)
  api.put(KAFKA_TOPIC, kafkaTopic())
  api.put(KAFKA_CLUSTER, kafkaCluster())
  await clock.run(100)
  expect(condition(api.peek<KafkaTopic>(KAFKA_TOPIC, 'team', 'payments'), 'Reconciling')).toContain('Cluster')
  kubelet.run()
  await clock.run(100)
  expect(condition(api.peek<KafkaCluster>(KAFKA_CLUSTER, 'kafka', 'orders'), 'Ready')).toContain('True')
  expect(condition(api.peek<KafkaTopic>(KAFKA_TOPIC, 'team', 'payments'), 'Ready')).toContain('True')
  expect(topics.calls).toEqual(['create payments'])
  expect(await finish()).toBe('ended')
})

test('it settles: after a while nothing is written any more', async () => {
  const { api, clock, kubelet, finish } = operating()
  api.put(KAFKA_CLUSTER, kafkaCluster())
  api.put(KAFKA_TOPIC, kafkaTopic())
  await clock.run(5000)
  kubelet.run()
  await clock.run(10_000)
  const versions = () =>
    [KAFKA_CLUSTER, KAFKA_TOPIC, STATEFUL_SET].map((type) => api.all(type)[0]?.metadata.resourceVersion)
  const before = versions()
  await clock.run(10 * 60_000)
  expect(versions()).toEqual(before)
  await finish()
})

/** A cluster that is ready; what the operator does from here on is a reaction. */
async function settled() {
  const world = operating()
  world.api.put(KAFKA_CLUSTER, kafkaCluster())
  await world.clock.run(1000)
  world.kubelet.run()
  await world.clock.run(5000)
  return world
}

test('what somebody changes of a cluster is changed back at once', async () => {
  const { api, clock, finish } = await settled()
  const service = api.peek<Manifest>(SERVICE, 'kafka', 'orders-bootstrap')
  if (service === null) throw new Error('no Service')
  api.put(SERVICE, { ...service, spec: { ...(service.spec as object), selector: { app: 'mine' } } })
  await clock.run(100)
  expect(api.peek(SERVICE, 'kafka', 'orders-bootstrap')).toMatchObject({
    spec: { selector: { 'kafka.ottla.dev/cluster': 'orders' } },
  })
  await finish()
})

test.each([
  [SERVICE, 'orders-nodes'],
  [CONFIG_MAP, 'orders-nodes-config'],
  [SERVICE_ACCOUNT, 'orders-kafka'],
  [POD_DISRUPTION_BUDGET, 'orders-kafka'],
  [STATEFUL_SET, 'orders-nodes'],
])('what somebody deletes of a cluster is made again at once: %j', async (type, prefix) => {
  const { api, clock, finish } = await settled()
  const name = api.all(type).find(({ metadata }) => metadata.name.startsWith(prefix))?.metadata.name ?? ''
  api.remove(type, 'kafka', name)
  await clock.run(100)
  expect(api.peek(type, 'kafka', name)).not.toBeNull()
  await finish()
})

test('a label that somebody takes off comes back at once', async () => {
  const { api, clock, finish } = await settled()
  const budget = api.peek<Manifest>(POD_DISRUPTION_BUDGET, 'kafka', 'orders-kafka')
  if (budget === null) throw new Error('no PodDisruptionBudget')
  const labels = { 'app.kubernetes.io/managed-by': 'ottla-operator' }
  api.put(POD_DISRUPTION_BUDGET, { ...budget, metadata: { ...budget.metadata, labels } })
  await clock.run(100)
  expect(api.peek(POD_DISRUPTION_BUDGET, 'kafka', 'orders-kafka')?.metadata.labels).toHaveProperty([
    'kafka.ottla.dev/cluster',
  ])
  await finish()
})

test('a finalizer that somebody takes off a KafkaTopic comes back at once, and those of others stay', async () => {
  const { api, clock, finish } = await settled()
  api.put(KAFKA_TOPIC, kafkaTopic())
  await clock.run(1000)
  await api.patch(KAFKA_TOPIC, 'team', 'payments', { metadata: { finalizers: ['somebody/else'] } })
  await clock.run(1000)
  const finalizers = ['somebody/else', 'kafka.ottla.dev/topic']
  expect(api.peek<KafkaTopic>(KAFKA_TOPIC, 'team', 'payments')?.metadata.finalizers).toEqual(finalizers)
  await finish()
})

test.each([[null], [['kafka', 'team']]])(
  'a claim is taken over when the older one is deleted: %j',
  async (namespaces) => {
    const { api, clock, topics, kubelet, finish } = operating(namespaces)
    api.put(KAFKA_CLUSTER, kafkaCluster())
    api.put(KAFKA_TOPIC, kafkaTopic())
    await clock.run(1000)
    kubelet.run()
    await clock.run(4000)
    api.put(KAFKA_TOPIC, kafkaTopic({ topicName: 'payments' }, 'later'))
    await clock.run(1000)
    const later = () => condition(api.peek<KafkaTopic>(KAFKA_TOPIC, 'team', 'later'), 'Ready')
    expect(later()).toContain('TopicClaimed')
    api.remove(KAFKA_TOPIC, 'team', 'payments')
    await clock.run(5000)
    expect(later()).toContain('True Ready')
    expect(topics.calls).toEqual(['create payments'])
    await finish()
  },
)

test('a topic that is refused for lack of brokers is tried again as soon as there are more', async () => {
  const { api, clock, topics, kubelet, finish } = operating()
  topics.refusal = new TopicRefusal('INVALID_REPLICATION_FACTOR', 'replication factor 3 is larger than 1 brokers')
  kubelet.trouble = ({ metadata }) => (metadata.name === 'orders-nodes-0' ? null : 'CrashLoopBackOff')
  api.put(KAFKA_CLUSTER, kafkaCluster({ pools: [pool({ replicas: 3 })] }))
  api.put(KAFKA_TOPIC, kafkaTopic())
  await clock.run(1000)
  kubelet.run()
  await clock.run(10_000)
  const ready = () => condition(api.peek<KafkaTopic>(KAFKA_TOPIC, 'team', 'payments'), 'Ready')
  expect(ready()).toContain('False InvalidReplicationFactor')
  topics.refusal = null
  kubelet.turn('orders-nodes-1', null)
  await clock.run(10_000)
  expect(ready()).toContain('True Ready')
  await finish()
})

test('other namespaces are none of its business', async () => {
  const { api, clock, finish } = operating(['elsewhere'])
  api.put(KAFKA_CLUSTER, kafkaCluster())
  await clock.run(5000)
  expect(api.all(STATEFUL_SET)).toEqual([])
  await finish()
})

test('nothing is written once the lease is lost', async () => {
  const { api, clock, running } = operating()
  await clock.run(100)
  api.intercept = (call) => {
    if (call === 'update Lease' || call === 'get Lease') throw new Error('cut off')
  }
  await clock.run(15_000)
  expect(await running).toBe('lost')
  api.writes.length = 0
  api.put(KAFKA_CLUSTER, kafkaCluster())
  await clock.run(60_000)
  expect(api.writes).toEqual([])
})

test('what Kafka is being asked is broken off once the lease is lost', async () => {
  const { api, clock, running, forgotten } = await settled()
  api.intercept = (call) => {
    if (call === 'update Lease' || call === 'get Lease') throw new Error('cut off')
  }
  expect(forgotten).toEqual([])
  await clock.run(15_000)
  expect(await running).toBe('lost')
  expect(forgotten).toEqual(['all'])
})

test('a node drain waits as soon as a replica is out of sync, and goes on as soon as it is back', async () => {
  const { api, clock, kafka, finish } = await settled()
  const budget = () => api.peek<Manifest>(POD_DISRUPTION_BUDGET, 'kafka', 'orders-kafka')?.spec
  const isr = (...ids: number[]): void => {
    const partition = { topic: 't', topicId: 't', partition: 0, leader: 0, replicas: [0, 1, 2], isr: ids, minIsr: 2 }
    const brokers = new Map([0, 1, 2].map((id) => [id, { rack: null }]))
    kafka.state = kafkaState({ brokers, partitions: [{ ...partition, adding: [], removing: [] }] })
    kafka.shortage = ids.length === 3 ? '' : ids.join()
  }
  isr(0, 1, 2)
  await clock.run(60_000)
  const well = budget()
  isr(0, 1)
  await clock.run(10_000)
  expect(budget()).toMatchObject({ maxUnavailable: 0 })
  isr(0, 1, 2)
  await clock.run(10_000)
  expect(budget()).toEqual(well)
  await finish()
})

test('what it writes into a status is no reason to look again', async () => {
  const { api, clock, kafka, finish } = await settled()
  const brokers = (count: number) => new Map(Array.from({ length: count }, (_, id) => [id, { rack: null }]))
  const message = () => condition(api.peek<KafkaCluster>(KAFKA_CLUSTER, 'kafka', 'orders'), 'BrokersAvailable')
  kafka.looks = 0
  for (let count = 2; count <= 4; count++) {
    kafka.state = kafkaState({ brokers: brokers(count) })
    kafka.shortage = String(count)
    await clock.run(10_000)
    expect(message()).toContain(`${count} brokers take part`)
  }
  expect(kafka.looks).toBe(3)
  await finish()
})

test('a stopped operator gives its lease back', async () => {
  const { api, clock, finish } = operating()
  await clock.run(100)
  await finish()
  expect(api.peek(LEASE, 'ops', 'ottla-operator')).toMatchObject({ spec: { holderIdentity: '' } })
})
