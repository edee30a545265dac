import type { KafkaCluster } from '../api/resource.ts'
import { certificateConfig } from './certificates.ts'
import { rolesOf } from './labels.ts'
import { brokerCount, CONTROLLER_LISTENER, INTERNAL_LISTENER, isBroker, isController } from './nodes.ts'
import type { Node } from './nodes.ts'
import { programsOf } from './programs.ts'

/** Where a node lives: in a pod, or in a process of this machine. */
export interface Placement {
  /** What listeners bind to. */
  readonly bindHost: string
  /** What others reach the node by. */
  readonly advertisedHost: string
  /** Listener name -> port; has the operator's own listeners too, and may have some that this node does not serve. */
  readonly ports: ReadonlyMap<string, number>
  readonly logDirs: readonly string[]
  /** `host:port` of /metrics, /healthz and /readyz. */
  readonly metricsListen: string
  /** `host:port` of each controller. */
  readonly controllers: readonly string[]
}

/** server.properties of `node`. The operator's keys win over spec.config; admission refuses them there anyway. */
export function brokerConfig(cluster: KafkaCluster, node: Node, placement: Placement): Map<string, string> {
  const config = new Map<string, string>()
  const set = (entries: Record<string, string | number>): void => {
    for (const [key, value] of Object.entries(entries)) config.set(key, String(value))
  }
  set(internalTopics(cluster))
  set(cluster.spec.config)
  set(durabilityConfig(cluster))
  set(identityConfig(node, placement))
  if (programsOf(cluster).hasMetrics) set({ 'metrics.listen': placement.metricsListen })
  set(listenerConfig(cluster, node, placement))
  return config
}

/** spec.durability with what it leaves out filled in. */
export function durabilityOf(cluster: KafkaCluster): { replicationFactor: number; minInSyncReplicas: number } {
  const brokers = brokerCount(cluster)
  const replicationFactor = cluster.spec.durability.replicationFactor ?? Math.min(3, brokers)
  const minInSyncReplicas = cluster.spec.durability.minInSyncReplicas ?? Math.max(1, replicationFactor - 1)
  return { replicationFactor, minInSyncReplicas }
}

function durabilityConfig(cluster: KafkaCluster): Record<string, number> {
  const { replicationFactor, minInSyncReplicas } = durabilityOf(cluster)
  return { 'default.replication.factor': replicationFactor, 'min.insync.replicas': minInSyncReplicas }
}

/** Kafka's defaults here (3 replicas, 2 in sync) could not be met by fewer than 3 brokers. */
function internalTopics(cluster: KafkaCluster): Record<string, number> {
  const { replicationFactor, minInSyncReplicas } = durabilityOf(cluster)
  return {
    'offsets.topic.replication.factor': replicationFactor,
    'transaction.state.log.replication.factor': replicationFactor,
    'transaction.state.log.min.isr': minInSyncReplicas,
    'share.coordinator.state.topic.replication.factor': replicationFactor,
    'share.coordinator.state.topic.min.isr': minInSyncReplicas,
  }
}

function identityConfig(node: Node, placement: Placement): Record<string, string | number> {
  return {
    'node.id': node.nodeId,
    'process.roles': rolesOf(node.pool),
    'controller.listener.names': CONTROLLER_LISTENER.toUpperCase(),
    'controller.quorum.bootstrap.servers': placement.controllers.join(','),
    'log.dirs': placement.logDirs.join(','),
  }
}

function listenerConfig(cluster: KafkaCluster, node: Node, placement: Placement): Record<string, string> {
  const served = [...placement.ports].filter(([name]) =>
    name === CONTROLLER_LISTENER ? isController(node.pool) : isBroker(node.pool),
  )
  const at = (host: string): string => served.map(([name, port]) => `${listenerName(name)}://${host}:${port}`).join(',')
  // Of every listener, also those that only other nodes serve: this one connects to them.
  const own = [CONTROLLER_LISTENER, INTERNAL_LISTENER].map((name) => ({ name, tls: false }))
  const protocols = [...own, ...cluster.spec.listeners].map(
    ({ name, tls }) => `${listenerName(name)}:${tls ? 'SSL' : 'PLAINTEXT'}`,
  )
  return {
    listeners: at(placement.bindHost),
    'advertised.listeners': at(placement.advertisedHost),
    'listener.security.protocol.map': protocols.join(','),
    'inter.broker.listener.name': listenerName(INTERNAL_LISTENER),
    ...(isBroker(node.pool) ? certificateConfig(cluster) : {}),
  }
}

/** Kafka's name of a listener of spec.listeners. */
function listenerName(name: string): string {
  return name.toUpperCase()
}
