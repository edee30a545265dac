import { ErrorCode } from '../protocol/errors.ts'
import type { BatchFlaw, ProduceVerdict } from '../records/validate.ts'
import type { PartitionLog } from '../storage/log.ts'

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
  /** Of a batch that was refused: what is counted of it. */
  readonly flaw?: BatchFlaw
}

const NO_RECORD_ERRORS: readonly RecordError[] = []

/** Errors with which Kafka does not tell where the log starts. */
const WITHOUT_LOG_START: ReadonlySet<ErrorCode> = new Set([
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

/** Appends, as the leader in `leaderEpoch`, what has been validated. */
export function appendChecked(verdict: ProduceVerdict, log: PartitionLog, leaderEpoch: number): AppendOutcome {
  if (!verdict.ok) {
    const outcome = refusedBy(log, ErrorCode[verdict.error], verdict.message, verdict.recordErrors)
    return verdict.flaw === undefined ? outcome : { ...outcome, flaw: verdict.flaw }
  }
  const appended = log.appendAsLeader(verdict.bytes, leaderEpoch)
  if (!appended.ok) return refusedBy(log, ErrorCode[appended.error], appended.message)
  return {
    error: ErrorCode.NONE,
    message: null,
    recordErrors: NO_RECORD_ERRORS,
    baseOffset: appended.baseOffset,
    nextOffset: appended.lastOffset + 1,
    logAppendTimeMs: appended.repeatedTimestampMs ?? verdict.logAppendTimeMs,
    logStartOffset: appended.logStartOffset,
    recordCount: appended.duplicate ? 0 : verdict.recordCount,
  }
}

/** Producers learn from the log's start whether their earlier records can be gone (KIP-360); of some errors Kafka does not tell it. */
function refusedBy(
  { logStartOffset }: PartitionLog,
  error: ErrorCode,
  message: string,
  recordErrors?: readonly RecordError[],
): AppendOutcome {
  const outcome = refusedAppend(error, message, recordErrors)
  return WITHOUT_LOG_START.has(error) ? outcome : { ...outcome, logStartOffset }
}
