import { expect, test } from '@jest/globals'
import { EVENT, keyOf, KAFKA_CLUSTER, KAFKA_TOPIC } from '../../../../operator/api/resource.ts'
import type { KafkaCluster, KafkaTopic, Manifest } from '../../../../operator/api/resource.ts'
import { KubeError } from '../../../../operator/kube/api.ts'
import { TopicRefusal } from '../../../../operator/topic/admin.ts'
import { TopicReconciler } from '../../../../operator/topic/reconcile.ts'
import { condition, FakeTopics, kafkaCluster, kafkaTopic, operatorWorld, pool } from '../../../fakes/operator.ts'

const READY = {
  type: 'Ready',
  status: 'True',
  reason: 'Ready',
  message: '',
  lastTransitionTime: '2026-01-01T00:00:00Z',
} as const

function reconciling(...topics: KafkaTopic[]) {
  const world = operatorWorld()
  const admin = new FakeTopics()
  const all = () => world.api.all(KAFKA_TOPIC) as KafkaTopic[]
  const reconciler = new TopicReconciler(
    { resyncMs: 60_000, recheckMs: 5000 },
    {
      ...world,
      adminOf: () => admin,
      claimsOf: all,
      topicOf: (key) => all().find((topic) => keyOf(topic) === key),
      rivalsOf: () => Promise.resolve(all()),
      clusterOf: (key) => (world.api.all(KAFKA_CLUSTER) as KafkaCluster[]).find((cluster) => keyOf(cluster) === key),
    },
  )
  world.api.put(KAFKA_CLUSTER, { ...kafkaCluster(), status: { conditions: [READY] } })
  for (const topic of topics) world.api.put(KAFKA_TOPIC, topic)
  const stored = (name = 'payments') => world.api.peek<KafkaTopic>(KAFKA_TOPIC, 'team', name)
  const reconcile = (name = 'payments') => reconciler.reconcile(`team/${name}`)
  return { ...world, admin, reconciler, stored, reconcile }
}

test('a new resource makes its topic', async () => {
  const { admin, reconcile, stored } = reconciling(kafkaTopic({ config: { 'retention.ms': 1000 } }))
  await reconcile()
  expect(admin.topics.get('payments')).toMatchObject({ partitions: 3, config: new Map([['retention.ms', '1000']]) })
  expect(condition(stored(), 'Ready')).toBe('True Ready: topic payments is as its spec says')
  expect(stored()?.status).toMatchObject({
    topicName: 'payments',
    topicId: 'id-1',
    partitions: 3,
    replicas: 1,
    observedGeneration: 1,
  })
  expect(stored()?.metadata.finalizers).toEqual(['kafka.ottla.dev/topic'])
})

test('drift is reverted at the next look', async () => {
  const { admin, reconcile } = reconciling(kafkaTopic({ config: { 'retention.ms': 1000 } }))
  expect((await reconcile()).requeueAfterMs).toBe(60_000)
  admin.topics.get('payments')?.config.set('retention.ms', '7').set('cleanup.policy', 'compact')
  await reconcile()
  expect(admin.topics.get('payments')?.config).toEqual(new Map([['retention.ms', '1000']]))
})

test('an existing topic is adopted, with its data', async () => {
  const { admin, reconcile, stored } = reconciling(kafkaTopic({ partitions: 4 }))
  admin.topics.set('payments', { topicId: 'old', partitions: 2, replicas: 1, config: new Map() })
  await reconcile()
  expect(admin.calls).toEqual(['grow payments 4'])
  expect(stored()?.status).toMatchObject({ topicId: 'old', partitions: 4 })
})

test('fewer partitions than the topic has are refused in status', async () => {
  const { admin, reconcile, stored } = reconciling(kafkaTopic({ partitions: 1 }))
  admin.topics.set('payments', { topicId: 'old', partitions: 2, replicas: 1, config: new Map() })
  await reconcile()
  expect(condition(stored(), 'Stalled')).toContain('PartitionsCannotShrink: topic payments has 2 partitions')
  expect(admin.calls).toEqual([])
  expect(stored()?.status?.partitions).toBe(2)
})

