import { expect, test } from '@jest/globals'
import * as fc from 'fast-check'
import type { KafkaTopic } from '../../../../operator/api/resource.ts'
import { TopicClaims } from '../../../../operator/topic/claims.ts'
import { convergeTopic } from '../../../../operator/topic/converge.ts'
import { planTopic, winningClaim } from '../../../../operator/topic/plan.ts'
import { FakeTopics, kafkaCluster, kafkaTopic } from '../../../fakes/operator.ts'

const state = (partitions: number, config: Record<string, string> = {}, replicas = 1) => ({
  topicId: 'id',
  partitions,
  replicas,
  config: new Map(Object.entries(config)),
})

const NOTHING = { actions: [], replicasChange: null, raised: null }
const NO_FLOOR = { floor: null, brokers: 3 }

const specOf = (change: Partial<KafkaTopic['spec']>) => kafkaTopic(change).spec

test('a topic that is as it should be needs nothing', () => {
  const spec = specOf({ config: { 'retention.ms': 1000 } })
  expect(planTopic(spec, 't', state(3, { 'retention.ms': '1000' }), NO_FLOOR)).toEqual(NOTHING)
})

test('values that Kafka prints otherwise than they are written are as wanted', () => {
  const config = { 'cleanup.policy': 'compact, delete', 'min.cleanable.dirty.ratio': 1, preallocate: 'True' }
  const printed = { 'cleanup.policy': 'compact,delete', 'min.cleanable.dirty.ratio': '1.0', preallocate: 'true' }
  expect(planTopic(specOf({ config }), 't', state(3, printed), NO_FLOOR)).toEqual(NOTHING)
})

test('only what differs is changed, what is not in the spec goes back to its default', () => {
  const spec = specOf({ config: { 'retention.ms': 1000, 'segment.bytes': '2097152' } })
  const live = state(3, { 'retention.ms': '5', 'segment.bytes': '2097152', 'cleanup.policy': 'compact' })
  expect(planTopic(spec, 't', live, NO_FLOOR)).toEqual({
    actions: [{ kind: 'alterConfig', set: new Map([['retention.ms', '1000']]), unset: ['cleanup.policy'] }],
    replicasChange: null,
    raised: null,
  })
})

test('more partitions than the spec asks for are a refusal that says what to do', () => {
  expect(planTopic(specOf({ partitions: 2 }), 't', state(5, { 'retention.ms': '1' }), NO_FLOOR)).toEqual({
    refusal: 'topic t has 5 partitions and Kafka cannot remove any: set spec.partitions to 5 or more',
  })
})

test('another replication factor is reported, the rest is done', () => {
  const plan = planTopic(specOf({ partitions: 4, replicas: 3 }), 't', state(3), NO_FLOOR)
  expect(plan).toMatchObject({ actions: [{ kind: 'grow', partitions: 4 }], replicasChange: { state: 'Pending' } })
  expect(planTopic(specOf({ replicas: 4 }), 't', state(3), NO_FLOOR)).toMatchObject({
    replicasChange: { state: 'Refused', message: expect.stringContaining('set spec.replicas to 3 or less') },
  })
})

test('what the cluster enforces wins over the spec, and says so', () => {
  const floor = { replicationFactor: 3, minInSyncReplicas: 2 }
  const spec = specOf({ replicas: 1, config: { 'min.insync.replicas': 1 } })
  const plan = planTopic(spec, 't', null, { floor, brokers: 3 })
  expect(plan).toMatchObject({ actions: [{ topic: { replicas: 3, config: new Map() } }] })
  expect('raised' in plan && plan.raised).toBe(
    'spec.config.min.insync.replicas 1 is raised to 2, spec.replicas 1 is raised to 3',
  )
  const live = state(3, {}, 3)
  expect(planTopic(spec, 't', live, { floor, brokers: 3 })).toMatchObject({ actions: [], replicasChange: null })
})

test('the throttle of replicas that are moved is no drift', () => {
  const key = 'leader.replication.throttled.replicas'
  expect(planTopic(specOf({}), 't', state(3, { [key]: '*' }), NO_FLOOR)).toEqual(NOTHING)
  const named = planTopic(specOf({ config: { [key]: '0:1' } }), 't', state(3, { [key]: '*' }), NO_FLOOR)
  expect(named).toMatchObject({ actions: [{ set: new Map([[key, '0:1']]) }] })
})

test('more than the cluster enforces is left as it is', () => {
  const floor = { replicationFactor: 3, minInSyncReplicas: 1 }
  const spec = specOf({ replicas: 4, config: { 'min.insync.replicas': '2' } })
  const live = state(3, { 'min.insync.replicas': '2' }, 4)
  expect(planTopic(spec, 't', live, { floor, brokers: 4 })).toEqual(NOTHING)
})

