import type { Endpoint } from './config/endpoint.ts'
import type { ServerConfig } from './config/server-config.ts'
import type { Traffic } from './client/connection.ts'
import { ControllerClient } from './client/controller-client.ts'
import type { CurrentConfig } from './current-config.ts'
import type { Env } from './env/env.ts'
import type { Address } from './env/network.ts'
import { MetadataLoader } from './metadata/loader.ts'
import type { ListenerKind } from './protocol/api.ts'
import { PeerTransport } from './raft-transport.ts'
import { RaftNode } from './raft/raft-node.ts'
import { staticVoters } from './raft/voters.ts'
import type { LogThreshold } from './telemetry/log-threshold.ts'
import type { Logger } from './telemetry/logger.ts'
import type { AnswerBudget } from './lib/answer-budget.ts'
import type { Metrics } from './telemetry/metrics.ts'

export interface NodeOptions {
  readonly config: ServerConfig
  readonly clusterId: string
  /** directory.id of metadata.log.dir. */
  readonly directoryId: string
  /** Of this process, for both roles. */
  readonly incarnationId: string
  /** What a listener without a host is advertised as. */
  readonly hostName: string
}

export interface NodeDeps {
  readonly env: Env
  readonly logger: Logger
  readonly logThreshold: LogThreshold
  readonly metrics: Metrics
  readonly current: CurrentConfig
  readonly answers: AnswerBudget
  /** The part of the time, 0 to 1, in which the event loop had nothing to do. */
  readonly idleRatio: () => number
  /** Called when this node has lost what it cannot go on without. */
  readonly onFailed: (error: unknown) => void
}

/** How long a connection to the controller may take at most. */
const CONNECT_TIMEOUT_MS = 5000
const ANY_HOST = new Set(['', '0.0.0.0', '::', '[::]'])

/** What every node has, whatever its roles: the metadata log, what it says, and the way to the active controller. */
export class Node implements AsyncDisposable {
  readonly options: NodeOptions
  readonly deps: NodeDeps
  readonly raft: RaftNode
  readonly loader: MetadataLoader
  /** The ports that listeners have, by name. */
  readonly ports: Map<string, number>
  readonly #transport: PeerTransport
  readonly #clients: ControllerClient[] = []
  readonly #leaderListeners: ((isLeader: boolean, leaderId: number) => void)[] = []

  private constructor(
    options: NodeOptions,
    deps: NodeDeps,
    { ports, raft, transport }: { ports: Map<string, number>; raft: RaftNode; transport: PeerTransport },
  ) {
    const { config } = options
    this.options = options
    this.deps = deps
    this.ports = ports
    this.raft = raft
    this.#transport = transport
    this.loader = new MetadataLoader(
      {
        snapshotAfterBytes: config.metadataLogMaxRecordBytesBetweenSnapshots,
        snapshotAfterMs: config.metadataLogMaxSnapshotIntervalMs,
      },
      { snapshots: raft, clock: deps.env.clock, logger: deps.logger },
    )
    this.loader.subscribe((delta, image) => deps.current.apply(delta, image))
  }

  /** Rejects as RaftNode.open does. */
  static async open(options: NodeOptions, deps: NodeDeps, ports: Map<string, number>): Promise<Node> {
    const { nodeId, controllerQuorumRequestTimeoutMs: requestTimeoutMs } = options.config
    const transport = new PeerTransport({ clientId: `raft-client-${nodeId}`, requestTimeoutMs }, deps.env)
    const raft = await openRaft(options, deps, transport, ports)
    return new Node(options, deps, { ports, raft, transport })
  }

  /** Is told each time that the leader of the quorum changes, -1: nobody; call before `start`. */
  onLeader(listener: (isLeader: boolean, leaderId: number) => void): void {
    this.#leaderListeners.push(listener)
  }

