// Generated from crds/kafkarebalance.yaml by "npm run generate:crds": do not edit.

export interface KafkaRebalanceSpec {
  /**
   * The KafkaCluster, in the namespace of this resource.
   */
  cluster: {
    name: string
  }
  /**
   * full: racks, replicas, leaders and bytes of all brokers; add-brokers: their share for some; remove-brokers: everything away from some.
   */
  mode: 'full' | 'add-brokers' | 'remove-brokers'
  /**
   * Node ids.
   */
  brokers?: number[]
  /**
   * manual: the plan waits for the annotation kafka.ottla.dev/rebalance=approve; auto: it does not.
   */
  approval: 'manual' | 'auto'
  /**
   * Bytes a second that each broker may spend on moving replicas; spec.rebalance.throttle of the cluster without it.
   */
  throttle?: string
}

export interface KafkaRebalanceStatus {
  observedGeneration?: number
  conditions?: {
    type: string
    status: 'True' | 'False' | 'Unknown'
    observedGeneration?: number
    lastTransitionTime: string
    reason: string
    message: string
  }[]
  state?: 'Proposed' | 'Rebalancing' | 'Stopped' | 'Done'
  /**
   * What is to be done, and what comes of it.
   */
  plan?: {
    /**
     * Partitions whose replicas move.
     */
    moves: number
    /**
     * Partitions that only get another leader.
     */
    reorders: number
    /**
     * What is to be copied.
     */
    bytes: number
    /**
     * Where the whole plan is, as kafka-reassign-partitions reads it.
     */
    configMap?: string
    /**
     * By how many percent the fullest broker is above the mean; 0 is even.
     */
    before: {
      replicas: number
      leaders: number
      bytes: number
    }
    /**
     * By how many percent the fullest broker is above the mean; 0 is even.
     */
    after: {
      replicas: number
      leaders: number
      bytes: number
    }
  }
  /**
   * What is left of the plan.
   */
  progress?: {
    /**
     * Partitions that are not yet as planned.
     */
    moves: number
  }
}
