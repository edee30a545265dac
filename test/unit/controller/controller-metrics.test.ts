import { expect, test } from '@jest/globals'
import { clusterCounts, ElectionCounts, registrationStates } from '../../../broker/controller/controller-metrics.ts'
import { MetadataDelta } from '../../../broker/metadata/delta.ts'
import { record, uuid } from '../metadata/records.ts'
import { clusterOf, topicWith } from './cluster.ts'

test('brokers, topics and partitions are counted', () => {
  const shuttingDown = { brokerId: 2, brokerEpoch: 102n, inControlledShutdown: 1 }
  const partitions = topicWith(9, { replicas: [1, 2] }, { replicas: [1, 2], leader: 2 }, { replicas: [3], leader: -1 })
  const image = clusterOf([1, 2, 3], [3], [...partitions, record('BrokerRegistrationChangeRecord', shuttingDown, 1)])
  expect(clusterCounts(image)).toEqual({
    activeBrokers: 2,
    fencedBrokers: 1,
    controlledShutdownBrokers: 1,
    topics: 1,
    partitions: 3,
    offlinePartitions: 1,
    preferredReplicaImbalance: 2,
  })
  expect(registrationStates(image)).toEqual([
    [1, 30],
    [2, 20],
    [3, 10],
  ])
})

test.each([
  ['a leader in sync', { isr: [2, 3] }, { unclean: 0, fromElr: 0 }],
  ['an eligible one', { isr: [], elr: [2] }, { unclean: 0, fromElr: 1 }],
  ['any other', { isr: [1] }, { unclean: 1, fromElr: 0 }],
])('elections are counted by what they cost: %s', (_what, state, counts) => {
  const image = clusterOf([1, 2], [], topicWith(9, { replicas: [1, 2, 3], leader: 1, ...state }))
  const delta = new MetadataDelta(image)
  delta.replay(record('PartitionChangeRecord', { topicId: uuid(9), partitionId: 0, leader: 2, isr: [2] }, 2))
  const elections = new ElectionCounts()
  elections.apply(delta, delta.finish(image.provenance))
  expect({ unclean: elections.unclean, fromElr: elections.fromElr }).toEqual(counts)
})