test('another replication factor is said in status until the cluster has made it', async () => {
  const { reconcile, stored, admin, api } = reconciling(kafkaTopic({ replicas: 3 }))
  const pools = [pool({ replicas: 3 })]
  api.put(KAFKA_CLUSTER, kafkaCluster({ pools, durability: { policy: 'warn' } }))
  const live = { topicId: 'old', partitions: 3, replicas: 1, config: new Map<string, string>() }
  admin.topics.set('payments', live)
  expect((await reconcile()).requeueAfterMs).toBe(5000)
  expect(stored()?.status?.replicasChange?.state).toBe('Pending')
  expect(condition(stored(), 'Reconciling')).toContain(
    'ReplicasChanging: topic payments has 1 replicas, 3 are asked for',
  )
  live.replicas = 3
  await reconcile()
  expect(stored()?.status?.replicasChange).toBeUndefined()
  expect(condition(stored(), 'Ready')).toContain('True')
})

test('more replicas than brokers are refused', async () => {
  const { reconcile, stored, admin } = reconciling(kafkaTopic({ replicas: 3 }))
  admin.topics.set('payments', { topicId: 'old', partitions: 3, replicas: 1, config: new Map() })
  await reconcile()
  expect(condition(stored(), 'Stalled')).toContain('NotEnoughBrokers')
})

test("the broker's refusal is told in its words", async () => {
  const { admin, reconcile, stored } = reconciling(kafkaTopic({ replicas: 3 }))
  admin.refusal = new TopicRefusal('INVALID_REPLICATION_FACTOR', 'only 1 broker is there')
  await reconcile()
  const words =
    'InvalidReplicationFactor: KafkaCluster kafka/orders refuses: only 1 broker is there (INVALID_REPLICATION_FACTOR)'
  expect(condition(stored(), 'Stalled')).toContain(words)
})

test('a cluster that does not answer makes it Unknown, and is tried again', async () => {
  const { admin, reconcile, stored } = reconciling(kafkaTopic())
  admin.failure = new Error('connection refused')
  await expect(reconcile()).rejects.toThrow('connection refused')
  expect(condition(stored(), 'Ready')).toContain('Unknown ClusterUnreachable')
  admin.failure = null
  await reconcile()
  expect(condition(stored(), 'Ready')).toContain('True Ready')
})

test('without its cluster it waits', async () => {
  const { reconcile, stored, api } = reconciling(kafkaTopic())
  api.remove(KAFKA_CLUSTER, 'kafka', 'orders')
  await reconcile()
  expect(condition(stored(), 'Reconciling')).toContain('ClusterNotFound: there is no KafkaCluster kafka/orders')
})

test('a topic that was ready stays so while its cluster restarts', async () => {
  const { reconcile, stored, api } = reconciling(kafkaTopic())
  await reconcile()
  api.put(KAFKA_CLUSTER, { ...kafkaCluster(), status: { conditions: [{ ...READY, status: 'False' }] } })
  await reconcile()
  expect(condition(stored(), 'Ready')).toContain('True')
})

test('of two resources for one topic the younger says who has it, and changes nothing', async () => {
  const { admin, reconcile, stored } = reconciling(
    kafkaTopic(),
    kafkaTopic({ topicName: 'payments', partitions: 9 }, 'later'),
  )
  await reconcile('later')
  await reconcile()
  expect(condition(stored('later'), 'Stalled')).toContain(
    'TopicClaimed: topic payments belongs to the older KafkaTopic team/payments',
  )
  expect(admin.topics.get('payments')?.partitions).toBe(3)
  expect(condition(stored(), 'Ready')).toContain('True')
})

test('deleting the younger of the two leaves the topic', async () => {
  const { admin, reconcile, stored, api } = reconciling(kafkaTopic(), kafkaTopic({ topicName: 'payments' }, 'later'))
  await reconcile()
  await reconcile('later')
  api.remove(KAFKA_TOPIC, 'team', 'later')
  await reconcile('later')
  expect(stored('later')).toBeNull()
  expect(admin.topics.has('payments')).toBe(true)
})

test('deleting the older of the two hands the topic over, with its data', async () => {
  const { admin, reconcile, stored, api } = reconciling(
    kafkaTopic(),
    kafkaTopic({ topicName: 'payments', partitions: 5 }, 'later'),
  )
  await reconcile()
  api.remove(KAFKA_TOPIC, 'team', 'payments')
  await reconcile()
  expect(stored()).toBeNull()
  await reconcile('later')
  expect(admin.calls).toEqual(['create payments', 'grow payments 5'])
  expect(stored('later')?.status?.topicId).toBe('id-1')
})

test('a deleted resource deletes its topic', async () => {
  const { admin, reconcile, stored, api } = reconciling(kafkaTopic())
  await reconcile()
  api.remove(KAFKA_TOPIC, 'team', 'payments')
  await reconcile()
  expect([admin.topics.size, stored()]).toEqual([0, null])
})

