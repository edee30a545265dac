import { join } from 'node:path'
import type { KafkaCluster } from '../api/resource.ts'
import { brokerConfig } from '../specs/broker-config.ts'
import {
  CONTROLLER_LISTENER,
  INTERNAL_LISTENER,
  isBroker,
  isController,
  METRICS_PORT,
  nodesOf,
} from '../specs/nodes.ts'
import type { Node } from '../specs/nodes.ts'
import { formatProperties } from '../specs/properties.ts'
import { quorumArgs } from '../specs/quorum.ts'

const HOST = '127.0.0.1'

export interface LayoutOptions {
  /** Absolute: where the data of the cluster is. */
  readonly directory: string
  readonly clusterId: string
  /** Of the first listener, instead of the spec's. */
  readonly port: number | null
  readonly metricsPort: number | null
}

/** Where one node of a cluster lives on this machine. */
export interface LocalNode {
  readonly name: string
  readonly isBroker: boolean
  readonly directory: string
  readonly propertiesFile: string
  readonly properties: string
  /** What kafka-storage is told besides. */
  readonly formatArgs: readonly string[]
  readonly logFile: string
  readonly metricsPort: number
  /** What each port is for, for messages. */
  readonly ports: ReadonlyMap<string, number>
}

/** The nodes of `cluster` as local processes: the same server.properties as in pods, but for places. */
export function localNodes(cluster: KafkaCluster, options: LayoutOptions): LocalNode[] {
  const nodes = nodesOf(cluster)
  const ports = portsOf(cluster, nodes, options)
  const at = (node: Node): string => `${HOST}:${ports.get(node.podName)?.get(CONTROLLER_LISTENER) ?? 0}`
  const controllers = nodes.filter(({ pool }) => isController(pool)).map(at)
  return nodes.map((node) => {
    const own = new Map(ports.get(node.podName))
    const metricsPort = own.get(METRICS) ?? 0
    own.delete(METRICS)
    const directory = join(options.directory, node.podName)
    const properties = brokerConfig(cluster, node, {
      bindHost: HOST,
      advertisedHost: HOST,
      ports: own,
      logDirs: Array.from({ length: node.pool.storage.volumes }, (_, volume) => join(directory, `data-${volume}`)),
      metricsListen: `${HOST}:${metricsPort}`,
      controllers,
    })
    return {
      name: node.podName,
      isBroker: isBroker(node.pool),
      directory,
      propertiesFile: join(directory, 'server.properties'),
      properties: formatProperties(properties),
      formatArgs: ['-t', options.clusterId, ...quorumArgs(cluster, node.pool, options.clusterId, at)],
      logFile: join(directory, 'broker.log'),
      metricsPort,
      ports: ports.get(node.podName) ?? new Map(),
    }
  })
}

const METRICS = 'metrics'

/**
 * A port for everything, by pod name: the brokers' listeners from the spec's ports on, one after the other; then the controllers' and the brokers' own,
 * where nothing else wants to be.
 */
function portsOf(
  cluster: KafkaCluster,
  nodes: readonly Node[],
  { port, metricsPort }: LayoutOptions,
): Map<string, Map<string, number>> {
  const ports = new Map(nodes.map(({ podName }) => [podName, new Map<string, number>()]))
  const wanted = new Set(cluster.spec.listeners.map((listener) => listener.port))
  const taken = new Set<number>()
  const assign = (name: string, first: number, served: readonly Node[]): void => {
    let next = first
    for (const node of served) {
      while (taken.has(next) || (next !== first && wanted.has(next))) next += 1
      taken.add(next)
      ports.get(node.podName)?.set(name, next)
    }
  }
  const brokers = nodes.filter(({ pool }) => isBroker(pool))
  for (const [index, listener] of cluster.spec.listeners.entries()) {
    assign(listener.name, index === 0 ? (port ?? listener.port) : listener.port, brokers)
  }
  const first = Math.min(...taken)
  assign(
    CONTROLLER_LISTENER,
    first,
    nodes.filter(({ pool }) => isController(pool)),
  )
  assign(INTERNAL_LISTENER, first, brokers)
  assign(METRICS, metricsPort ?? METRICS_PORT, nodes)
  return ports
}
