import { expect, test } from '@jest/globals'
import * as fc from 'fast-check'
import type { KafkaCluster } from '../../../../operator/api/resource.ts'
import type { ClusterView } from '../../../../operator/cluster/step.ts'
import type { KafkaState, PartitionState } from '../../../../operator/kafka/state.ts'
import { planDurability, raisedFactors } from '../../../../operator/policy/planner.ts'
import { DurabilityStep } from '../../../../operator/policy/step.ts'
import { kafkaCluster, operatorWorld, pool } from '../../../fakes/operator.ts'

type Policy = KafkaCluster['spec']['durability']['policy']

const clusterOf = (policy: Policy, brokers = 3) =>
  kafkaCluster({
    pools: [pool({ replicas: brokers })],
    durability: brokers < 3 ? { policy } : { policy, replicationFactor: 3, minInSyncReplicas: 2 },
  })

function partition(topic: string, replicas: readonly number[], minIsr: number, change: Partial<PartitionState> = {}) {
  const isr = replicas
  return { topic, topicId: topic, partition: 0, leader: 0, replicas, isr, adding: [], removing: [], minIsr, ...change }
}

function kafkaOf(partitions: readonly PartitionState[], brokers = 3): KafkaState {
  const ids = Array.from({ length: brokers }, (_, id) => [id, { rack: null }] as const)
  const none = { finalized: 0, min: 0, max: 0 }
  const quorum = { leaderId: 0, voters: [], observers: [] }
  return { clusterId: 'c', brokers: new Map(ids), quorum, partitions, metadataVersion: none }
}

const SHORT = [
  partition('good', [0, 1, 2], 2),
  partition('thin', [0], 2),
  partition('weak', [0, 1, 2], 1),
  partition('__consumer_offsets', [0, 1, 2], 2),
  partition('__consumer_offsets', [0, 1], 2, { partition: 1 }),
]

const told = (
  conditions: readonly { type: string; status: string; reason: string; message: string }[],
  type: string,
) => {
  const found = conditions.find((one) => one.type === type)
  return `${found?.status} ${found?.reason}: ${found?.message}`
}

test('warn names the topics and changes nothing', () => {
  const cluster = clusterOf('warn')
  const { resetMinIsr, conditions } = planDurability(cluster, kafkaOf(SHORT))
  expect(resetMinIsr).toEqual([])
  expect(told(conditions, 'DurabilityMet')).toBe(
    'False BelowPromise: less than spec.durability promises (replicationFactor 3, minInSyncReplicas 2): weak (min.insync.replicas 1), thin (replicas 1), __consumer_offsets (replicas 2); change them, or set spec.durability.policy to enforce',
  )
  expect(raisedFactors(cluster, kafkaOf(SHORT))).toEqual(new Map())
})

test('enforce sets min ISR and asks for replicas, of internal topics too', () => {
  const cluster = clusterOf('enforce')
  expect(planDurability(cluster, kafkaOf(SHORT)).resetMinIsr).toEqual(['weak'])
  expect([...raisedFactors(cluster, kafkaOf(SHORT))]).toEqual([
    ['thin', 3],
    ['__consumer_offsets', 3],
  ])
})

test('replicas on their way count, those that leave do not', () => {
  const cluster = clusterOf('enforce')
  const coming = kafkaOf([partition('t', [0, 1, 2], 2, { adding: [1, 2], isr: [0] })])
  expect(raisedFactors(cluster, coming).size).toBe(0)
  const leaving = kafkaOf([partition('t', [0, 1, 2], 2, { removing: [2] })])
  expect([...raisedFactors(cluster, leaving)]).toEqual([['t', 3]])
})

test('a topic that needs all of its replicas is reported whatever the policy', () => {
  const partitions = [partition('tight', [0, 1, 2], 3), partition('alone', [0], 2), partition('good', [0, 1, 2], 2)]
  const { conditions } = planDurability(clusterOf('warn'), kafkaOf(partitions))
  expect(told(conditions, 'RestartSafe')).toBe(
    'False MinIsrTooHigh: writes fail while a broker with one of these restarts: tight (replicas 3, min.insync.replicas 3), alone (replicas 1, min.insync.replicas 2); they need more replicas than min.insync.replicas',
  )
})

test('a single broker is no reason to complain', () => {
  const { conditions } = planDurability(clusterOf('enforce', 1), kafkaOf([partition('t', [0], 1)], 1))
  expect(conditions.map(({ status }) => status)).toEqual(['True', 'True'])
})

test('ten thousand topics are counted, not listed', () => {
  const many = Array.from({ length: 10_000 }, (_, index) => partition(`t${index}`, [0], 2))
  const { conditions } = planDurability(clusterOf('warn'), kafkaOf(many))
  for (const { message } of conditions) {
    expect(message).toContain('and 9990 more')
    expect(message.length).toBeLessThan(1000)
  }
})

test('once what enforce asks for is done, the promise is met', () => {
  const topic = fc.record({ replicas: fc.integer({ min: 1, max: 3 }), minIsr: fc.integer({ min: 1, max: 3 }) })
  fc.assert(
    fc.property(fc.array(topic), (topics) => {
      const cluster = clusterOf('enforce')
      const all = (count: number) => Array.from({ length: count }, (_, id) => id)
      const before = kafkaOf(topics.map(({ replicas, minIsr }, index) => partition(`t${index}`, all(replicas), minIsr)))
      const reset = planDurability(cluster, before).resetMinIsr
      const raised = raisedFactors(cluster, before)
      const after = before.partitions.map((one) => ({
        ...one,
        minIsr: reset.includes(one.topic) ? 2 : one.minIsr,
        replicas: all(raised.get(one.topic) ?? one.replicas.length),
      }))
      const plan = planDurability(cluster, kafkaOf(after))
      expect([plan.resetMinIsr, plan.conditions[0]?.status, raisedFactors(cluster, kafkaOf(after)).size]).toEqual([
        [],
        'True',
        0,
      ])
    }),
  )
})

function stepping(reset: (topics: readonly string[]) => Promise<readonly string[]>) {
  const world = operatorWorld()
  const step = new DurabilityStep({ ...world, resetMinIsr: (_, topics) => reset(topics) })
  const run = (kafka: ClusterView['kafka'], status: KafkaCluster['status'] = {}) =>
    step.run({ cluster: { ...clusterOf('enforce'), status }, kafka } as unknown as ClusterView)
  return { ...world, run }
}

test('a failure is tried again and does not stop the rest', async () => {
  const { run } = stepping(() => Promise.reject(new Error('gone')))
  expect(await run(kafkaOf(SHORT))).toMatchObject({
    requeueAfterMs: 3000,
    conditions: [{ reason: 'BeingEnforced' }, {}],
  })
})

test('while nobody can be asked, what was the matter goes on', async () => {
  const { run } = stepping(() => Promise.reject(new Error('must not be called')))
  expect(await run({ error: 'gone' })).toEqual({ conditions: [] })
  const before = { type: 'DurabilityMet', status: 'False', reason: 'BelowPromise', message: 'weak' } as const
  const other = { type: 'Ready', status: 'True', reason: 'Ready', message: '' } as const
  const lastTransitionTime = '2026-01-01T00:00:00Z'
  const conditions = [before, other].map((one) => ({ ...one, lastTransitionTime }))
  expect(await run({ error: 'gone' }, { conditions })).toEqual({ conditions: [before] })
})
