import { isUuid, uuidFromBytes, uuidToBytes, ZERO_UUID } from '../lib/uuid.ts'

/** Ids of log directories that stand for something else (KIP-858). */
export const MIGRATING_DIRECTORY = ZERO_UUID
/** The broker has not chosen a directory yet. */
export const UNASSIGNED_DIRECTORY = reserved(1)
/** The replica was in a directory that has failed. */
export const LOST_DIRECTORY = reserved(2)

/** All ids below this one are reserved. */
const RESERVED_DIRECTORIES = 100

function reserved(id: number): string {
  const bytes = new Uint8Array(16)
  bytes[15] = id
  return uuidFromBytes(bytes)
}

/** Whether no directory may have this id; true for what is no uuid. */
export function isReservedDirectory(directory: string): boolean {
  if (!isUuid(directory)) return true
  const bytes = uuidToBytes(directory)
  return bytes.subarray(0, 15).every((byte) => byte === 0) && (bytes[15] ?? 0) < RESERVED_DIRECTORIES
}

/**
 * Whether a replica in `directory` can be read, on a broker that has `online` directories. A broker that has told none registered under a
 * metadata.version without directories: it would have stopped had it lost them.
 */
export function isOnlineDirectory(directory: string, online: readonly string[]): boolean {
  if (directory === UNASSIGNED_DIRECTORY || directory === MIGRATING_DIRECTORY) return true
  if (directory === LOST_DIRECTORY) return false
  return online.length === 0 || online.includes(directory)
}
