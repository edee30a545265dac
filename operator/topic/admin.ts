import type { KafkaCluster } from '../api/resource.ts'

/** A topic as its cluster has it. */
export interface TopicState {
  /** 22 characters of base64url. */
  readonly topicId: string
  readonly partitions: number
  /** Of the partition that has the fewest; those that are only on their way do not count. */
  readonly replicas: number
  /** Only what is set for this topic, not what it inherits. */
  readonly config: ReadonlyMap<string, string>
}

export interface NewTopic {
  readonly name: string
  readonly partitions: number
  /** Null: the cluster's default. */
  readonly replicas: number | null
  readonly config: ReadonlyMap<string, string>
}

/** What the topic reconciler asks of a cluster. Rejects with TopicRefusal where the broker says no, with anything else where it does not answer. */
export interface TopicAdmin {
  /** Null: there is no such topic. */
  describe(name: string): Promise<TopicState | null>
  /** Resolves with what there is then. */
  create(topic: NewTopic): Promise<TopicState>
  /** Raises the number of partitions to `partitions`. */
  grow(name: string, partitions: number): Promise<void>
  /** Sets and unsets, in one step; what is in neither stays. */
  alterConfig(name: string, set: ReadonlyMap<string, string>, unset: readonly string[]): Promise<void>
  /** By its id: one that somebody has made anew stays. A topic that is not there is no error. */
  delete(topicId: string): Promise<void>
  /** Whether any replica of it has a byte. Rejects where that cannot be told of all of its partitions. */
  hasRecords(name: string): Promise<boolean>
}

/** The admin client of a cluster; it may be kept, and is asked for each time. */
export type AdminOf = (cluster: KafkaCluster) => TopicAdmin

/** The broker understood and refused: asking again changes nothing. */
export class TopicRefusal extends Error {
  /** Kafka's error name, such as INVALID_REPLICATION_FACTOR. */
  readonly code: string

  constructor(code: string, message: string) {
    super(message)
    this.code = code
  }
}

/** A Kafka error name as the reason of a condition: INVALID_CONFIG -> InvalidConfig. */
export function reasonOf(code: string): string {
  return code
    .toLowerCase()
    .split('_')
    .map((word) => word.charAt(0).toUpperCase() + word.slice(1))
    .join('')
}
