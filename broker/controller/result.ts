import type { ErrorCode } from '../protocol/errors.ts'
import type { MetadataRecordInputOf, MetadataRecordType } from '../protocol/metadata-record.ts'

/** A record to append to the metadata log. */
export type NewMetadataRecord<T extends MetadataRecordType = MetadataRecordType> = {
  [K in T]: { readonly type: K; readonly version: number; readonly value: MetadataRecordInputOf<K> }
}[T]

/** What a change of the metadata comes to: records that are appended in one batch, all or none, and the answer once they are committed. */
export interface Outcome<R> {
  readonly records: readonly NewMetadataRecord[]
  readonly response: R
  /** Each record is a change of its own: many of them may go into several batches. */
  readonly isDivisible?: boolean
}

/** A refusal for one resource of a request. The message is what users read, in Kafka's words. */
export class ApiError extends Error {
  readonly code: ErrorCode
  constructor(code: ErrorCode, message = '') {
    super(message)
    this.code = code
  }

  /** Null for none, as it goes into a response. */
  get text(): string | null {
    return this.message === '' ? null : this.message
  }
}

/** The result of `work`, or the ApiError that it threw. */
export function attempt<T>(work: () => T): T | ApiError {
  try {
    return work()
  } catch (error) {
    if (error instanceof ApiError) return error
    throw error
  }
}

/** A refusal as an answer: nothing is changed. */
export function attemptOutcome<R>(work: () => Outcome<R>): Outcome<R | ApiError> {
  const outcome = attempt(work)
  return outcome instanceof ApiError ? { records: [], response: outcome } : outcome
}

/** The elements of an optional list in a message. */
export type ElementOf<T> = NonNullable<T> extends readonly (infer E)[] ? E : never

/** The values that occur more than once. */
export function duplicates(values: Iterable<string>): Set<string> {
  const seen = new Set<string>()
  const twice = new Set<string>()
  for (const value of values) {
    if (seen.has(value)) twice.add(value)
    seen.add(value)
  }
  return twice
}
