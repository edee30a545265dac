import { ErrorCode } from '../protocol/errors.ts'

export interface RecordError {
  readonly batchIndex: number
  readonly message: string
}

/** Where an append ended up, or why it did not. */
export interface AppendOutcome {
  readonly error: ErrorCode
  readonly message: string | null
  readonly recordErrors: readonly RecordError[]
  readonly baseOffset: number
  /** The offset behind the append: acknowledged when the log, or the high watermark, gets there. */
  readonly nextOffset: number
  readonly logAppendTimeMs: number
  readonly logStartOffset: number
  readonly recordCount: number
}

export const NO_RECORD_ERRORS: readonly RecordError[] = []

/** Errors with which Kafka does not tell where the log starts. */
export const WITHOUT_LOG_START: ReadonlySet<ErrorCode> = new Set([
  ErrorCode.CORRUPT_MESSAGE,
  ErrorCode.MESSAGE_TOO_LARGE,
  ErrorCode.RECORD_LIST_TOO_LARGE,
  ErrorCode.KAFKA_STORAGE_ERROR,
])

export function refusedAppend(
  error: ErrorCode,
  message: string | null = null,
  recordErrors = NO_RECORD_ERRORS,
): AppendOutcome {
  return {
    error,
    message,
    recordErrors,
    baseOffset: -1,
    nextOffset: -1,
    logAppendTimeMs: -1,
    logStartOffset: -1,
    recordCount: 0,
  }
}
