import { expect, test } from '@jest/globals'
import { detailOf, partitionsOf, summaryOf } from '../../../../operator/console/model.ts'
import type { PartitionState } from '../../../../operator/kafka/state.ts'
import { kafkaCluster, kafkaState, kafkaTopic, pool, quorumReplica } from '../../../fakes/operator.ts'

function partition(change: Partial<PartitionState>): PartitionState {
  const whole = { topic: 'payments', topicId: 'id', partition: 0, leader: 0, replicas: [0, 1, 2], isr: [0, 1, 2] }
  return { ...whole, adding: [], removing: [], minIsr: 2, ...change }
}

test('a cluster that the operator has not seen yet is not known to be ready', () => {
  const { ready, reason, nodes } = summaryOf(kafkaCluster({ pools: [pool({ replicas: 3 })] }))
  expect({ ready, reason, nodes }).toEqual({ ready: 'Unknown', reason: 'Pending', nodes: { ready: 0, wanted: 3 } })
})

test('partitions count by what is the matter with them', () => {
  const partitions = [
    partition({}),
    partition({ partition: 1, isr: [0, 1] }),
    partition({ partition: 2, isr: [0] }),
    partition({ partition: 3, leader: null, isr: [] }),
  ]
  const detail = detailOf(kafkaCluster(), kafkaState({ partitions }), [], [])
  expect(detail.partitions).toEqual({ total: 4, underReplicated: 3, underMinIsr: 2, offline: 1 })
})

test('a replica that is being added is not missing', () => {
  const moving = partition({ replicas: [0, 1, 2, 3], adding: [3], isr: [0, 1, 2] })
  expect(detailOf(kafkaCluster(), kafkaState({ partitions: [moving] }), [], []).partitions.underReplicated).toBe(0)
})

test('topics in trouble come first, the worst of them first', () => {
  const partitions = [
    partition({ topic: 'a' }),
    partition({ topic: 'b', isr: [0, 1] }),
    partition({ topic: 'c', leader: null, isr: [] }),
    partition({ topic: 'd', isr: [0] }),
  ]
  const { topics } = detailOf(kafkaCluster(), kafkaState({ partitions }), [], [])
  expect(topics.map(({ name }) => name)).toEqual(['c', 'd', 'b', 'a'])
})

test('a topic names its KafkaTopic, of this cluster only', () => {
  const other = kafkaTopic({ cluster: { name: 'invoices', namespace: 'kafka' } }, 'refunds')
  const partitions = [partition({}), partition({ topic: 'refunds' })]
  const { topics } = detailOf(kafkaCluster(), kafkaState({ partitions }), [], [kafkaTopic(), other])
  expect(topics.map(({ name, resource }) => [name, resource])).toEqual([
    ['payments', 'team/payments'],
    ['refunds', null],
  ])
})

test('a broker that is gone is still shown with what it has', () => {
  const partitions = [partition({ isr: [0, 1] }), partition({ partition: 1, leader: 1, isr: [0, 1] })]
  const brokers = new Map([
    [0, { rack: 'a' }],
    [1, { rack: 'b' }],
  ])
  expect(detailOf(kafkaCluster(), kafkaState({ brokers, partitions }), [], []).brokers).toEqual([
    { id: 0, rack: 'a', leaders: 1, replicas: 2, behind: 0 },
    { id: 1, rack: 'b', leaders: 1, replicas: 2, behind: 0 },
    { id: 2, rack: null, leaders: 0, replicas: 2, behind: 2 },
  ])
})

test('the leader of the quorum is told from its voters', () => {
  const quorum = { leaderId: 1, voters: [quorumReplica(2), quorumReplica(1)], observers: [quorumReplica(5)] }
  const { controllers } = detailOf(kafkaCluster(), kafkaState({ quorum }), [], [])
  expect(controllers.map(({ id, role }) => [id, role])).toEqual([
    [1, 'leader'],
    [2, 'voter'],
  ])
})

test('a group is behind by what it is behind in all of its topics', () => {
  const topics = [
    { topic: 'a', partitions: 2, lag: 5, committed: 1 },
    { topic: 'b', partitions: 1, lag: 7, committed: 1 },
  ]
  const group = { groupId: 'billing', state: 'Stable', members: 2, coordinator: 0, topics }
  expect(detailOf(kafkaCluster(), kafkaState(), [group], []).groups[0]?.lag).toBe(12)
})

test('of brokers that do not answer, what Kubernetes knows is shown, and why there is no more', () => {
  const { error, topics, pools } = detailOf(kafkaCluster(), { error: 'connection refused' }, [], [])
  expect({ error, topics, pools: pools.length }).toEqual({ error: 'connection refused', topics: [], pools: 1 })
})

test('a rollout that is complete has nothing planned, and nothing stands against it', () => {
  const cluster = { ...kafkaCluster(), status: { rollout: { state: 'Complete' as const } } }
  const { rollout } = detailOf(cluster, kafkaState(), [], [])
  expect(rollout).toEqual({ state: 'Complete', plan: [], blockedBy: [] })
})

test('the partitions of one topic are in order', () => {
  const partitions = [partition({ partition: 1 }), partition({ topic: 'other' }), partition({ partition: 0 })]
  expect(partitionsOf(kafkaState({ partitions }), 'payments').map((row) => row.partition)).toEqual([0, 1])
})
