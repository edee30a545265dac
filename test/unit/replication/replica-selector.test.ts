import { expect, test } from '@jest/globals'
import { MetadataDelta } from '../../../broker/metadata/delta.ts'
import { MetadataImage } from '../../../broker/metadata/image.ts'
import { ReplicaSelector } from '../../../broker/replication/replica-selector.ts'
import { record, uuid } from '../metadata/records.ts'
import { NODE, PartitionRig } from './rig.ts'

const RACK_AWARE = 'org.apache.kafka.common.replica.RackAwareReplicaSelector'
const POSITION = { logStartOffset: 0, brokerEpoch: -1 }

function clusterOf(racks: readonly string[]): MetadataImage {
  const delta = new MetadataDelta(MetadataImage.EMPTY)
  for (const [index, rack] of racks.entries()) {
    const endPoints = [{ name: 'PLAINTEXT', host: 'h', port: 1, securityProtocol: 0 }]
    const value = { brokerId: index + 1, incarnationId: uuid(1), brokerEpoch: 1n, endPoints, features: [], rack }
    delta.replay(record('RegisterBrokerRecord', { ...value, fenced: false, logDirs: [] }, 4))
  }
  return delta.finish({ offset: 1, epoch: 1, timestampMs: 0 })
}

async function select(
  rack: string,
  fetchOffset: number,
  isr: readonly number[] = [1, 2, 3],
): Promise<number | undefined> {
  const image = clusterOf(['a', 'b', 'b'])
  const selector = ReplicaSelector.of(RACK_AWARE, { nodeId: NODE }, { image: () => image })
  const rig = await PartitionRig.open({ replicas: [1, 2, 3], isr })
  rig.append('v', 'w')
  rig.partition.fetchedBy(2, { ...POSITION, fetchOffset: 1 })
  rig.partition.fetchedBy(3, { ...POSITION, fetchOffset: 2 })
  return selector?.forConsumer(rack, 'PLAINTEXT')?.(rig.partition, fetchOffset)
}

test.each([
  ['goes to the replica in its rack that has most', 'b', 1, [1, 2, 3], 3],
  ['stays where no replica in its rack has that offset', 'b', 3, [1, 2, 3], -1],
  ['stays where the replicas in its rack are not in sync', 'b', 0, [1], -1],
  ['stays where its rack has no replica', 'c', 0, [1, 2, 3], -1],
])('a consumer %s', async (_, rack, fetchOffset, isr, expected) => {
  expect(await select(rack, fetchOffset, isr)).toBe(expected)
})

test('a consumer without a rack or in that of this broker, and a broker without the selector, have no choice', async () => {
  expect(await select('a', 0)).toBeUndefined()
  expect(await select('', 0)).toBeUndefined()
  expect(ReplicaSelector.of(null, { nodeId: NODE }, { image: () => MetadataImage.EMPTY })).toBeUndefined()
})
