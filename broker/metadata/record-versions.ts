/** Levels of metadata.version that changed the records which the controller writes. */
const IN_CONTROLLED_SHUTDOWN = 7
const DIRECTORY_ASSIGNMENT = 17
const ELIGIBLE_LEADER_REPLICAS = 23
const CORDONED_LOG_DIRS = 30

/** The version in which a record is written, by the finalized level of metadata.version. */
export function partitionRecordVersion(metadataVersion: number): number {
  if (metadataVersion >= ELIGIBLE_LEADER_REPLICAS) return 2
  return metadataVersion >= DIRECTORY_ASSIGNMENT ? 1 : 0
}

export function registerBrokerRecordVersion(metadataVersion: number): number {
  if (metadataVersion >= CORDONED_LOG_DIRS) return 4
  if (metadataVersion >= DIRECTORY_ASSIGNMENT) return 3
  return metadataVersion >= IN_CONTROLLED_SHUTDOWN ? 1 : 0
}

/** KIP-858: partitions say in which log directory each replica is. */
export function supportsDirectoryAssignment(metadataVersion: number): boolean {
  return metadataVersion >= DIRECTORY_ASSIGNMENT
}

/** KIP-919: controllers register themselves. */
export function supportsControllerRegistration(metadataVersion: number): boolean {
  return metadataVersion >= 15
}

export function supportsCordonedLogDirs(metadataVersion: number): boolean {
  return metadataVersion >= CORDONED_LOG_DIRS
}
