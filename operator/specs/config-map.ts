import { brokerKey } from '../../broker/config/broker-keys.ts'
import { THREAD_POOLS } from '../../broker/config/dynamic-config.ts'
import { isTakenAtStart } from '../../broker/config/without-effect.ts'
import { crc32c } from '../../broker/lib/crc32c.ts'
import { CONFIG_MAP } from '../api/resource.ts'
import type { KafkaCluster, Manifest } from '../api/resource.ts'
import { brokerConfig } from './broker-config.ts'
import type { Placement } from './broker-config.ts'
import { ownedManifest } from './labels.ts'
import {
  CONTROLLER_PORT,
  isBroker,
  isController,
  METRICS_PORT,
  nodeHost,
  nodesOf,
  propertiesKey,
  statefulSetName,
} from './nodes.ts'
import type { Node, Pool } from './nodes.ts'
import { programsOf } from './programs.ts'
import { formatProperties } from './properties.ts'
import { listenerPorts } from './services.ts'
import { DATA_ROOT } from './volumes.ts'

/**
 * A pool's ConfigMap: one server.properties a pod. It never changes: another configuration is another ConfigMap, so that a container that
 * starts again by itself starts with what it had, and what a pod runs with can be read from the one that it has.
 */
export function configMap(cluster: KafkaCluster, pool: Pool): Manifest {
  const data = { ...programsOf(cluster).files, ...propertiesByPod(cluster, pool) }
  return {
    ...ownedManifest(cluster, CONFIG_MAP, `${configMapPrefix(cluster, pool)}${hash(data)}`, { pool }),
    immutable: true,
    data,
  }
}

/** What the names of a pool's ConfigMaps begin with. */
export function configMapPrefix(cluster: KafkaCluster, pool: Pool): string {
  return `${statefulSetName(cluster, pool)}-config-`
}

/** Its length makes it unlikely enough that two configurations have the same name; Kubernetes would refuse the second one. */
function hash(data: Record<string, string>): string {
  const text = Object.entries(data).flat().join('\n')
  return `${text.length.toString(16)}-${crc32c(Buffer.from(text)).toString(16).padStart(8, '0')}`
}

/** The configuration of a node that runs in a pod, what can be changed while it runs included. */
export function podConfig(cluster: KafkaCluster, node: Node): Map<string, string> {
  return brokerConfig(cluster, node, podPlacement(cluster, node))
}

/**
 * What the brokers of a cluster take on without a restart (KIP-226, mode cluster-wide). It is in the metadata log, and in no server.properties:
 * a key that were in both could not be taken back without a restart.
 */
export function dynamicConfig(cluster: KafkaCluster): Map<string, string> {
  const node = nodesOf(cluster).find(({ pool }) => isBroker(pool))
  if (node === undefined) return new Map()
  return new Map([...podConfig(cluster, node)].filter(([key]) => isDynamic(cluster, key)))
}

function staticPart(cluster: KafkaCluster, config: ReadonlyMap<string, string>): Map<string, string> {
  return new Map([...config].filter(([key]) => !isDynamic(cluster, key)))
}

/** Providers fill in what stands beside them: values of server.properties are of no use without. */
const PROVIDERS = 'config.providers'

/**
 * Apache Kafka checks pools of threads also when a broker starts: one whose snapshot of the metadata does not have them yet, a new one for instance,
 * comes from the default to what is set in one leap, refuses that, and takes on none of the other dynamic configs either. Some of what it takes on while
 * it runs the bundled broker does not.
 */
function isDynamic({ spec }: KafkaCluster, key: string): boolean {
  const needsStart = spec.distribution === 'apache' ? THREAD_POOLS.has(key) : isTakenAtStart(key)
  return key !== PROVIDERS && !needsStart && brokerKey(key)?.dynamic === 'cluster-wide'
}

function propertiesByPod(cluster: KafkaCluster, pool: Pool): Record<string, string> {
  return Object.fromEntries(
    nodesOf(cluster)
      .filter((node) => node.pool.name === pool.name)
      .map((node) => [propertiesKey(node.podName), formatProperties(staticPart(cluster, podConfig(cluster, node)))]),
  )
}

function podPlacement(cluster: KafkaCluster, node: Node): Placement {
  return {
    bindHost: '0.0.0.0',
    advertisedHost: nodeHost(cluster, node),
    ports: listenerPorts(cluster),
    // A directory below the mount point: file systems put lost+found there, which Kafka would take for a partition.
    logDirs: Array.from({ length: node.pool.storage.volumes }, (_, volume) => `${DATA_ROOT}/data-${volume}/kafka`),
    metricsListen: `0.0.0.0:${METRICS_PORT}`,
    controllers: nodesOf(cluster)
      .filter(({ pool }) => isController(pool))
      .map((controller) => `${nodeHost(cluster, controller)}:${CONTROLLER_PORT}`),
  }
}
