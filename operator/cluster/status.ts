import type { Health } from '../api/conditions.ts'
import { conditionsOf } from '../api/conditions.ts'
import type { KafkaClusterStatus } from '../api/kafkacluster.ts'
import type { KafkaCluster } from '../api/resource.ts'
import { bootstrapServers, brokersMissing, nodesOf } from '../specs/nodes.ts'
import { poolStatuses } from '../specs/pool-status.ts'
import { isPodReady, podTrouble } from './kubernetes.ts'
import type { Pod, StatefulSet } from './kubernetes.ts'
import { isRolledOut } from './plan.ts'

/** What a cluster's brokers say, or why they do not. */
export type Answer = { readonly clusterId: string; readonly nodeIds: readonly number[] } | { readonly error: string }

/** What is there after the plan has been applied. */
export interface Applied {
  readonly cluster: KafkaCluster
  readonly clusterId: string
  readonly statefulSets: readonly StatefulSet[]
  readonly pods: readonly Pod[]
  /** Null: not asked, since not every pod is ready. */
  readonly answer: Answer | null
}

/** How the cluster is doing. */
export function healthOf({ cluster, clusterId, statefulSets, pods, answer }: Applied): Health {
  const troubles = nodesOf(cluster).flatMap(({ podName }) => {
    const pod = pods.find(({ metadata }) => metadata.name === podName)
    if (pod === undefined) return [`${podName}: not created yet`]
    return isPodReady(pod) ? [] : [`${podName}: ${podTrouble(pod)}`]
  })
  if (troubles.length > 0) return progressing('PodsNotReady', troubles.join('; '))
  const rolling = statefulSets.filter((set) => !isRolledOut(set))
  if (rolling.length > 0) {
    const names = rolling.map(({ metadata }) => metadata.name).join(', ')
    return progressing('RollingUpdate', `pods of ${names} are being replaced`)
  }
  if (answer === null) return progressing('PodsNotReady', 'the brokers have not been asked yet')
  if ('error' in answer) {
    return {
      state: 'unknown',
      reason: 'BrokersUnreachable',
      message: `the pods are ready, but the brokers do not answer: ${answer.error}`,
    }
  }
  if (answer.clusterId !== clusterId) {
    const message = `the brokers have cluster id ${answer.clusterId} instead of ${clusterId}: their volumes are of another cluster`
    return { state: 'stalled', reason: 'ClusterIdConflict', message }
  }
  const missing = brokersMissing(cluster, answer.nodeIds)
  if (missing.length > 0) {
    return progressing(
      'BrokersNotRegistered',
      `not registered yet: ${missing.map(({ podName }) => podName).join(', ')}`,
    )
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
export function statusOf(applied: Applied, health: Health, nowMs: number): KafkaClusterStatus {
  const { cluster, clusterId, pods } = applied
  const ready = pods.filter(isPodReady).map(({ metadata }) => metadata.name)
  const version = health.state === 'ready' ? cluster.spec.version : cluster.status?.version
  return {
    ...statusFor(cluster, health, nowMs),
    clusterId,
    ...(version === undefined ? {} : { version }),
    readyNodes: ready.length,
    listeners: cluster.spec.listeners.map(({ name, port }) => ({
      name,
      bootstrapServers: bootstrapServers(cluster, port),
    })),
    pools: poolStatuses(cluster, ready),
  }
}

/** A status that says `health` and keeps the rest. */
export function statusFor(cluster: KafkaCluster, health: Health, nowMs: number): KafkaClusterStatus {
  const generation = cluster.metadata.generation ?? 0
  return {
    ...cluster.status,
    observedGeneration: generation,
    conditions: conditionsOf(health, generation, cluster.status?.conditions, nowMs),
  }
}
