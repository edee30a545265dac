import { type MetadataImage, RECOVERED } from '../metadata/image.ts'
import { ErrorCode } from '../protocol/errors.ts'
import { directoryOn, isActive } from './cluster.ts'
import { partitionRecordVersion } from '../metadata/record-versions.ts'
import { ApiError, type NewMetadataRecord } from './result.ts'

/** The record of a new partition: the active replicas are its ISR, and the first of them leads. */
export function newPartition(
  image: MetadataImage,
  topicId: string,
  partitionId: number,
  replicas: readonly number[],
): NewMetadataRecord {
  const isr = replicas.filter((id) => isActive(image, id))
  const [leader] = isr
  if (leader === undefined) {
    const which = `partition ${partitionId} are fenced or in controlled shutdown.`
    throw new ApiError(
      ErrorCode.INVALID_REPLICA_ASSIGNMENT,
      `All brokers specified in the manual partition assignment for ${which}`,
    )
  }
  return {
    type: 'PartitionRecord',
    version: partitionRecordVersion(image.metadataVersion),
    value: {
      partitionId,
      topicId,
      replicas: [...replicas],
      isr,
      removingReplicas: [],
      addingReplicas: [],
      leader,
      leaderEpoch: 0,
      partitionEpoch: 0,
      directories: replicas.map((id) => directoryOn(image, id)),
      leaderRecoveryState: RECOVERED,
    },
  }
}
