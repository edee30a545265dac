import { expect, test } from '@jest/globals'
import * as fc from 'fast-check'
import type { KafkaTopic } from '../../../../operator/api/resource.ts'
import { TopicClaims } from '../../../../operator/topic/claims.ts'
import { convergeTopic } from '../../../../operator/topic/converge.ts'
import { planTopic, winningClaim } from '../../../../operator/topic/plan.ts'
import { FakeTopics, kafkaTopic } from '../../../fakes/operator.ts'

const state = (partitions: number, config: Record<string, string> = {}, replicas = 1) => ({
  topicId: 'id',
  partitions,
  replicas,
  config: new Map(Object.entries(config)),
})

const specOf = (change: Partial<KafkaTopic['spec']>) => kafkaTopic(change).spec

test('a topic that is as it should be needs nothing', () => {
  const spec = specOf({ config: { 'retention.ms': 1000 } })
  expect(planTopic(spec, 't', state(3, { 'retention.ms': '1000' }))).toEqual({ actions: [], replicasChange: null })
})

test('only what differs is changed, what is not in the spec goes back to its default', () => {
  const spec = specOf({ config: { 'retention.ms': 1000, 'segment.bytes': '2097152' } })
  const live = state(3, { 'retention.ms': '5', 'segment.bytes': '2097152', 'cleanup.policy': 'compact' })
  expect(planTopic(spec, 't', live)).toEqual({
    actions: [{ kind: 'alterConfig', set: new Map([['retention.ms', '1000']]), unset: ['cleanup.policy'] }],
    replicasChange: null,
  })
})

test('more partitions than the spec asks for are a refusal that says what to do', () => {
  expect(planTopic(specOf({ partitions: 2 }), 't', state(5, { 'retention.ms': '1' }))).toEqual({
    refusal: 'topic t has 5 partitions and Kafka cannot remove any: set spec.partitions to 5 or more',
  })
})

test('another replication factor is reported, the rest is done', () => {
  const plan = planTopic(specOf({ partitions: 4, replicas: 3 }), 't', state(3))
  expect(plan).toMatchObject({ actions: [{ kind: 'grow', partitions: 4 }] })
  expect('replicasChange' in plan && plan.replicasChange).toContain('set spec.replicas to 1')
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
      const result = await convergeTopic(topic, admin, async () => {})
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
      await convergeTopic(topic, admin, async () => {})
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
