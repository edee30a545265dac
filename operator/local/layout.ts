import { join } from 'node:path'
import type { KafkaCluster } from '../api/resource.ts'
import { brokerConfig } from '../specs/broker-config.ts'
import { CONTROLLER_LISTENER, INTERNAL_LISTENER, METRICS_PORT, nodesOf } from '../specs/nodes.ts'
import type { Node } from '../specs/nodes.ts'
import { formatProperties } from '../specs/properties.ts'
import { LocalError } from './local-error.ts'

const HOST = '127.0.0.1'

export interface LayoutOptions {
  /** Absolute: where the data of all clusters is. */
  readonly dataRoot: string
  /** Of the first listener, instead of the spec's. */
  readonly port: number | null
  readonly metricsPort: number | null
}

/** Where one node of a cluster lives on this machine. */
export interface LocalNode {
  readonly name: string
  readonly directory: string
  readonly propertiesFile: string
  readonly properties: string
  readonly logFile: string
  readonly metricsPort: number
  /** What each port is for, for messages. */
  readonly ports: ReadonlyMap<string, number>
}

/** The node of `cluster` as a local process: the same server.properties as in a pod, but for places. Throws LocalError. */
export function localNode(cluster: KafkaCluster, options: LayoutOptions): LocalNode {
  const [node, ...others] = nodesOf(cluster)
  if (node === undefined || others.length > 0) {
    const count = others.length + 1
    throw new LocalError(
      `KafkaCluster ${cluster.metadata.name} has ${count} nodes: clusters of several nodes are not supported yet`,
    )
  }
  const directory = join(options.dataRoot, cluster.metadata.name, node.podName)
  const ports = portsOf(cluster, options.port)
  const metricsPort = options.metricsPort ?? METRICS_PORT
  return {
    name: node.podName,
    directory,
    propertiesFile: join(directory, 'server.properties'),
    properties: propertiesOf(cluster, node, directory, ports, metricsPort),
    logFile: join(directory, 'broker.log'),
    metricsPort,
    ports: new Map([...ports, ['metrics', metricsPort]]),
  }
}

function propertiesOf(
  cluster: KafkaCluster,
  node: Node,
  directory: string,
  ports: ReadonlyMap<string, number>,
  metricsPort: number,
): string {
  const volumes = Array.from({ length: node.pool.storage.volumes }, (_, volume) => join(directory, `data-${volume}`))
  return formatProperties(
    brokerConfig(cluster, node, {
      bindHost: HOST,
      advertisedHost: HOST,
      ports,
      logDirs: volumes,
      metricsListen: `${HOST}:${metricsPort}`,
      controllers: [`${HOST}:${ports.get(CONTROLLER_LISTENER) ?? 0}`],
    }),
  )
}

/** The listeners' own ports; the controller's and the brokers' follow the first one, where nothing else wants to be. */
function portsOf(cluster: KafkaCluster, firstPort: number | null): Map<string, number> {
  const ports = new Map(
    cluster.spec.listeners.map(({ name, port }, index) => [name, index === 0 ? (firstPort ?? port) : port]),
  )
  const taken = new Set(ports.values())
  let next = [...ports.values()][0] ?? 0
  for (const name of [CONTROLLER_LISTENER, INTERNAL_LISTENER]) {
    do next += 1
    while (taken.has(next))
    ports.set(name, next)
  }
  return ports
}