const config = fc.dictionary(
  fc.constantFrom('retention.ms', 'segment.bytes', 'cleanup.policy'),
  fc.constantFrom('1', '2'),
)

test('from any topic to any spec in one go, and then nothing is left to do', async () => {
  const topics = fc.record({ partitions: fc.integer({ min: 1, max: 5 }), config })
  await fc.assert(
    fc.asyncProperty(topics, fc.option(topics, { nil: null }), async (wanted, live) => {
      const admin = new FakeTopics()
      if (live !== null) {
        admin.topics.set('payments', {
          topicId: 'old',
          replicas: 1,
          partitions: live.partitions,
          config: new Map(Object.entries(live.config)),
        })
      }
      const topic = kafkaTopic(wanted)
      const result = await convergeTopic(topic, NO_FLOOR, admin, async () => {})
      if ('refusal' in result) {
        expect(live?.partitions).toBeGreaterThan(wanted.partitions)
        expect(admin.calls).toEqual([])
        return
      }
      expect(result.state).toMatchObject({
        partitions: wanted.partitions,
        config: new Map(Object.entries(wanted.config)),
      })
      if (live !== null) expect(result.state?.topicId).toBe('old')
      const calls = admin.calls.length
      await convergeTopic(topic, NO_FLOOR, admin, async () => {})
      expect(admin.calls).toHaveLength(calls)
    }),
  )
})

test('of all that claim one topic exactly one wins, the oldest', () => {
  const claims = fc.uniqueArray(fc.record({ age: fc.nat(3), name: fc.constantFrom('a', 'b', 'c', 'd') }), {
    selector: ({ name }) => name,
    minLength: 1,
  })
  fc.assert(
    fc.property(claims, (list) => {
      const all = list.map(({ age, name }) => {
        const topic = kafkaTopic({ topicName: 'payments' }, name)
        topic.metadata = { ...topic.metadata, uid: name, creationTimestamp: `2026-01-01T00:00:0${age}Z` }
        return topic
      })
      const winners = all.filter((topic) => winningClaim(topic, all) === null)
      expect(winners).toHaveLength(1)
      const oldest = Math.min(...list.map(({ age }) => age))
      expect(winners[0]?.metadata.creationTimestamp).toBe(`2026-01-01T00:00:0${oldest}Z`)
    }),
  )
})

test('a claim that is being deleted, or of another cluster, is none', () => {
  const mine = kafkaTopic({}, 'payments')
  const going = kafkaTopic({ topicName: 'payments' }, 'a')
  going.metadata = { ...going.metadata, uid: 'a', deletionTimestamp: '2026-01-01T00:00:00Z' }
  const elsewhere = kafkaTopic({ topicName: 'payments', cluster: { name: 'orders' } }, 'b')
  elsewhere.metadata.uid = 'b'
  expect(winningClaim(mine, [going, elsewhere])).toBeNull()
})

test('a KafkaTopic that is paused, not allowed or not the oldest asks for no replicas', () => {
  const claims = new TopicClaims()
  const put = (name: string, change: Partial<KafkaTopic['spec']>, namespace = 'team', annotations = {}) => {
    const topic = kafkaTopic(change, name, namespace)
    topic.metadata = {
      ...topic.metadata,
      uid: name,
      annotations,
      creationTimestamp: `2026-01-01T00:00:0${name.length}Z`,
    }
    claims.put(topic)
  }
  put('a', { replicas: 2 })
  put('older', { topicName: 'a', replicas: 3 })
  put('b', { replicas: 2 }, 'elsewhere')
  put('c', { replicas: 2 }, 'team', { 'kafka.ottla.dev/paused': 'true' })
  put('d', {})
  const topics = { namespaces: ['team'], deleteProtection: false }
  const cluster = kafkaCluster({ topics, durability: { policy: 'warn' } })
  expect([...claims.replicationFactors(cluster)]).toEqual([['a', 2]])
})

test('the index forgets what is gone, and tells changes from echoes', () => {
  const claims = new TopicClaims()
  const topic = kafkaTopic()
  topic.metadata.generation = 1
  expect(claims.put(topic)).toBe(true)
  expect(claims.put({ ...topic, status: { topicName: 'payments' } })).toBe(false)
  expect(claims.put({ ...topic, metadata: { ...topic.metadata, generation: 2 } })).toBe(true)
  expect(claims.ofCluster('kafka/orders')).toEqual(['team/payments'])
  claims.remove(topic)
  expect([claims.of(topic), claims.ofCluster('kafka/orders')]).toEqual([[], []])
})
