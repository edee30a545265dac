/** Levels of metadata.version that changed the records which the controller writes. */
const MIGRATION = 8
const LEADER_EPOCH_KEPT_ON_SHRINK = 12
const CONTROLLER_REGISTRATION = 15
const TRANSACTIONS = 13
const DIRECTORY_ASSIGNMENT = 17
export const ELIGIBLE_LEADER_REPLICAS = 23
const CORDONED_LOG_DIRS = 30

/** The version in which a record is written, by the finalized level of metadata.version. */
export function partitionRecordVersion(metadataVersion: number): number {
  if (metadataVersion >= ELIGIBLE_LEADER_REPLICAS) return 2
  return metadataVersion >= DIRECTORY_ASSIGNMENT ? 1 : 0
}

export function registerBrokerRecordVersion(metadataVersion: number): number {
  if (metadataVersion >= CORDONED_LOG_DIRS) return 4
  if (metadataVersion >= DIRECTORY_ASSIGNMENT) return 3
  return metadataVersion >= MIGRATION ? 2 : 1
}

/** KIP-858: partitions say in which log directory each replica is. */
export function supportsDirectoryAssignment(metadataVersion: number): boolean {
  return metadataVersion >= DIRECTORY_ASSIGNMENT
}

/** KIP-919: controllers register themselves. */
export function supportsControllerRegistration(metadataVersion: number): boolean {
  return metadataVersion >= CONTROLLER_REGISTRATION
}

export function supportsCordonedLogDirs(metadataVersion: number): boolean {
  return metadataVersion >= CORDONED_LOG_DIRS
}

/** KIP-868. */
export function supportsTransactions(metadataVersion: number): boolean {
  return metadataVersion >= TRANSACTIONS
}

/** Before, followers learned of a smaller ISR by a new leader epoch. */
export function bumpsLeaderEpochOnShrink(metadataVersion: number): boolean {
  return metadataVersion < LEADER_EPOCH_KEPT_ON_SHRINK
}
