import { expect, test } from '@jest/globals'
import * as fc from 'fast-check'
import type { KafkaTopic } from '../../../../operator/api/resource.ts'
import { importTopics } from '../../../../operator/import/manifests.ts'
import { importFlags } from '../../../../operator/import/run.ts'
import type { TopicState } from '../../../../operator/topic/admin.ts'
import { planTopic } from '../../../../operator/topic/plan.ts'

const OPTIONS = { cluster: { name: 'orders' }, namespace: null, observe: false }

function state(change: Partial<TopicState> = {}): TopicState {
  return { topicId: 'id', partitions: 3, replicas: 2, config: new Map(), ...change }
}

const namesOf = (...topics: string[]) =>
  importTopics(new Map(topics.map((topic) => [topic, state()])), OPTIONS).manifests.map(({ metadata }) => metadata.name)

test('a topic is told as it is, and stays when its KafkaTopic goes', () => {
  const topics = new Map([['payments', state({ config: new Map([['retention.ms', '1000']]) })]])
  expect(importTopics(topics, { ...OPTIONS, namespace: 'team' }).manifests).toEqual([
    {
      apiVersion: 'kafka.ottla.dev/v1alpha1',
      kind: 'KafkaTopic',
      metadata: { name: 'payments', namespace: 'team' },
      spec: {
        cluster: { name: 'orders' },
        partitions: 3,
        replicas: 2,
        config: { 'retention.ms': '1000' },
        deletionPolicy: 'retain',
      },
    },
  ])
})

test('one that is to be looked at only is paused', () => {
  const [manifest] = importTopics(new Map([['a', state()]]), { ...OPTIONS, observe: true }).manifests
  expect(manifest?.metadata.annotations).toEqual({ 'kafka.ottla.dev/paused': 'true' })
})

test('names that Kubernetes does not take are changed, and the topic is named', () => {
  expect(namesOf('Order_Events.v1', '__x', '...')).toEqual([
    expect.stringMatching(/^topic-[0-9a-f]{8}$/),
    'order-events.v1',
    'x',
  ])
})

test('every name is valid and none is there twice', () => {
  const topic = fc.stringMatching(/^[a-zA-Z0-9._-]{1,249}$/)
  fc.assert(
    fc.property(fc.uniqueArray(topic), (topics) => {
      const names = namesOf(...topics)
      expect(new Set(names).size).toBe(topics.length)
      for (const name of names) {
        expect(name).toMatch(/^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/)
        expect(name.length).toBeLessThanOrEqual(253)
      }
    }),
  )
})

test('what is no configuration, or passes, is left out', () => {
  const config = new Map([
    ['retention.ms', '1'],
    ['message.format.version', '2.8'],
    ['leader.replication.throttled.replicas', '0:1'],
  ])
  const { manifests, warnings } = importTopics(new Map([['a', state({ config })]]), OPTIONS)
  expect((manifests[0] as unknown as KafkaTopic).spec.config).toEqual({ 'retention.ms': '1' })
  expect(warnings).toEqual(['topic a: message.format.version is no topic configuration of Kafka 4.3: left out'])
})

test('replicas that admission would refuse are left out', () => {
  const config = new Map([['min.insync.replicas', '3']])
  const { manifests, warnings } = importTopics(new Map([['a', state({ config })]]), OPTIONS)
  expect(manifests[0]?.['spec']).not.toHaveProperty('replicas')
  expect(warnings[0]).toContain('spec.replicas is left out')
})

test('applying what was printed changes nothing', () => {
  const values = fc.dictionary(
    fc.constantFrom('retention.ms', 'cleanup.policy', 'min.insync.replicas'),
    fc.constantFrom('1', '2'),
  )
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 9 }),
      fc.integer({ min: 1, max: 3 }),
      values,
      (partitions, replicas, config) => {
        const live = state({ partitions, replicas, config: new Map(Object.entries(config)) })
        const [manifest] = importTopics(new Map([['a', live]]), OPTIONS).manifests
        const { config: printed = {}, ...rest } = (manifest as unknown as { spec: Partial<KafkaTopic['spec']> }).spec
        const spec = { ...rest, config: printed } as KafkaTopic['spec']
        expect(planTopic(spec, 'a', live, { floor: null, brokers: 3 })).toMatchObject({
          actions: [],
          replicasChange: null,
        })
      },
    ),
  )
})

test('it has to be told where the cluster is', () => {
  expect(() => importFlags([])).toThrow('--bootstrap HOST:PORT is needed')
  expect(importFlags(['--bootstrap', 'a:1,[::1]:2', '--cluster', 'x', '--observe'])).toEqual({
    bootstrap: [
      { host: 'a', port: 1 },
      { host: '::1', port: 2 },
    ],
    options: { cluster: { name: 'x' }, namespace: null, observe: true },
  })
})
