/** A broker as clients see it on one listener. */
export interface BrokerView {
  readonly id: number
  readonly host: string
  readonly port: number
  readonly rack: string | null
  readonly isFenced: boolean
}

export interface PartitionView {
  readonly index: number
  /** -1: none. */
  readonly leader: number
  readonly leaderEpoch: number
  readonly replicas: readonly number[]
  readonly isr: readonly number[]
  readonly eligibleLeaderReplicas: readonly number[]
  readonly lastKnownElr: readonly number[]
}

export interface TopicView {
  readonly name: string
  readonly id: string
  readonly isInternal: boolean
  /** In the order of their indexes. */
  readonly partitions: readonly PartitionView[]
}

/** The cluster as the metadata log has it, seen through what clients ask of it. */
export interface ClusterView {
  readonly clusterId: string
  /** -1: none known. With KRaft any live broker will do: it forwards. */
  controllerId(): number
  /** Registered and not fenced, with an endpoint on `listener`. */
  liveBrokers(listener: string): readonly BrokerView[]
  /** As `liveBrokers`, the fenced ones too. */
  brokers(listener: string): readonly BrokerView[]
  isLive(broker: number): boolean
  endpoint(broker: number, listener: string): BrokerView | undefined
  /** In the order of their names. */
  topics(): readonly TopicView[]
  topic(name: string): TopicView | undefined
  topicById(id: string): TopicView | undefined
}