test('a resource that is gone before its finalizer is taken off is done with', async () => {
  const { admin, reconcile, api } = reconciling(kafkaTopic())
  await reconcile()
  api.remove(KAFKA_TOPIC, 'team', 'payments')
  api.intercept = (call) => {
    if (call === 'patch KafkaTopic') throw new KubeError(404, 'NotFound', 'kafkatopics "payments" not found')
  }
  expect(await reconcile()).toEqual({})
  expect(admin.topics.size).toBe(0)
})

test('a retained topic outlives its resource', async () => {
  const { admin, reconcile, stored, api } = reconciling(kafkaTopic({ deletionPolicy: 'retain' }))
  await reconcile()
  expect(stored()?.metadata.finalizers ?? []).toEqual([])
  api.remove(KAFKA_TOPIC, 'team', 'payments')
  await reconcile()
  expect([admin.topics.size, stored()]).toEqual([1, null])
})

test('a topic that somebody has made anew is not deleted', async () => {
  const { admin, reconcile, stored, api } = reconciling(kafkaTopic())
  await reconcile()
  admin.topics.set('payments', { topicId: 'new', partitions: 1, replicas: 1, config: new Map() })
  api.remove(KAFKA_TOPIC, 'team', 'payments')
  await reconcile()
  expect([admin.topics.size, stored()]).toEqual([1, null])
})

test.each(['gone', 'going'])('it does not hang when its cluster is %s', async (how) => {
  const { admin, reconcile, stored, api } = reconciling(kafkaTopic())
  await reconcile()
  if (how === 'going')
    api.put(KAFKA_CLUSTER, { ...kafkaCluster(), metadata: { ...kafkaCluster().metadata, finalizers: ['x'] } })
  api.remove(KAFKA_CLUSTER, 'kafka', 'orders')
  admin.failure = new Error('nobody there')
  api.remove(KAFKA_TOPIC, 'team', 'payments')
  await reconcile()
  expect(stored()).toBeNull()
})

test('a broker that refuses the deletion is quoted, and the resource stays', async () => {
  const { admin, reconcile, stored, api } = reconciling(kafkaTopic())
  await reconcile()
  admin.refusal = new TopicRefusal('TOPIC_DELETION_DISABLED', 'Topic deletion is disabled.')
  api.remove(KAFKA_TOPIC, 'team', 'payments')
  await reconcile()
  expect(condition(stored(), 'Stalled')).toContain('TopicDeletionDisabled')
  expect(condition(stored(), 'Stalled')).toContain('set spec.deletionPolicy to retain')
})

test('a namespace that the cluster does not name gets nothing, and is told what to do', async () => {
  const { admin, reconcile, stored, api } = reconciling(kafkaTopic())
  const topics = { namespaces: ['other'], deleteProtection: false }
  api.put(KAFKA_CLUSTER, kafkaCluster({ topics }))
  await reconcile()
  expect(condition(stored(), 'Stalled')).toBe(
    'True NamespaceNotAllowed: KafkaCluster kafka/orders takes no KafkaTopics of namespace team: add it to spec.topics.namespaces there',
  )
  expect(admin.calls).toEqual([])
})

test("the cluster's own namespace needs no naming", async () => {
  const { admin, reconciler, stored, api } = reconciling(kafkaTopic({}, 'payments', 'kafka'))
  api.put(KAFKA_CLUSTER, kafkaCluster({ topics: { namespaces: [], deleteProtection: false } }))
  await reconciler.reconcile('kafka/payments')
  expect(admin.calls).toEqual(['create payments'])
  expect(stored()).toBeNull()
})

test('a namespace that is not named any more lets go of its topics', async () => {
  const { admin, reconcile, stored, api } = reconciling(kafkaTopic())
  await reconcile()
  api.put(KAFKA_CLUSTER, kafkaCluster({ topics: { namespaces: [], deleteProtection: false } }))
  api.remove(KAFKA_TOPIC, 'team', 'payments')
  await reconcile()
  expect([stored(), admin.topics.has('payments')]).toEqual([null, true])
})

test('a claim from a namespace that is not allowed is no rival', async () => {
  const elsewhere = kafkaTopic({ topicName: 'payments' }, 'a', 'elsewhere')
  const { admin, reconcile, stored, api } = reconciling(elsewhere, kafkaTopic())
  api.put(KAFKA_CLUSTER, kafkaCluster({ topics: { namespaces: ['team'], deleteProtection: false } }))
  await reconcile()
  expect(condition(stored(), 'Ready')).toContain('True')
  api.remove(KAFKA_TOPIC, 'team', 'payments')
  await reconcile()
  expect(admin.topics.size).toBe(0)
})

