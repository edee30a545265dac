import type { ServerConfig } from '../config/server-config.ts'
import type { GroupCoordinator } from '../coordinator/group/group-coordinator.ts'
import type { ProducerIds } from '../coordinator/producer-ids.ts'
import type { Clock } from '../env/clock.ts'
import type { MetadataImage } from '../metadata/image.ts'
import type { ApiKey } from '../protocol/api-key.ts'
import type { Api } from '../protocol/api.ts'
import { aclHandlers } from './acls.ts'
import { alterReplicaLogDirsHandler } from './alter-replica-log-dirs.ts'
import { APIS } from '../protocol/apis.ts'
import type { AnswerBudget } from '../lib/answer-budget.ts'
import type { QuorumInfo } from '../raft/raft-types.ts'
import type { FetchSessions } from '../replication/fetch-session.ts'
import type { ReplicaManager, TopicDirectory } from '../replication/replica-manager.ts'
import type { ReplicaSelector } from '../replication/replica-selector.ts'
import type { LogDirMover } from '../replication/log-dir-mover.ts'
import type { LeaderThrottle } from '../replication/throttle.ts'
import type { LogManager } from '../storage/log-manager.ts'
import type { LogThreshold } from '../telemetry/log-threshold.ts'
import type { Logger } from '../telemetry/logger.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import { apiVersionsHandler, type FeatureLevels } from './api-versions.ts'
import type { AutoTopics } from './auto-topics.ts'
import type { ClusterView } from './cluster-view.ts'
import { answeringNotController, type ControllerChangesDeps, controllerChangeHandlers } from './controller-changes.ts'
import { deleteRecordsHandler } from './delete-records.ts'
import { describeClusterHandler } from './describe-cluster.ts'
import { describeConfigsHandler } from './describe-configs.ts'
import { describeLogDirsHandler } from './describe-log-dirs.ts'
import { describeProducersHandler } from './describe-producers.ts'
import { describeQuorumHandler } from './describe-quorum.ts'
import { describeTopicPartitionsHandler } from './describe-topic-partitions.ts'
import { envelopeHandler } from './envelope.ts'
import { fetchHandler } from './fetch.ts'
import { type Coordinators, findCoordinatorHandler } from './find-coordinator.ts'
import { type ForwardingDeps, forwardingHandlers } from './forwarding.ts'
import { getTelemetrySubscriptionsHandler } from './get-telemetry-subscriptions.ts'
import { groupHandlers } from './groups.ts'
import type { Handler } from './handler.ts'
import { initProducerIdHandler } from './init-producer-id.ts'
import { listConfigResourcesHandler } from './list-config-resources.ts'
import { listOffsetsHandler } from './list-offsets.ts'
import { metadataHandler } from './metadata.ts'
import { offsetForLeaderEpochHandler } from './offset-for-leader-epoch.ts'
import { produceHandler } from './produce.ts'
import { raftHandlers, type RaftServer } from './raft.ts'

interface CommonDeps {
  readonly clock: Clock
  readonly nodeId: number
  readonly server: () => ServerConfig
  readonly image: () => MetadataImage
  readonly cluster: () => ClusterView
  readonly features: () => FeatureLevels
  readonly logThreshold: LogThreshold
}

/** Everything that the APIs of a broker are made of; the composition root supplies it. */
export interface BrokerHandlerDeps extends CommonDeps, ForwardingDeps {
  readonly logs: LogManager
  readonly replicas: ReplicaManager
  readonly leaderThrottle: LeaderThrottle
  readonly logDirMover: LogDirMover
  readonly replicaSelector: ReplicaSelector | undefined
  readonly answers: AnswerBudget
  readonly fetchSessions: FetchSessions
  readonly topicNames: TopicDirectory
  readonly groups: GroupCoordinator
  readonly coordinators: Coordinators
  readonly producerIds: ProducerIds
  readonly autoTopics: AutoTopics
  readonly metrics: Metrics
  readonly newUuid: () => string
}

/** Everything that the APIs of a controller are made of. */
export interface ControllerHandlerDeps extends CommonDeps, ControllerChangesDeps {
  readonly raft: RaftServer
  readonly quorum: () => QuorumInfo
  readonly logger: Logger
}

/** The API table of the listeners for clients and other brokers. */
export function brokerHandlers(deps: BrokerHandlerDeps): Handler<ApiKey>[] {
  const { server, cluster } = deps
  return withApiVersions(deps, [
    produceHandler(deps),
    fetchHandler({ ...deps, fetchMaxBytes: () => server().fetchMaxBytes }),
    listOffsetsHandler(deps),
    metadataHandler({ cluster, autoCreate: (topic) => deps.autoTopics.onUnknown(topic) }),
    findCoordinatorHandler(deps),
    ...groupHandlers(deps.groups),
    ...forwardingHandlers(deps),
    deleteRecordsHandler(deps),
    alterReplicaLogDirsHandler(deps),
    initProducerIdHandler(deps),
    offsetForLeaderEpochHandler(deps),
    configsHandler(deps),
    listConfigResourcesHandler(deps),
    describeLogDirsHandler(deps),
    describeClusterHandler({ cluster, isControllerListener: () => false }),
    describeProducersHandler(deps),
    ...aclHandlers(),
    getTelemetrySubscriptionsHandler({ newUuid: deps.newUuid, telemetryMaxBytes: server().telemetryMaxBytes }),
    describeTopicPartitionsHandler({ cluster, partitionLimit: server().maxRequestPartitionSizeLimit }),
  ])
}

/** The API table of the controller's listeners. */
export function controllerHandlers(deps: ControllerHandlerDeps): Handler<ApiKey>[] {
  const decided: readonly Handler<ApiKey>[] = [
    ...controllerChangeHandlers(deps),
    ...raftHandlers(deps),
    describeQuorumHandler(deps),
  ]
  return withApiVersions(deps, [
    ...decided.map((served) => answeringNotController(served)),
    envelopeHandler(decided, deps),
    configsHandler(deps),
    ...aclHandlers(),
    describeClusterHandler({ cluster: deps.cluster, isControllerListener: () => true }),
  ])
}

function configsHandler({
  clock,
  nodeId,
  server,
  image,
  logThreshold,
}: CommonDeps): Handler<typeof ApiKey.DescribeConfigs> {
  return describeConfigsHandler({
    clock,
    nodeId,
    server,
    logThreshold,
    topicExists: (topic) => image().topic(topic) !== undefined,
    overrides: (type, name) => Object.fromEntries(image().configsOf(type, name)),
  })
}

/** ApiVersions tells just what is in the table. */
function withApiVersions({ features }: CommonDeps, handlers: readonly Handler<ApiKey>[]): Handler<ApiKey>[] {
  const advertised = (): readonly Api[] => table.filter(({ isHidden }) => isHidden !== true).map(({ key }) => APIS[key])
  const table = [...handlers, apiVersionsHandler({ served: advertised, features })].sort((a, b) => a.key - b.key)
  return table
}
