// Generated from crds/kafkacluster.yaml by "npm run generate:crds": do not edit.

export interface KafkaClusterSpec {
  /**
   * Which Kafka runs: bundled is Ottla's own broker, apache the Apache Kafka image.
   */
  distribution: 'bundled' | 'apache'
  /**
   * Kafka version of every node, one of those that the operator has an image of.
   */
  version: string
  /**
   * Level of metadata.version, such as 4.3 or 4.3-IV0, to stay at; that of spec.version without it.
   */
  metadataVersion?: string
  /**
   * Groups of equal nodes; one StatefulSet each.
   */
  pools: {
    name: string
    /**
     * What the nodes do; both on the same nodes in small clusters, apart in large ones.
     */
    roles: ('controller' | 'broker')[]
    /**
     * Number of nodes.
     */
    replicas: number
    /**
     * Persistent volumes of each node. They are kept when the cluster is deleted.
     */
    storage: {
      /**
       * Size of each volume, as a Kubernetes quantity (100Gi).
       */
      size: string
      /**
       * StorageClass; the cluster's default without it.
       */
      class?: string
      /**
       * Volumes a node; each is a log directory.
       */
      volumes: number
    }
    /**
     * CPU and memory of each node, as in a container.
     */
    resources: {
      requests?: {
        [k: string]: number | string
      }
      limits?: {
        [k: string]: number | string
      }
    }
    /**
     * What else the pods get.
     */
    template: {
      metadata?: {
        labels?: {
          [k: string]: string
        }
        annotations?: {
          [k: string]: string
        }
      }
      nodeSelector?: {
        [k: string]: string
      }
      affinity?: {
        [k: string]: unknown
      }
      tolerations?: {
        [k: string]: unknown
      }[]
      topologySpreadConstraints?: {
        [k: string]: unknown
      }[]
      priorityClassName?: string
      imagePullSecrets?: {
        name: string
      }[]
    }
  }[]
  /**
   * Where clients connect.
   */
  listeners: {
    name: string
    port: number
    /**
     * internal: inside of Kubernetes; nodeport: a port of every Kubernetes node; loadbalancer: a load balancer for each broker, and one to begin with; ingress, tlsroute: one address for all, where an Ingress controller or a Gateway passes TLS through by server name (SNI).
     */
    type: 'internal' | 'nodeport' | 'loadbalancer' | 'ingress' | 'tlsroute'
    /**
     * true: brokers speak TLS, with the certificate of certificate.secretName.
     */
    tls: boolean
    /**
     * What brokers show to clients.
     */
    certificate?: {
      /**
       * A Secret in the namespace of the cluster with tls.crt, the chain of certificates for every name that brokers and the bootstrap are reached by, and tls.key, both PEM: what cert-manager makes. Brokers take on another one without a restart.
       */
      secretName: string
    }
    /**
     * ingress: what the Ingresses of this listener get.
     */
    ingress?: {
      /**
       * IngressClass; the cluster's default without it.
       */
      className?: string
      /**
       * {nodeId} in a value stands for the broker's id; such an annotation is for brokers' Ingresses only. Those of the operator, which switch TLS passthrough on, can be replaced.
       */
      annotations?: {
        [k: string]: string
      }
    }
    /**
     * tlsroute: the Gateways that TLSRoutes are attached to.
     */
    gateway?: {
      /**
       * Gateways with a listener of protocol TLS and mode Passthrough.
       */
      parentRefs: {
        name: string
        /**
         * The cluster's without it.
         */
        namespace?: string
        /**
         * A listener of the Gateway; all that fit without it.
         */
        sectionName?: string
        port?: number
      }[]
    }
    /**
     * nodeport: which address of a Kubernetes node brokers advertise, where the node has it; otherwise the first of ExternalDNS, ExternalIP, InternalDNS, InternalIP, Hostname.
     */
    addressType?: 'ExternalDNS' | 'ExternalIP' | 'InternalDNS' | 'InternalIP' | 'Hostname'
    /**
     * What brokers advertise instead of what Kubernetes tells.
     */
    advertised?: {
      /**
       * A name or an address without a port, which is `port`; {nodeId} stands for the broker's id: broker-{nodeId}.example.org.
       */
      host?: string
      /**
       * 443 without it for types ingress and tlsroute, and for their bootstrap too.
       */
      port?: number
    }
    /**
     * What the Services of this listener get.
     */
    service?: {
      /**
       * {nodeId} in a value stands for the broker's id; such an annotation is for brokers' Services only.
       */
      annotations?: {
        [k: string]: string
      }
      labels?: {
        [k: string]: string
      }
      /**
       * Of the brokers' Services. Local keeps the client's address and saves a hop.
       */
      externalTrafficPolicy?: 'Cluster' | 'Local'
      loadBalancerClass?: string
      loadBalancerSourceRanges?: string[]
      allocateLoadBalancerNodePorts?: boolean
    }
    /**
     * Where clients begin.
     */
    bootstrap?: {
      /**
       * false: no Service to begin with, which with type loadbalancer is a load balancer less; clients then begin with the brokers.
       */
      enabled: boolean
      /**
       * Told in status instead of the address that Kubernetes gives; types ingress and tlsroute: the name by which clients begin.
       */
      host?: string
      /**
       * Without it Kubernetes chooses one.
       */
      nodePort?: number
      /**
       * Of the Service to begin with; types ingress and tlsroute: of the Ingress or TLSRoute.
       */
      annotations?: {
        [k: string]: string
      }
    }
    /**
     * What is different for single brokers.
     */
    brokers?: {
      nodeId: number
      host?: string
      port?: number
      /**
       * Without it Kubernetes chooses one.
       */
      nodePort?: number
      /**
       * Of the broker's Service; types ingress and tlsroute: of its Ingress or TLSRoute.
       */
      annotations?: {
        [k: string]: string
      }
    }[]
  }[]
  /**
   * Where brokers are: replicas of a partition are spread over racks, and consumers may read from their own (KIP-36, KIP-392).
   */
  rack?: {
    /**
     * The label of Kubernetes nodes that names their rack, such as topology.kubernetes.io/zone.
     */
    topologyKey: string
  }
  /**
   * Which KafkaTopic resources the cluster takes, and what becomes of their records.
   */
  topics: {
    /**
     * Namespaces, besides the cluster's own, whose KafkaTopics may name this cluster; '*' stands for all. Whoever may create a KafkaTopic there may change and delete topics.
     */
    namespaces: string[]
    /**
     * true: a topic that has records outlives its KafkaTopic, whatever the deletionPolicy of that says.
     */
    deleteProtection: boolean
  }
  /**
   * Kafka's own broker keys (log.retention.hours: 168).
   */
  config: {
    [k: string]: number | string
  }
  /**
   * How pods are restarted. What Kafka can change while it runs restarts none.
   */
  rolling?: {
    /**
     * Nodes that may be away at once; more than one only where they share no partition, such as brokers of one rack.
     */
    maxUnavailable: number
    /**
     * When pods may be restarted, in UTC: Sat 02:00-06:00, Mon-Fri 22:00-04:00, 03:00-04:00; always without it. Pods in which nothing runs are replaced any time.
     */
    windows?: string[]
    /**
     * No pod is restarted; status.rollout shows what would be.
     */
    paused: boolean
  }
  /**
   * How replicas move between brokers.
   */
  rebalance: {
    /**
     * auto: brokers that are added get their share of all partitions; none: only of new ones, until a KafkaRebalance is made.
     */
    onScale: 'auto' | 'none'
    /**
     * Bytes a second that each broker may spend on moving replicas, such as 50M; no limit without it.
     */
    throttle?: string
  }
  /**
   * What the cluster promises of every topic.
   */
  durability: {
    /**
     * Replicas of a topic that does not say; 3, or the number of brokers where that is lower, without it.
     */
    replicationFactor?: number
    /**
     * Replicas that must have a write before it is acknowledged; replicationFactor - 1, at least 1, without it.
     */
    minInSyncReplicas?: number
    /**
     * enforce: topics are changed to meet it; warn: topics that do not are reported.
     */
    policy: 'enforce' | 'warn'
  }
  /**
   * When to raise an alarm, and where the operator itself does.
   */
  alerts?: {
    /**
     * How long partitions may lack replicas in sync before that is an alert, such as 90s, 5m or 1h30m.
     */
    underReplicatedFor: string
    /**
     * An Alertmanager that the operator tells itself, for clusters without Prometheus.
     */
    alertmanager?: {
      /**
       * Without the path of the API, such as http://alertmanager.monitoring:9093.
       */
      url: string
    }
  }
  /**
   * Objects for the Prometheus Operator, where that is installed; both without this.
   */
  monitoring?: {
    /**
     * A PodMonitor, which has the nodes scraped.
     */
    podMonitor: boolean
    /**
     * A PrometheusRule with the alerts of this cluster.
     */
    rules: boolean
  }
}

