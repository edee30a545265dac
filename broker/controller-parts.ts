import { configRules } from './config-rules.ts'
import type { ServerConfig } from './config/server-config.ts'
import { readBootstrap } from './controller/bootstrap.ts'
import { Controller } from './controller/controller.ts'
import type { Env } from './env/env.ts'
import { MetadataLoader } from './metadata/loader.ts'
import { PeerTransport } from './raft-transport.ts'
import { RaftNode } from './raft/raft-node.ts'
import { staticVoters } from './raft/voters.ts'
import type { Logger } from './telemetry/logger.ts'

export interface ControllerPartsOptions {
  readonly config: ServerConfig
  readonly clusterId: string
  /** directory.id of metadata.log.dir. */
  readonly directoryId: string
  /** Where this node's controller listens. */
  readonly endpoints: readonly { readonly name: string; readonly host: string; readonly port: number }[]
}

export interface ControllerPartsDeps {
  readonly env: Env
  readonly logger: Logger
  /** The settings that hold now, for defaults of what is created. */
  readonly server: () => ServerConfig
  /** Called when this node has lost what it needs to lead: the broker cannot go on. */
  readonly onFailed: (error: unknown) => void
}

/** The metadata side of a node: the quorum, what it has committed, and the controller while this node leads. */
export interface ControllerParts {
  readonly raft: RaftNode
  readonly loader: MetadataLoader
  readonly controller: Controller
  /** Takes part in the quorum; resolves when this node leads it and the cluster has its first records. */
  start(): Promise<void>
}

export async function controllerParts(
  options: ControllerPartsOptions,
  deps: ControllerPartsDeps,
): Promise<ControllerParts> {
  const { config } = options
  const { env, logger } = deps
  const raft = await openRaft(options, deps)
  const loader = new MetadataLoader(
    {
      snapshotAfterBytes: config.metadataLogMaxRecordBytesBetweenSnapshots,
      snapshotAfterMs: config.metadataLogMaxSnapshotIntervalMs,
    },
    { snapshots: raft, clock: env.clock, logger },
  )
  const controller = new Controller(
    {
      nodeId: config.nodeId,
      clusterId: options.clusterId,
      defaults: { numPartitions: config.numPartitions, replicationFactor: config.defaultReplicationFactor },
      minInSyncReplicas: config.minInsyncReplicas,
      uncleanLeaderElectionEnable: config.uncleanLeaderElectionEnable,
      leaderImbalanceCheckIntervalMs: config.autoLeaderRebalanceEnable
        ? config.leaderImbalanceCheckIntervalSeconds * 1000
        : 0,
      brokerSessionTimeoutMs: config.brokerSessionTimeoutMs,
      maxIdleIntervalMs: config.metadataMaxIdleIntervalMs,
      bootstrap: readBootstrap(config.metadataLogDir, env),
    },
    { quorum: raft, metadata: loader, configs: configRules(deps.server), clock: env.clock, random: env.random, logger },
  )
  const start = (): Promise<void> => lead(raft, loader, controller, config.nodeId, deps)
  return { raft, loader, controller, start }
}

function openRaft(
  { config, clusterId, directoryId, endpoints }: ControllerPartsOptions,
  { env, logger }: ControllerPartsDeps,
): Promise<RaftNode> {
  const { controllerQuorumRequestTimeoutMs: requestTimeoutMs, nodeId } = config
  const transport = new PeerTransport({ clientId: `raft-client-${nodeId}`, requestTimeoutMs }, env)
  return RaftNode.open(
    {
      nodeId: config.nodeId,
      clusterId,
      directoryId,
      logDir: config.metadataLogDir,
      staticVoters: staticVoters(config.controllerQuorumVoters, config.controllerListenerNames[0] ?? ''),
      bootstrapServers: config.controllerQuorumBootstrapServers,
      isController: config.isController,
      controllerListenerName: config.controllerListenerNames[0] ?? '',
      fetchTimeoutMs: config.controllerQuorumFetchTimeoutMs,
      electionTimeoutMs: config.controllerQuorumElectionTimeoutMs,
      electionBackoffMaxMs: config.controllerQuorumElectionBackoffMaxMs,
      requestTimeoutMs: config.controllerQuorumRequestTimeoutMs,
      retryBackoffMs: config.controllerQuorumRetryBackoffMs,
      fetchMaxBytes: config.controllerQuorumFetchMaxBytes,
      fetchSnapshotMaxBytes: config.controllerQuorumFetchSnapshotMaxBytes,
      autoJoin: config.controllerQuorumAutoJoinEnable,
      endpoints,
      segmentBytes: config.metadataLogSegmentBytes,
      segmentMs: config.metadataLogSegmentMs,
      retention: { maxBytes: config.metadataMaxRetentionBytes, maxAgeMs: config.metadataMaxRetentionMs },
    },
    { ...env, logger, transport },
  )
}

/** The controller follows the quorum's leadership. The loader was registered before it, so that it has what is committed. */
function lead(
  raft: RaftNode,
  loader: MetadataLoader,
  controller: Controller,
  nodeId: number,
  { onFailed }: ControllerPartsDeps,
): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  raft.register(loader)
  raft.register({
    onSnapshot: () => {},
    onCommit: () => {},
    onLeaderChange: ({ leaderId }) => {
      if (leaderId === nodeId) controller.activate().then(resolve, reject)
      else if (controller.isActive) {
        controller.deactivate()
        onFailed(new Error('this node no longer leads the metadata quorum, of which it is the only voter'))
      }
    },
  })
  raft.start()
  return promise
}
