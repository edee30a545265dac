import type { Address } from '../../../../broker/env/network.ts'

/** Whose software a node runs. */
export type Kind = 'ours' | 'apache'
export type Role = 'broker' | 'controller'

export interface NodePlan {
  readonly id: number
  readonly roles: readonly Role[]
  readonly kind: Kind
  /** Besides those of its roles: `NAME://host:port`. */
  readonly listeners?: readonly string[]
  readonly overrides?: Readonly<Record<string, string>>
}

export interface ClusterPlan {
  /** Names the directory of the nodes' logs under .cache/cluster. */
  readonly name: string
  readonly nodes: readonly NodePlan[]
  /** Lines of every node's `server.properties` that are added or replaced. */
  readonly overrides?: Readonly<Record<string, string>>
  /** Voters in the configuration (kraft.version 0), or in the metadata log (kraft.version 1, the default). */
  readonly quorum?: 'static' | 'dynamic'
  /** Gives every node a network namespace, so that links can be cut; needs root. Without, all nodes share the loopback. */
  readonly isolated?: boolean
  /** Where a node's data is, instead of in the cluster's temporary directory; a directory that exists. */
  readonly dataDirectoryOf?: (id: number) => string
  /** Flags of Apache Kafka's JVMs; a small one that starts soon where they are left out. */
  readonly jvm?: readonly string[]
}

/** Where a node listens; roles that it does not have are left out. */
export interface Place {
  readonly broker?: Address
  readonly controller?: Address
}

const BROKER_PORT = 9092
const CONTROLLER_PORT = 9093

/** Places on hosts of their own: the ports are the same everywhere. */
export function placeOn(host: string, { roles }: NodePlan): Place {
  return placeAt(host, roles, BROKER_PORT, CONTROLLER_PORT)
}

export function placeAt(host: string, roles: readonly Role[], broker: number, controller: number): Place {
  return {
    ...(roles.includes('broker') ? { broker: { host, port: broker } } : {}),
    ...(roles.includes('controller') ? { controller: { host, port: controller } } : {}),
  }
}

/** Three nodes with both roles, the smallest cluster that survives the loss of one. */
export function combined(kinds: readonly Kind[]): NodePlan[] {
  return kinds.map((kind, index) => ({ id: index + 1, roles: ['broker', 'controller'], kind }))
}

/** Controllers from id 101 on, brokers from id 1 on. */
export function separate(controllers: readonly Kind[], brokers: readonly Kind[]): NodePlan[] {
  return [
    ...controllers.map((kind, index): NodePlan => ({ id: 101 + index, roles: ['controller'], kind })),
    ...brokers.map((kind, index): NodePlan => ({ id: 1 + index, roles: ['broker'], kind })),
  ]
}

const textOf = ({ host, port }: Address): string => `${host}:${port}`

/** `server.properties` of one node. */
export function propertiesOf(
  plan: ClusterPlan,
  node: NodePlan,
  places: ReadonlyMap<number, Place>,
  logDir: string,
): string {
  const place = places.get(node.id) ?? {}
  const controllers = [...places].flatMap(([id, { controller }]) =>
    controller ? [{ id, text: textOf(controller) }] : [],
  )
  const listeners = [
    ...(place.broker ? [`PLAINTEXT://${textOf(place.broker)}`] : []),
    ...(place.controller ? [`CONTROLLER://${textOf(place.controller)}`] : []),
    ...(node.listeners ?? []),
  ].join(',')
  const quorum =
    plan.quorum === 'static'
      ? { 'controller.quorum.voters': controllers.map(({ id, text }) => `${id}@${text}`).join(',') }
      : { 'controller.quorum.bootstrap.servers': controllers.map(({ text }) => text).join(',') }
  const copies = String(Math.min(3, [...places.values()].filter(({ broker }) => broker).length))
  const properties: Record<string, string> = {
    'process.roles': node.roles.join(','),
    'node.id': String(node.id),
    listeners,
    'advertised.listeners': listeners,
    'controller.listener.names': 'CONTROLLER',
    ...quorum,
    'log.dirs': logDir,
    'default.replication.factor': copies,
    'min.insync.replicas': copies === '3' ? '2' : '1',
    'offsets.topic.replication.factor': copies,
    'offsets.topic.num.partitions': '3',
    'transaction.state.log.replication.factor': copies,
    'transaction.state.log.num.partitions': '3',
    'share.coordinator.state.topic.replication.factor': copies,
    'group.initial.rebalance.delay.ms': '0',
    'log.retention.ms': '-1',
    // Ours: no metrics endpoint; several nodes share the loopback.
    'metrics.listen': '',
    ...plan.overrides,
    ...node.overrides,
  }
  return Object.entries(properties)
    .map(([key, value]) => `${key}=${value}\n`)
    .join('')
}
