import { conditionsOf } from '../api/conditions.ts'
import type { ExtraCondition, Health } from '../api/conditions.ts'
import { firstOf } from '../api/first-of.ts'
import type { KafkaClusterStatus } from '../api/kafkacluster.ts'
import type { KafkaCluster } from '../api/resource.ts'
import type { KafkaState, Unreachable } from '../kafka/state.ts'
import { bootstrapServers, brokersMissing, nodesOf } from '../specs/nodes.ts'
import { poolStatuses } from '../specs/pool-status.ts'
import { isPodReady, podTrouble } from './kubernetes.ts'
import type { Observed } from './observe.ts'

/** How many pods a message names. */
const NAMED_MAX = 10

/** What is there after the plan has been applied. */
export interface Applied {
  readonly cluster: KafkaCluster
  readonly clusterId: string
  readonly observed: Observed
}

/** How the cluster is doing. */
export function healthOf(applied: Applied & { readonly kafka: KafkaState | Unreachable }): Health {
  const { cluster, clusterId, kafka } = applied
  const { pods } = applied.observed
  const troubles = nodesOf(cluster).flatMap(({ podName }) => {
    const pod = pods.find(({ metadata }) => metadata.name === podName)
    if (pod === undefined) return [`${podName}: not created yet`]
    return isPodReady(pod) ? [] : [`${podName}: ${podTrouble(pod)}`]
  })
  if (troubles.length > 0) return progressing('PodsNotReady', firstOf(troubles, NAMED_MAX))
  if ('error' in kafka) {
    return {
      state: 'unknown',
      reason: 'BrokersUnreachable',
      message: `the pods are ready, but the brokers do not answer: ${kafka.error}`,
    }
  }
  if (kafka.clusterId !== clusterId) {
    const message = `the brokers have cluster id ${kafka.clusterId} instead of ${clusterId}: their volumes are of another cluster`
    return { state: 'stalled', reason: 'ClusterIdConflict', message }
  }
  const missing = brokersMissing(cluster, [...kafka.brokers.keys()])
  if (missing.length > 0) {
    const names = missing.map(({ podName }) => podName)
    return progressing('BrokersNotRegistered', `not registered yet: ${firstOf(names, NAMED_MAX, ', ')}`)
  }
  return {
    state: 'ready',
    reason: 'Ready',
    message: `${nodesOf(cluster).length} of ${nodesOf(cluster).length} nodes are ready`,
  }
}

function progressing(reason: string, message: string): Health {
  return { state: 'progressing', reason, message }
}

/** The whole status of a cluster; fields that are not known now keep what they had. */
export function statusOf({ cluster, clusterId, observed }: Applied, said: Said): KafkaClusterStatus {
  const internal = cluster.spec.listeners.map(({ name, port }) => ({
    name,
    bootstrapServers: bootstrapServers(cluster, port),
  }))
  return {
    ...statusFor(cluster, said),
    clusterId,
    ...countsOf({ cluster, observed }),
    // Of those outside of Kubernetes a step tells: without it, addresses are what they were.
    ...(said.areAll ? { listeners: internal } : {}),
  }
}

/** How many nodes are ready, of all and of each pool. */
export function countsOf({ cluster, observed }: Omit<Applied, 'clusterId'>) {
  const ready = observed.pods.filter(isPodReady).map(({ metadata }) => metadata.name)
  return { readyNodes: ready.length, pools: poolStatuses(cluster, ready) }
}

/** What there is to say of a cluster's conditions. */
export interface Said {
  readonly health: Health
  readonly nowMs: number
  readonly extra?: readonly ExtraCondition[]
  /** Whether a type that is not in `extra` goes, or stays as it was. */
  readonly areAll: boolean
}

/** A status that says no more, and keeps the rest. */
export function statusFor(cluster: KafkaCluster, { health, nowMs, extra = [], areAll }: Said): KafkaClusterStatus {
  const generation = cluster.metadata.generation ?? 0
  return {
    ...cluster.status,
    observedGeneration: generation,
    conditions: conditionsOf(health, generation, cluster.status?.conditions, nowMs, extra, areAll),
  }
}
