import { ApiKey } from '../../../../broker/protocol/api-key.ts'
import type { Script } from '../script.ts'

/** Reassignments on a cluster of one broker, 1: all that may be wrong with them, and what comes to nothing. */
export async function reassignments(script: Script): Promise<void> {
  await script.create('moved', { partitions: 2 })
  const wanted: readonly [string, readonly number[] | null][] = [
    ['none under way to cancel', null],
    ['where it is', [1]],
    ['an unknown broker', [7]],
    ['an unknown broker too', [1, 7]],
    ['a broker twice', [1, 1]],
    ['a negative broker', [-1]],
    ['nowhere', []],
  ]
  for (const [what, replicas] of wanted) {
    const partitions = [{ partitionIndex: 0, replicas: replicas === null ? null : [...replicas] }]
    await script.inEveryVersion(what, ApiKey.AlterPartitionReassignments, { topics: [{ name: 'moved', partitions }] })
  }
  const at = (name: string, partitionIndex: number) => ({ name, partitions: [{ partitionIndex, replicas: [1] }] })
  await script.inEveryVersion('an unknown topic', ApiKey.AlterPartitionReassignments, { topics: [at('unknown', 0)] })
  await script.inEveryVersion('an unknown partition', ApiKey.AlterPartitionReassignments, { topics: [at('moved', 5)] })
  await script.inEveryVersion('no time', ApiKey.AlterPartitionReassignments, {
    topics: [at('moved', 0)],
    timeoutMs: 0,
  })
  await script.inEveryVersion('no topics', ApiKey.AlterPartitionReassignments, { topics: [] })
  await script.call('without a change of the factor', ApiKey.AlterPartitionReassignments, 1, {
    topics: [{ name: 'moved', partitions: [{ partitionIndex: 0, replicas: [1, 7] }] }],
    allowReplicationFactorChange: false,
  })
  await script.inEveryVersion('all', ApiKey.ListPartitionReassignments, { topics: null })
  await script.inEveryVersion('some', ApiKey.ListPartitionReassignments, {
    topics: [
      { name: 'moved', partitionIndexes: [0, 9] },
      { name: 'unknown', partitionIndexes: [0] },
    ],
  })
}

/** Changes of the voters of a quorum that cannot be changed, or that name nobody. */
export async function voters(script: Script): Promise<void> {
  const voterDirectoryId = 'JEXY6aqzQY-32P5TStzaFg'
  const listeners = [{ name: 'CONTROLLER', host: 'localhost', port: 1 }]
  const added = { clusterId: null, timeoutMs: 1000, voterId: 9, voterDirectoryId, listeners }
  await script.inEveryVersion('a negative voter', ApiKey.AddRaftVoter, { ...added, voterId: -1 })
  await script.inEveryVersion('without listeners', ApiKey.AddRaftVoter, { ...added, listeners: [] })
  // These messages have ids in them that are each cluster's own.
  const foreign = await script.ask(ApiKey.AddRaftVoter, 1, { ...added, clusterId: 'other' })
  const nobody = { clusterId: null, voterId: 9, voterDirectoryId }
  const removed = await script.ask(ApiKey.RemoveRaftVoter, 0, nobody)
  const elsewhere = await script.ask(ApiKey.RemoveRaftVoter, 0, { ...nobody, clusterId: 'other' })
  script.note(
    'another cluster, nobody, both',
    [foreign, removed, elsewhere].map(({ errorCode }) => errorCode),
  )
}
