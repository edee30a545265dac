import { ErrorCode } from '../protocol/errors.ts'
import type { Partition } from '../replication/partition.ts'
import type { ClusterView } from './cluster-view.ts'

/** A partition as a client named it: `topicId` where it goes by ids, else undefined. */
export interface NamedPartition {
  readonly topic: string
  readonly topicId: string | undefined
  readonly index: number
}

interface LeaderHint {
  readonly leaderId: number
  readonly leaderEpoch: number
}

interface NodeEndpoint {
  readonly nodeId: number
  readonly host: string
  readonly port: number
  readonly rack: string | null
}

const NO_LEADER: LeaderHint = { leaderId: -1, leaderEpoch: -1 }
const NO_ENDPOINTS: readonly NodeEndpoint[] = []

/** Tells clients that came to the wrong broker where the leaders are (KIP-951): one object an answer. */
export class LeaderHints {
  readonly #cluster: () => ClusterView
  readonly #listener: string
  #nodes: Map<number, NodeEndpoint> | undefined

  constructor(options: { readonly listener: string }, deps: { readonly cluster: () => ClusterView }) {
    this.#listener = options.listener
    this.#cluster = deps.cluster
  }

  /** The leader to tell of with `error`: as the replica here knows it, or else the metadata. */
  of(error: ErrorCode, partition: Partition | ErrorCode, named: NamedPartition): LeaderHint {
    if (error !== ErrorCode.NOT_LEADER_OR_FOLLOWER && error !== ErrorCode.FENCED_LEADER_EPOCH) return NO_LEADER
    const state = typeof partition === 'number' ? this.#known(named) : partition.state
    if (state === undefined) return NO_LEADER
    const node = this.#cluster().endpoint(state.leader, this.#listener)
    if (node !== undefined) {
      this.#nodes ??= new Map()
      this.#nodes.set(node.id, { nodeId: node.id, host: node.host, port: node.port, rack: node.rack })
    }
    return { leaderId: state.leader, leaderEpoch: state.leaderEpoch }
  }

  #known({ topic, topicId, index }: NamedPartition): { leader: number; leaderEpoch: number } | undefined {
    const cluster = this.#cluster()
    const view = topicId === undefined ? cluster.topic(topic) : cluster.topicById(topicId)
    return view?.partitions[index]
  }

  /** Where the leaders listen that were told of. */
  get endpoints(): readonly NodeEndpoint[] {
    return this.#nodes === undefined ? NO_ENDPOINTS : [...this.#nodes.values()]
  }
}