test('a protected topic that has records outlives its resource, an empty one does not', async () => {
  const { admin, reconcile, stored, api } = reconciling(kafkaTopic(), kafkaTopic({}, 'empty'))
  api.put(KAFKA_CLUSTER, kafkaCluster({ topics: { namespaces: ['*'], deleteProtection: true } }))
  for (const name of ['payments', 'empty']) await reconcile(name)
  admin.filled.add('payments')
  for (const name of ['payments', 'empty']) {
    api.remove(KAFKA_TOPIC, 'team', name)
    await reconcile(name)
  }
  expect([stored(), stored('empty'), [...admin.topics.keys()]]).toEqual([null, null, ['payments']])
  const [event] = api.all(EVENT).filter((one) => (one as Manifest)['reason'] === 'TopicRetained') as Manifest[]
  expect(event?.['note']).toContain('it has records, and KafkaCluster kafka/orders has spec.topics.deleteProtection')
})

test('a topic that somebody makes anew just before it would be deleted stays', async () => {
  const { admin, reconcile, stored, api } = reconciling(kafkaTopic())
  api.put(KAFKA_CLUSTER, kafkaCluster({ topics: { namespaces: ['*'], deleteProtection: true } }))
  await reconcile()
  api.remove(KAFKA_TOPIC, 'team', 'payments')
  admin.hasRecords = async () => {
    admin.topics.set('payments', { topicId: 'anew', partitions: 1, replicas: 1, config: new Map() })
    return false
  }
  await reconcile()
  expect([stored(), admin.topics.get('payments')?.topicId]).toEqual([null, 'anew'])
})

const PAUSED = { annotations: { 'kafka.ottla.dev/paused': 'true' } }

test('a paused topic is Ready, says what differs, and is not changed', async () => {
  const topic = kafkaTopic({ partitions: 5 })
  topic.metadata = { ...topic.metadata, ...PAUSED }
  const { admin, reconcile, stored, api } = reconciling(topic)
  admin.topics.set('payments', { topicId: 'old', partitions: 2, replicas: 1, config: new Map() })
  await reconcile()
  expect(condition(stored(), 'Ready')).toContain('True Paused')
  expect(condition(stored(), 'Ready')).toContain('not done: topic payments: 2 -> 5 partitions')
  expect(stored()?.status).toMatchObject({ topicId: 'old', partitions: 2 })
  api.remove(KAFKA_TOPIC, 'team', 'payments')
  expect([admin.calls, stored()]).toEqual([[], null])
})

test('a paused topic that is not there is not made', async () => {
  const topic = kafkaTopic()
  topic.metadata = { ...topic.metadata, ...PAUSED }
  const { admin, reconcile, stored } = reconciling(topic)
  await reconcile()
  expect(condition(stored(), 'Ready')).toContain('False Paused: there is no topic payments')
  expect(admin.calls).toEqual([])
})

test('a topic that was well stays so while its cluster does not answer', async () => {
  const { admin, reconcile, stored } = reconciling(kafkaTopic())
  await reconcile()
  admin.failure = new Error('connection refused')
  await expect(reconcile()).rejects.toThrow('connection refused')
  expect(condition(stored(), 'Ready')).toContain('True')
})

test('a cluster that rolls takes topics', async () => {
  const { reconcile, stored, api } = reconciling(kafkaTopic())
  const pools = [{ name: 'nodes', replicas: 3, ready: 2, nodeIds: [0, 1, 2] }]
  api.put(KAFKA_CLUSTER, {
    ...kafkaCluster(),
    status: { conditions: [{ ...READY, status: 'False' }], version: '4.3', pools },
  })
  await reconcile()
  expect(condition(stored(), 'Ready')).toContain('True')
})

test('all topics come back for the next look at the same time', async () => {
  const { reconcile, clock } = reconciling(kafkaTopic(), kafkaTopic({}, 'other'))
  await clock.run(1000)
  expect((await reconcile()).requeueAfterMs).toBe(59_000)
  await clock.run(2000)
  expect((await reconcile('other')).requeueAfterMs).toBe(57_000)
})

test('a topic that the broker has not heard of yet is no refusal', async () => {
  const { admin, reconcile, stored } = reconciling(kafkaTopic())
  admin.refusal = new TopicRefusal('TOPIC_ALREADY_EXISTS', "Topic 'payments' already exists.")
  expect((await reconcile()).requeueAfterMs).toBe(500)
  expect(stored()?.status).toBeUndefined()
})
