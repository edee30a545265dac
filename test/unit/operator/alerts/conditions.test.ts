import { expect, test } from '@jest/globals'
import { KAFKA_CONDITIONS, kafkaConditions } from '../../../../operator/alerts/conditions.ts'
import { partitionCounts } from '../../../../operator/kafka/partition-counts.ts'
import type { PartitionState } from '../../../../operator/kafka/state.ts'
import { kafkaCluster, kafkaState, pool, quorumReplica } from '../../../fakes/operator.ts'

const cluster = kafkaCluster({ pools: [pool({ replicas: 3 })] })
const brokers = new Map([0, 1, 2].map((id) => [id, { rack: null }]))

function partition(change: Partial<PartitionState> = {}): PartitionState {
  const replicas = [0, 1, 2]
  return {
    topic: 't',
    topicId: 'id',
    partition: 0,
    leader: 0,
    replicas,
    isr: replicas,
    adding: [],
    removing: [],
    minIsr: 2,
    ...change,
  }
}

/** The types that are not True. */
function bad(partitions: readonly PartitionState[], others: Partial<Parameters<typeof kafkaState>[0]> = {}): string[] {
  const state = kafkaState({ brokers, partitions, ...others })
  return kafkaConditions(cluster, state).flatMap(({ type, status }) => (status === 'True' ? [] : [type]))
}

test.each([
  ['all replicas are in sync', partition(), []],
  ['a replica is out of sync', partition({ isr: [0, 1] }), ['PartitionsInSync']],
  ['fewer are in sync than min ISR', partition({ isr: [0] }), ['PartitionsWritable', 'PartitionsInSync']],
  ['there is no leader', partition({ leader: null, isr: [0] }), ['PartitionsOnline', 'PartitionsInSync']],
  ['replicas are being added', partition({ replicas: [0, 1, 2, 3, 4], adding: [3, 4] }), []],
  [
    'replicas are being added, and one is missing',
    partition({ replicas: [0, 1, 2, 3], adding: [3], isr: [0, 1] }),
    ['PartitionsInSync'],
  ],
  ['min ISR is above the replicas', partition({ replicas: [0], isr: [0], minIsr: 2 }), []],
])('where %s', (_, state, expected) => {
  expect(bad([partition(), state])).toEqual(expected)
})

test('a broker that does not take part is named', () => {
  const state = kafkaState({ brokers: new Map([...brokers].slice(0, 2)) })
  const found = kafkaConditions(cluster, state).find(({ type }) => type === 'BrokersAvailable')
  expect(found).toMatchObject({ status: 'False', message: 'brokers that do not take part: orders-nodes-2' })
})

test('a quorum without a leader is told', () => {
  expect(bad([], { quorum: { leaderId: -1, voters: [], observers: [] } })).toEqual([
    'QuorumLed',
    'ControllersAvailable',
  ])
})

test.each([
  ['is behind', quorumReplica(2, 10_001)],
  ['never came', quorumReplica(2, null)],
])('a controller that %s is named', (_, away) => {
  const quorum = { leaderId: 0, voters: [quorumReplica(0), quorumReplica(1, 900), away], observers: [] }
  const found = kafkaConditions(cluster, kafkaState({ brokers, quorum })).find(
    ({ type }) => type === 'ControllersAvailable',
  )
  expect(found).toMatchObject({
    status: 'False',
    reason: 'ControllersMissing',
    message: 'controllers that do not take part in the metadata quorum: node 2',
  })
})

test('how many controllers an election takes is told', () => {
  const voters = [0, 1, 2, 3].map((id) => quorumReplica(id))
  const found = kafkaConditions(cluster, kafkaState({ quorum: { leaderId: -1, voters, observers: [] } }))
  const message =
    'the metadata quorum has no leader: 3 of the controllers 0, 1, 2, 3 have to run and to reach each other'
  expect(found.find(({ type }) => type === 'QuorumLed')?.message).toBe(message)
})

test('a message names a few partitions, and counts the others', () => {
  const partitions = Array.from({ length: 8 }, (_, index) => partition({ partition: index, isr: [0, 1] }))
  const found = kafkaConditions(cluster, kafkaState({ brokers, partitions })).find(
    ({ type }) => type === 'PartitionsInSync',
  )
  expect(found?.message).toBe('not all in sync: t-0, t-1, t-2, t-3, t-4 and 3 more')
})

test('every condition is one that is kept while brokers do not answer', () => {
  expect(kafkaConditions(cluster, kafkaState()).map(({ type }) => type)).toEqual([...KAFKA_CONDITIONS])
})

test('partitions are counted', () => {
  const partitions = [partition(), partition({ isr: [0, 1] }), partition({ isr: [0] }), partition({ leader: null })]
  expect(partitionCounts(partitions)).toEqual({
    total: 4,
    underReplicated: 2,
    underMinIsr: 1,
    offline: 1,
  })
})
