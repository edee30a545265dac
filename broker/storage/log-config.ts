/**
 * The topic-level settings that a log obeys, named as their keys in camelCase. Sizes are in bytes, times in ms; "for ever" and
 * "without limit" are -1 for the retention settings, as in Kafka, and Long.MAX_VALUE or Infinity for the others.
 */
export interface LogConfig {
  readonly segmentBytes: number
  readonly segmentMs: number
  /** At most this much is taken off `segmentMs`, so that logs do not all roll at once. */
  readonly segmentJitterMs: number
  /** A new segment's file is `segmentBytes` long from the start. */
  readonly preallocate: boolean
  /** Largest size of one index file, and its size while the segment is active. */
  readonly segmentIndexBytes: number
  readonly indexIntervalBytes: number
  readonly retentionBytes: number
  readonly retentionMs: number
  /** Any of `delete`, `compact`; empty keeps everything. */
  readonly cleanupPolicy: readonly string[]
  /** How long files of a deleted segment or log stay on disk under their new name. */
  readonly fileDeleteDelayMs: number
  /** fsync after this many records; what is not synced then does not count as acknowledged. */
  readonly flushMessages: number
  readonly flushMs: number
}

/** The defaults of the topic settings in Apache Kafka 4.3. */
export const DEFAULT_LOG_CONFIG: LogConfig = {
  segmentBytes: 1_073_741_824,
  segmentMs: 604_800_000,
  segmentJitterMs: 0,
  preallocate: false,
  segmentIndexBytes: 10_485_760,
  indexIntervalBytes: 4096,
  retentionBytes: -1,
  retentionMs: 604_800_000,
  cleanupPolicy: ['delete'],
  fileDeleteDelayMs: 60_000,
  flushMessages: Infinity,
  flushMs: Infinity,
}
