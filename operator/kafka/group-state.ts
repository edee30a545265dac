/** A consumer group and how far it is behind. */
export interface GroupState {
  readonly groupId: string
  /** As Kafka names it: Stable, Empty, PreparingRebalance, … */
  readonly state: string
  /** Null: of a protocol that does not tell. */
  readonly members: number | null
  /** Node id. */
  readonly coordinator: number
  readonly topics: readonly GroupTopic[]
}

export interface GroupTopic {
  readonly topic: string
  readonly partitions: number
  /** Records between the committed offsets and the ends of the partitions, of those whose end is known. */
  readonly lag: number
  /** The sum of the committed offsets: it grows by what is consumed. */
  readonly committed: number
}
