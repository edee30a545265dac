import { describe, expect, test } from '@jest/globals'
import { LOST_DIRECTORY, MIGRATING_DIRECTORY } from '../../../broker/metadata/directory-id.ts'
import type { PartitionState } from '../../../broker/replication/partition-state.ts'
import { ReplicaRepair } from '../../../broker/replication/replica-repair.ts'
import { silentLogger } from '../../fakes/logger.ts'
import { uuid } from '../metadata/records.ts'
import { NODE, PartitionRig, stateOf } from './rig.ts'

const HERE = uuid(NODE)
/** Broker 2 leads alone. */
const GIVEN_UP = { replicas: [NODE, 2, 3], leader: 2, isr: [2], leaderEpoch: 4 }

/** A replica of five records, of which the third is damaged, and where its repair says that it is. */
async function damaged(state: Partial<PartitionState>) {
  const rig = await PartitionRig.open({ replicas: [NODE] })
  const { partition } = rig
  for (const value of ['a', 'b', 'c', 'd', 'e']) rig.append(value)
  partition.update(stateOf({ partitionEpoch: 1, ...state }))
  const told: string[] = []
  const repair = new ReplicaRepair(
    { nodeId: NODE },
    {
      logs: { directories: () => [{ path: partition.log.parentDirectory, id: HERE, online: true, isCordoned: false }] },
      fetchers: { follow: () => {}, stop: () => {} },
      assignments: { assign: ({ directoryId }) => void told.push(directoryId) },
      logger: silentLogger(),
    },
  )
  repair.damaged(partition, 2)
  const settle = () => rig.bed.clock.run(10)
  /** The metadata log has the replica there, and the partition in this state. */
  const changed = async (directoryId: string, after: Partial<PartitionState>) => {
    partition.update(stateOf({ partitionEpoch: partition.state.partitionEpoch + 1, ...after }))
    repair.changed(partition, directoryId)
    await settle()
  }
  return { partition, told, changed, settle, endOffset: () => partition.log.logEndOffset }
}

describe('a damaged replica', () => {
  test('that is in sync says that it is lost, and is cut when the cluster believes it', async () => {
    const { told, changed, endOffset } = await damaged({ replicas: [NODE, 2, 3], isr: [NODE, 2] })
    expect([told, endOffset()]).toEqual([[LOST_DIRECTORY], 5])
    await changed(LOST_DIRECTORY, GIVEN_UP)
    expect([told, endOffset()]).toEqual([[LOST_DIRECTORY, HERE], 2])
  })

  test('that is out of sync says so too: its leader may just have it put into the ISR', async () => {
    const { told, changed, endOffset } = await damaged(GIVEN_UP)
    await changed(HERE, GIVEN_UP)
    expect([told, endOffset()]).toEqual([[LOST_DIRECTORY, LOST_DIRECTORY], 5])
    await changed(LOST_DIRECTORY, GIVEN_UP)
    expect(endOffset()).toBe(2)
  })

  test('that is eligible to lead is not cut', async () => {
    const { told, changed, endOffset } = await damaged({ replicas: [NODE, 2, 3], isr: [NODE, 2] })
    await changed(LOST_DIRECTORY, { ...GIVEN_UP, eligibleLeaderReplicas: [NODE] })
    expect([told, endOffset()]).toEqual([[LOST_DIRECTORY, LOST_DIRECTORY], 5])
  })

  test('is not cut while nobody leads', async () => {
    const { changed, endOffset } = await damaged(GIVEN_UP)
    await changed(LOST_DIRECTORY, { ...GIVEN_UP, leader: -1 })
    expect(endOffset()).toBe(5)
  })

  test('is not given up while nobody else is in sync', async () => {
    const { told, changed, endOffset } = await damaged({
      replicas: [NODE, 2],
      isr: [NODE],
      eligibleLeaderReplicas: [2],
    })
    await changed(HERE, { replicas: [NODE, 2], isr: [], leader: -1, eligibleLeaderReplicas: [NODE, 2] })
    expect([told, endOffset()]).toEqual([[], 5])
  })

  test.each([
    ['eligible', { isr: [], eligibleLeaderReplicas: [NODE, 2] }],
    ['last in sync, where nobody is eligible,', { isr: [NODE], eligibleLeaderReplicas: [] }],
  ])('that is %s is there again when all others have gone since: it leads, as it is', async (_, left) => {
    const { told, changed, endOffset } = await damaged({ replicas: [NODE, 2, 3], isr: [NODE, 2] })
    await changed(LOST_DIRECTORY, { replicas: [NODE, 2, 3], leader: -1, ...left })
    expect([told, endOffset()]).toEqual([[LOST_DIRECTORY, HERE], 5])
    await changed(HERE, { replicas: [NODE, 2, 3], leader: NODE, isr: [NODE], eligibleLeaderReplicas: [2] })
    expect(told.length).toBe(2)
    await changed(HERE, { replicas: [NODE, 2, 3], leader: NODE, isr: [NODE, 2] })
    expect([told.slice(2), endOffset()]).toEqual([[LOST_DIRECTORY], 5])
  })

  test('is cut after a truncation that is under way', async () => {
    const { partition, changed, settle, endOffset } = await damaged(GIVEN_UP)
    let end = (): void => {}
    const under = partition.truncate(() => new Promise<void>((resolve) => void (end = resolve)))
    await changed(LOST_DIRECTORY, GIVEN_UP)
    expect(endOffset()).toBe(5)
    end()
    await under
    await settle()
    expect(endOffset()).toBe(2)
  })

  test('is cut once it is out of sync, where the cluster knows of no directories', async () => {
    const { changed, endOffset } = await damaged(GIVEN_UP)
    await changed(MIGRATING_DIRECTORY, GIVEN_UP)
    expect(endOffset()).toBe(2)
  })
})
