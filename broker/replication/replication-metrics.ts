import type { Metrics } from '../telemetry/metrics.ts'
import type { DirectoryAssignments } from './directory-assignments.ts'
import type { FetcherManager } from './fetcher-manager.ts'
import type { IsrUpdater } from './isr-updater.ts'
import type { ReplicaManager } from './replica-manager.ts'

export interface ReplicationParts {
  readonly replicas: ReplicaManager
  readonly fetchers: FetcherManager
  readonly isrUpdater: IsrUpdater
  readonly assignments: DirectoryAssignments
}

/** Registers what Kafka's dashboards and alerts ask of replication, under the names that the JMX exporter gives. */
export function registerReplicationMetrics(metrics: Metrics, parts: ReplicationParts): void {
  const { replicas, fetchers, isrUpdater, assignments } = parts
  const counter = (name: string, help: string, collect: () => number): void =>
    metrics.registerCounter(`kafka_server_replicamanager_${name}_total`, help, collect)
  counter('isrexpands', 'Followers that came into an ISR', () => isrUpdater.expands)
  counter('isrshrinks', 'Followers that fell out of an ISR', () => isrUpdater.shrinks)
  counter('failedisrupdates', 'ISR changes that the controller did not make', () => isrUpdater.failures)
  metrics.registerGauge(
    'kafka_server_replicamanager_reassigningpartitions',
    'Led partitions that are on their way to other brokers',
    () => [...replicas.partitions()].filter(({ isLeader, isReassigning }) => isLeader && isReassigning).length,
  )
  metrics.registerGauge(
    'kafka_server_replicafetchermanager_maxlag',
    'Records that the replica furthest behind its leader lacks',
    () => [{ value: fetchers.maxLag, labels: { clientId: 'Replica' } }],
  )
  metrics.registerGauge(
    'kafka_server_replicafetchermanager_failedpartitionscount',
    'Followed partitions that are not fetched, for an error',
    () => [{ value: fetchers.failedCount, labels: { clientId: 'Replica' } }],
  )
  metrics.registerGauge(
    'kafka_server_assignmentsmanager_queuedreplicatodirassignments',
    'Replicas of whose log dir the controller is still to hear',
    () => assignments.queued,
  )
}