  /** Takes part in the quorum. */
  start(): void {
    const { config } = this.options
    // The loader first: whoever leads finds in it all that is committed.
    this.raft.register(this.loader)
    this.raft.register({
      onSnapshot: () => {},
      onCommit: () => {},
      onLeaderChange: ({ leaderId }) => {
        for (const client of this.#clients) client.relocate()
        for (const listener of this.#leaderListeners) listener(leaderId === config.nodeId, leaderId)
      },
    })
    this.raft.start()
  }

  /** A way to the active controller, for one purpose: requests of one connection wait for each other. Closed with the node. */
  controllerClient(purpose: string, requestTimeoutMs: number): ControllerClient {
    const { nodeId } = this.options.config
    // Who does not wait long for an answer does not wait longer for a connection either.
    const connectTimeoutMs = Math.min(CONNECT_TIMEOUT_MS, requestTimeoutMs)
    const client = new ControllerClient(
      { clientId: `broker-${nodeId}-${purpose}`, connectTimeoutMs, requestTimeoutMs },
      { ...this.deps.env, controllerAddress: () => this.#controllerAddress() },
    )
    this.#clients.push(client)
    return client
  }

  /** This node too is asked through its listener. */
  #controllerAddress(): Address | undefined {
    const { leaderId } = this.raft.leaderAndEpoch
    if (leaderId !== this.options.config.nodeId) return this.raft.leaderAddress
    const [endpoint] = this.endpoints('controller')
    if (endpoint === undefined) return undefined
    const port = this.ports.get(endpoint.name) ?? endpoint.port
    return { host: ANY_HOST.has(endpoint.host) ? '127.0.0.1' : endpoint.host, port }
  }

  /** The listeners of one kind, as they are bound. */
  endpoints(kind: ListenerKind): Endpoint[] {
    return endpointsOf(this.options.config, kind)
  }

  /** Where others reach an endpoint of this node that leaves host or port open. */
  reachable(endpoint: Endpoint): Endpoint {
    return reachable(endpoint, this.options.hostName, this.ports)
  }

  /** What went over the connections to other members of the quorum. */
  get raftTraffic(): Traffic {
    return this.#transport.traffic
  }

  get isQuorumLed(): boolean {
    return this.raft.leaderAndEpoch.leaderId >= 0
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const client of this.#clients) client.close()
    try {
      await this.raft.resign()
      await this.raft.close()
    } finally {
      // Also where the disk is full: as long as one is open, the process does not end.
      this.#transport.close()
    }
  }
}

function endpointsOf({ controllerListenerNames, listeners }: ServerConfig, kind: ListenerKind): Endpoint[] {
  return listeners.filter(({ name }) => controllerListenerNames.includes(name) === (kind === 'controller'))
}

function reachable(endpoint: Endpoint, hostName: string, ports: ReadonlyMap<string, number>): Endpoint {
  const port = endpoint.port === 0 ? (ports.get(endpoint.name) ?? 0) : endpoint.port
  return { ...endpoint, host: endpoint.host === '' ? hostName : endpoint.host, port }
}

function openRaft(
  { config, clusterId, directoryId, hostName }: NodeOptions,
  { env, logger, onFailed }: NodeDeps,
  transport: PeerTransport,
  ports: ReadonlyMap<string, number>,
): Promise<RaftNode> {
  const controllerListenerName = config.controllerListenerNames[0] ?? ''
  return RaftNode.open(
    {
      nodeId: config.nodeId,
      clusterId,
      directoryId,
      logDir: config.metadataLogDir,
      staticVoters: staticVoters(config.controllerQuorumVoters, controllerListenerName),
      bootstrapServers: config.controllerQuorumBootstrapServers,
      isController: config.isController,
      controllerListenerName,
      fetchTimeoutMs: config.controllerQuorumFetchTimeoutMs,
      electionTimeoutMs: config.controllerQuorumElectionTimeoutMs,
      electionBackoffMaxMs: config.controllerQuorumElectionBackoffMaxMs,
      requestTimeoutMs: config.controllerQuorumRequestTimeoutMs,
      retryBackoffMs: config.controllerQuorumRetryBackoffMs,
      fetchMaxBytes: config.controllerQuorumFetchMaxBytes,
      fetchSnapshotMaxBytes: config.controllerQuorumFetchSnapshotMaxBytes,
      autoJoin: config.controllerQuorumAutoJoinEnable,
      endpoints: config.advertisedControllerListeners.map((endpoint) => reachable(endpoint, hostName, ports)),
      segmentBytes: config.metadataLogSegmentBytes,
      segmentMs: config.metadataLogSegmentMs,
      retention: { maxBytes: config.metadataMaxRetentionBytes, maxAgeMs: config.metadataMaxRetentionMs },
    },
    { ...env, logger, transport, onFailed },
  )
}
