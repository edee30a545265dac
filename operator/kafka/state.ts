/** What a cluster's nodes say of it, read in one go. Plain data: planners are pure functions of it. */
export interface KafkaState {
  readonly clusterId: string
  /** Registered and not fenced, by node id. */
  readonly brokers: ReadonlyMap<number, { readonly rack: string | null }>
  readonly quorum: {
    /** -1 where there is none. */
    readonly leaderId: number
    readonly voters: readonly QuorumReplica[]
    readonly observers: readonly QuorumReplica[]
  }
  /** Of every topic, internal ones too. */
  readonly partitions: readonly PartitionState[]
  /** Levels of the feature metadata.version (KIP-584): the finalized one, and what the broker that was asked supports. */
  readonly metadataVersion: { readonly finalized: number; readonly min: number; readonly max: number }
}

/** A replica of the metadata log. */
export interface QuorumReplica {
  readonly id: number
  /** 22 characters of base64url. */
  readonly directoryId: string
  readonly logEndOffset: number
  /** How long ago it had all that the leader had, in ms; null: never caught up. */
  readonly lagMs: number | null
}

export interface PartitionState {
  readonly topic: string
  readonly topicId: string
  readonly partition: number
  readonly leader: number | null
  /** Node ids, the preferred leader first. */
  readonly replicas: readonly number[]
  readonly isr: readonly number[]
  /** Of a reassignment under way (KIP-455). */
  readonly adding: readonly number[]
  readonly removing: readonly number[]
  /** Effective min.insync.replicas of the topic. */
  readonly minIsr: number
}

/** Why nothing is known of a cluster. */
export interface Unreachable {
  readonly error: string
}
