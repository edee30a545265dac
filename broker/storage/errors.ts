import { DiskError } from '../env/disk.ts'

/** Why an append was refused: Kafka's error names. */
export type AppendError =
  | 'OUT_OF_ORDER_SEQUENCE_NUMBER'
  | 'INVALID_PRODUCER_EPOCH'
  | 'INVALID_TXN_STATE'
  | 'TRANSACTION_COORDINATOR_FENCED'
  | 'RECORD_LIST_TOO_LARGE'
  | 'INVALID_RECORD'
  | 'CORRUPT_MESSAGE'
  | 'OFFSET_OUT_OF_RANGE'
  | 'KAFKA_STORAGE_ERROR'

export type StorageErrorCode =
  | 'OFFSET_OUT_OF_RANGE'
  | 'KAFKA_STORAGE_ERROR'
  | 'INCONSISTENT_TOPIC_ID'
  | 'LOG_DIR_NOT_FOUND'
  | 'INCONSISTENT_CLUSTER_ID'
  | 'CORRUPT_FILE'

/** A batch in a file is not what was written. */
export class DamagedBatchError extends Error {
  /** All batches before this offset are good, as far as they were looked at. */
  readonly offset: number
  constructor(offset: number) {
    super(`A batch at or behind offset ${offset} is damaged`)
    this.offset = offset
  }
}

/** Used after it was closed: its segment or its log is deleted. The disk is all right. */
export class FileClosedError extends DiskError {
  constructor(path: string) {
    super('OTHER', path, `${path} is closed`)
  }
}

/** A storage operation that did not do what it was asked; `code` is Kafka's error name where Kafka has one. */
export class StorageError extends Error {
  readonly code: StorageErrorCode
  constructor(code: StorageErrorCode, message: string, cause?: unknown) {
    super(message, { cause })
    this.code = code
  }
}

/** What there is to tell an operator. */
export const TOO_MANY_FILES =
  'the process has too many files and sockets open: raise its limit (ulimit -n, LimitNOFILE=) or lower max.connections'

/** Whether this, or what caused it, is not the disk's fault: the process has too many files open. What failed can be tried again. */
export function isTooManyFiles(error: unknown): boolean {
  const cause = error instanceof StorageError ? error.cause : error
  return cause instanceof DiskError && cause.code === 'EMFILE'
}
