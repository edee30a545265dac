// Generated from crds/kafkatopic.yaml by "npm run generate:crds": do not edit.

export interface KafkaTopicSpec {
  /**
   * The KafkaCluster that holds the topic.
   */
  cluster: {
    name: string
    /**
     * The namespace of this resource without it.
     */
    namespace?: string
  }
  /**
   * The topic's name in Kafka; metadata.name without it.
   */
  topicName?: string
  partitions: number
  /**
   * Replication factor; the cluster's spec.durability.replicationFactor without it.
   */
  replicas?: number
  /**
   * Kafka's own topic keys (retention.ms: 86400000). What is not here has the cluster's default.
   */
  config: {
    [k: string]: number | string
  }
  /**
   * What happens to the topic and its records when this resource is deleted.
   */
  deletionPolicy: 'delete' | 'retain'
}

export interface KafkaTopicStatus {
  observedGeneration?: number
  conditions?: {
    type: string
    status: 'True' | 'False' | 'Unknown'
    observedGeneration?: number
    lastTransitionTime: string
    reason: string
    message: string
  }[]
  /**
   * The topic's name in Kafka.
   */
  topicName?: string
  /**
   * Kafka's topic id: 22 characters of base64url.
   */
  topicId?: string
  partitions?: number
  replicas?: number
  /**
   * A change of the replication factor that is asked for.
   */
  replicasChange?: {
    state: 'Pending' | 'Refused'
    message: string
  }
}