export interface KafkaClusterStatus {
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
   * Kafka's cluster id: 22 characters of base64url.
   */
  clusterId?: string
  /**
   * Kafka version that every node has; while it changes, the one before.
   */
  version?: string
  /**
   * Finalized level of metadata.version, such as 4.3-IV0.
   */
  metadataVersion?: string
  /**
   * Restarts that are to be made, and why.
   */
  rollout?: {
    /**
     * Complete: every pod is as wanted. Blocked: it goes on by itself once blockedBy is over. Failed: a pod that is as wanted does not start. Waiting: for a window.
     */
    state: 'Complete' | 'Rolling' | 'Blocked' | 'Failed' | 'Waiting' | 'Paused'
    message?: string
    /**
     * In order; the first 100.
     */
    plan?: {
      pod: string
      reasons: string[]
      how: 'restart' | 'dynamic'
    }[]
    /**
     * What is waited for; the first 20.
     */
    blockedBy?: {
      pod?: string
      topic?: string
      partition?: number
      /**
       * Node ids.
       */
      isr?: number[]
      minIsr?: number
      message: string
    }[]
  }
  /**
   * Who keeps the metadata log; there once it has had a leader.
   */
  quorum?: {
    /**
     * Node id of the active controller.
     */
    leader?: number
    /**
     * Node ids.
     */
    voters: number[]
  }
  /**
   * Replicas that move between brokers.
   */
  reassignment?: {
    state: 'Idle' | 'Moving' | 'Cancelling' | 'Blocked'
    message?: string
    /**
     * Partitions whose replicas have still to move.
     */
    moves: number
    /**
     * What is still to be copied.
     */
    bytesLeft: number
    /**
     * Brokers that are being emptied to be removed.
     */
    draining?: number[]
    /**
     * New brokers that are getting their share.
     */
    filling?: number[]
  }
  /**
   * Partitions of all topics, as Kafka last said.
   */
  partitions?: {
    total: number
    /**
     * With a replica that is not in sync.
     */
    underReplicated: number
    /**
     * With fewer replicas in sync than min.insync.replicas: writes with acks=all fail.
     */
    underMinIsr: number
    /**
     * Without a leader.
     */
    offline: number
  }
  readyNodes?: number
  listeners?: {
    name: string
    bootstrapServers: string
    /**
     * What clients have to trust (ca.crt of the Secret, PEM), where the operator may read it: rbac.certificates of its chart.
     */
    certificate?: string
  }[]
  /**
   * Pools that there are; one of which only volumes are left has 0 replicas, and its node ids stay its own.
   */
  pools?: {
    name: string
    replicas: number
    ready: number
    nodeIds: number[]
  }[]
}
