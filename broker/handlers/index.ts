import type { ServerConfig } from '../config/server-config.ts'
import type { Controller } from '../controller/controller.ts'
import type { GroupCoordinator } from '../coordinator/group/group-coordinator.ts'
import type { ProducerIds } from '../coordinator/producer-ids.ts'
import type { Clock } from '../env/clock.ts'
import type { MetadataImage } from '../metadata/image.ts'
import type { ApiKey } from '../protocol/api-key.ts'
import type { Api, ListenerKind } from '../protocol/api.ts'
import { APIS } from '../protocol/apis.ts'
import type { QuorumInfo } from '../raft/raft-types.ts'
import type { FetchSessions } from '../replication/fetch-session.ts'
import type { ReplicaManager, TopicDirectory } from '../replication/replica-manager.ts'
import type { ReplicaSelector } from '../replication/replica-selector.ts'
import type { LeaderThrottle } from '../replication/throttle.ts'
import type { LogManager } from '../storage/log-manager.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import { apiVersionsHandler, type FeatureLevels } from './api-versions.ts'
import type { AutoTopics } from './auto-topics.ts'
import { clusterChangeHandlers } from './cluster-changes.ts'
import type { ClusterView } from './cluster-view.ts'
import { deleteRecordsHandler } from './delete-records.ts'
import { describeClusterHandler } from './describe-cluster.ts'
import { describeConfigsHandler } from './describe-configs.ts'
import { describeLogDirsHandler } from './describe-log-dirs.ts'
import { describeProducersHandler } from './describe-producers.ts'
import { describeQuorumHandler } from './describe-quorum.ts'
import { describeTopicPartitionsHandler } from './describe-topic-partitions.ts'
import { fetchHandler } from './fetch.ts'
import { type Coordinators, findCoordinatorHandler } from './find-coordinator.ts'
import { getTelemetrySubscriptionsHandler } from './get-telemetry-subscriptions.ts'
import { groupHandlers } from './groups.ts'
import type { Handler } from './handler.ts'
import { initProducerIdHandler } from './init-producer-id.ts'
import { listOffsetsHandler } from './list-offsets.ts'
import { metadataHandler } from './metadata.ts'
import { offsetForLeaderEpochHandler } from './offset-for-leader-epoch.ts'
import { produceHandler } from './produce.ts'

/** Everything that the APIs are made of; broker.ts supplies it. */
export interface HandlerDeps {
  readonly nodeId: number
  readonly clock: Clock
  readonly server: () => ServerConfig
  readonly image: () => MetadataImage
  readonly cluster: () => ClusterView
  readonly features: () => FeatureLevels
  readonly controller: Controller
  readonly quorum: () => QuorumInfo
  readonly settled: () => Promise<void>
  readonly logs: LogManager
  readonly replicas: ReplicaManager
  readonly leaderThrottle: LeaderThrottle
  readonly replicaSelector: ReplicaSelector | undefined
  readonly fetchSessions: FetchSessions
  readonly topicNames: TopicDirectory
  readonly groups: GroupCoordinator
  readonly coordinators: Coordinators
  readonly producerIds: ProducerIds
  readonly autoTopics: AutoTopics
  readonly metrics: Metrics
  readonly newUuid: () => string
}

/** The API table of one kind of listener; ApiVersions tells just what is in it. */
export function handlersFor(kind: ListenerKind, deps: HandlerDeps): Handler<ApiKey>[] {
  const handlers = allHandlers(kind, deps).filter(({ key }) => APIS[key].listeners.includes(kind))
  const advertised = (): readonly Api[] => table.filter(({ isHidden }) => isHidden !== true).map(({ key }) => APIS[key])
  const table: Handler<ApiKey>[] = [
    ...handlers,
    apiVersionsHandler({ served: advertised, features: deps.features }),
  ].sort((a, b) => a.key - b.key)
  return table
}

function allHandlers(kind: ListenerKind, deps: HandlerDeps): Handler<ApiKey>[] {
  const { server, image } = deps
  return [
    produceHandler(deps),
    fetchHandler({ ...deps, fetchMaxBytes: () => server().fetchMaxBytes }),
    listOffsetsHandler(deps),
    metadataHandler({ cluster: deps.cluster, autoCreate: (topic) => deps.autoTopics.onUnknown(topic) }),
    findCoordinatorHandler(deps),
    ...groupHandlers(deps.groups),
    ...clusterChangeHandlers(deps),
    deleteRecordsHandler(deps),
    initProducerIdHandler(deps),
    offsetForLeaderEpochHandler(deps),
    describeConfigsHandler({
      ...deps,
      topicExists: (topic) => image().topic(topic) !== undefined,
      overrides: (type, name) => Object.fromEntries(image().configsOf(type, name)),
    }),
    describeLogDirsHandler(deps),
    describeClusterHandler({ cluster: deps.cluster, isControllerListener: () => kind === 'controller' }),
    describeProducersHandler(deps),
    describeQuorumHandler(deps),
    getTelemetrySubscriptionsHandler({ newUuid: deps.newUuid, telemetryMaxBytes: server().telemetryMaxBytes }),
    describeTopicPartitionsHandler({ cluster: deps.cluster, partitionLimit: server().maxRequestPartitionSizeLimit }),
  ]
}
