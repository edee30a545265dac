import type { GroupState } from './group-state.ts'

/** What brokers tell only of themselves, and consumer groups. Read less often than KafkaState, since every broker is asked. Plain data. */
export interface Survey {
  readonly logDirs: readonly LogDirState[]
  /** Node ids of those that answer as the leader of the metadata quorum. */
  readonly activeControllers: readonly number[]
  /** Brokers that take part and did not tell of themselves. */
  readonly silent: readonly number[]
  /** Null: they could not be told. */
  readonly groups: readonly GroupState[] | null
}

export interface LogDirState {
  readonly broker: number
  readonly path: string
  readonly isOnline: boolean
  /** Of its file system; null where the broker does not tell. */
  readonly space: { readonly totalBytes: number; readonly usableBytes: number } | null
}
