import type { Script } from '../script.ts'
import { acls } from './acls.ts'
import {
  apiVersions,
  brokers,
  coordinators,
  describeCluster,
  features,
  groups,
  quorum,
  shareCoordinators,
  unservable,
} from './cluster.ts'
import { alterConfigs, describeConfigs, incrementalAlterConfigs } from './configs.ts'
import { fetch, fetchSessions } from './fetch.ts'
import { allTopics, autoCreation, describeTopicPartitions, metadata } from './metadata.ts'
import { deleteRecords, leaderEpochs, listOffsets, logDirs } from './offsets.ts'
import { idempotence, produce, producerIds, rules, unacknowledged } from './produce.ts'
import { loggers } from './loggers.ts'
import { reassignments, voters } from './reassignments.ts'
import { createPartitions, createTopics, deleteTopics, electLeaders } from './topics.ts'

/** In the order in which they are played: later ones see what earlier ones left. */
export const SCRIPTS: Readonly<Record<string, (script: Script) => Promise<void>>> = {
  apiVersions,
  unservable,
  describeCluster,
  features,
  brokers,
  quorum,
  metadata,
  autoCreation,
  describeTopicPartitions,
  createTopics,
  deleteTopics,
  createPartitions,
  electLeaders,
  reassignments,
  voters,
  describeConfigs,
  incrementalAlterConfigs,
  alterConfigs,
  loggers,
  produce,
  unacknowledged,
  rules,
  idempotence,
  producerIds,
  listOffsets,
  leaderEpochs,
  deleteRecords,
  logDirs,
  fetch,
  fetchSessions,
  coordinators,
  groups,
  acls,
  allTopics,
  shareCoordinators,
}
