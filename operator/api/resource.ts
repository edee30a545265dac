import type { KafkaClusterSpec, KafkaClusterStatus } from './kafkacluster.ts'
import type { KafkaRebalanceSpec, KafkaRebalanceStatus } from './kafkarebalance.ts'
import type { KafkaTopicSpec, KafkaTopicStatus } from './kafkatopic.ts'

export const GROUP = 'kafka.ottla.dev'
export const VERSION = 'v1alpha1'

/** Labels and annotations of what the operator makes. */
export const LABEL_CLUSTER = `${GROUP}/cluster`
export const LABEL_POOL = `${GROUP}/pool`
/** On what runs a broker: the bootstrap Service selects by it. */
export const LABEL_BROKER = `${GROUP}/broker`
export const LABEL_MANAGED_BY = 'app.kubernetes.io/managed-by'
export const MANAGED_BY = 'ottla-operator'
export const ANNOTATION_CLUSTER_ID = `${GROUP}/cluster-id`
/** Of a pool: `1000-1002`. */
export const ANNOTATION_NODE_IDS = `${GROUP}/node-ids`
/** Of a pool: `broker,controller`. */
export const ANNOTATION_ROLES = `${GROUP}/roles`
/** Of a StatefulSet: its pool as JSON, as it was last in the KafkaCluster. */
export const ANNOTATION_POOL = `${GROUP}/pool`
/** Of a StatefulSet: `formed` once the quorum has had a leader. */
export const ANNOTATION_QUORUM = `${GROUP}/quorum`
/** Of a node's first volume: `draining` while the node is being emptied to be removed, `drained` from then on. */
export const ANNOTATION_DRAIN = `${GROUP}/drain`
/** Of a pod: what it was made of, part by part. */
export const ANNOTATION_PARTS = `${GROUP}/template`
/** Of a pod: the image that was asked for. The one that it has may be another: webhooks put registries of their own before it. */
export const ANNOTATION_IMAGE = `${GROUP}/image`
/** On a KafkaCluster: every pod is restarted once for each value. On a pod: that one is. */
export const ANNOTATION_RESTART = `${GROUP}/restart`
/** Of a pod: the value that its KafkaCluster had. */
export const ANNOTATION_RESTARTED_FOR = `${GROUP}/restarted-for`

/** On a KafkaCluster: `stop` cancels what is being reassigned, and starts nothing until it is taken off. */
export const ANNOTATION_REASSIGNMENT = `${GROUP}/reassignment`
/** On a KafkaRebalance, taken off when it is done: `approve`, `stop` or `refresh`. */
export const ANNOTATION_REBALANCE = `${GROUP}/rebalance`

export interface OwnerReference {
  apiVersion: string
  kind: string
  name: string
  uid: string
  controller?: boolean
  blockOwnerDeletion?: boolean
}

/** ObjectMeta, as far as the operator uses it. */
export interface ObjectMeta {
  name: string
  namespace?: string
  uid?: string
  resourceVersion?: string
  generation?: number
  creationTimestamp?: string
  deletionTimestamp?: string
  labels?: Record<string, string>
  annotations?: Record<string, string>
  finalizers?: string[]
  ownerReferences?: OwnerReference[]
}

/** Any Kubernetes object. */
export interface Resource {
  apiVersion: string
  kind: string
  metadata: ObjectMeta
}

/** Any Kubernetes object with fields of its own that the caller knows. */
export interface Manifest extends Resource {
  [field: string]: unknown
}

/** A resource type of the API. */
export interface ResourceType {
  readonly apiVersion: string
  readonly kind: string
  readonly plural: string
}

export const KAFKA_CLUSTER = {
  apiVersion: `${GROUP}/${VERSION}`,
  kind: 'KafkaCluster',
  plural: 'kafkaclusters',
} as const
export const KAFKA_TOPIC = { apiVersion: `${GROUP}/${VERSION}`, kind: 'KafkaTopic', plural: 'kafkatopics' } as const
export const KAFKA_REBALANCE = {
  apiVersion: `${GROUP}/${VERSION}`,
  kind: 'KafkaRebalance',
  plural: 'kafkarebalances',
} as const
export const STATEFUL_SET = { apiVersion: 'apps/v1', kind: 'StatefulSet', plural: 'statefulsets' } as const
export const SERVICE = { apiVersion: 'v1', kind: 'Service', plural: 'services' } as const
export const CONFIG_MAP = { apiVersion: 'v1', kind: 'ConfigMap', plural: 'configmaps' } as const
export const SECRET = { apiVersion: 'v1', kind: 'Secret', plural: 'secrets' } as const
export const SERVICE_ACCOUNT = { apiVersion: 'v1', kind: 'ServiceAccount', plural: 'serviceaccounts' } as const
export const POD = { apiVersion: 'v1', kind: 'Pod', plural: 'pods' } as const
export const PERSISTENT_VOLUME_CLAIM = {
  apiVersion: 'v1',
  kind: 'PersistentVolumeClaim',
  plural: 'persistentvolumeclaims',
} as const
export const POD_DISRUPTION_BUDGET = {
  apiVersion: 'policy/v1',
  kind: 'PodDisruptionBudget',
  plural: 'poddisruptionbudgets',
} as const
export const LEASE = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', plural: 'leases' } as const
export const EVENT = { apiVersion: 'events.k8s.io/v1', kind: 'Event', plural: 'events' } as const

export interface KafkaCluster extends Resource {
  spec: KafkaClusterSpec
  status?: KafkaClusterStatus
}

export interface KafkaTopic extends Resource {
  spec: KafkaTopicSpec
  status?: KafkaTopicStatus
}

export interface KafkaRebalance extends Resource {
  spec: KafkaRebalanceSpec
  status?: KafkaRebalanceStatus
}

/** `namespace/name`: what queues and caches know an object by. */
export type Key = string

export function keyOf(resource: Resource): Key {
  return `${resource.metadata.namespace ?? ''}/${resource.metadata.name}`
}

export function splitKey(key: Key): { namespace: string; name: string } {
  const slash = key.indexOf('/')
  return { namespace: key.slice(0, slash), name: key.slice(slash + 1) }
}

/** The key of the KafkaCluster that a KafkaTopic names. */
export function clusterKeyOf(topic: KafkaTopic): Key {
  return `${topic.spec.cluster.namespace ?? topic.metadata.namespace ?? ''}/${topic.spec.cluster.name}`
}

/** The name in Kafka of a KafkaTopic. */
export function topicNameOf(topic: KafkaTopic): string {
  return topic.spec.topicName ?? topic.metadata.name
}
