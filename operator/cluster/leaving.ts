import type { KafkaCluster } from '../api/resource.ts'
import { isBroker, isController, nodesOf } from '../specs/nodes.ts'
import type { Node } from '../specs/nodes.ts'

/** What becomes of the nodes of a cluster whose pools change. */
export interface Staffing {
  /** Brokers that are to stay, or to come. */
  readonly brokers: ReadonlyMap<number, Node>
  /** Brokers that run and are to be emptied. */
  readonly leavingBrokers: ReadonlyMap<number, Node>
  /** Controllers that are to be voters. */
  readonly controllers: ReadonlyMap<number, Node>
  /** Nodes that run and are to go, whatever they are. */
  readonly leaving: readonly Node[]
}

/** `running`: with the pools that run; `asked`: with those that the user wants, and the same status: node ids come from it. Pure. */
export function staffingOf(running: KafkaCluster, asked: KafkaCluster): Staffing {
  const wanted = nodesOf(asked)
  const brokers = byId(wanted.filter(({ pool }) => isBroker(pool)))
  const now = nodesOf(running)
  return {
    brokers,
    leavingBrokers: byId(now.filter(({ pool, nodeId }) => isBroker(pool) && !brokers.has(nodeId))),
    controllers: byId(wanted.filter(({ pool }) => isController(pool))),
    leaving: now.filter(({ nodeId }) => !wanted.some((node) => node.nodeId === nodeId)),
  }
}

function byId(nodes: readonly Node[]): Map<number, Node> {
  return new Map(nodes.map((node) => [node.nodeId, node]))
}
