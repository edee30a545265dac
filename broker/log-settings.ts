import type { ServerConfig } from './config/server-config.ts'
import { DEFAULT_INTERVALS } from './storage/log-maintenance.ts'
import { parseTopicConfig } from './config/topic-config.ts'
import type { LogManagerOptions } from './storage/log-manager-types.ts'

/** Memory for the ends of logs, which tail reads are served from. */
const TAIL_CACHE_BYTES = 16 * 1024 * 1024

/** The log manager's options as server.properties has them; `current` is what the broker runs with, later on. */
export function logManagerOptions(
  config: ServerConfig,
  clusterId: string,
  current: () => ServerConfig,
): LogManagerOptions {
  return {
    logDirs: config.logDirs,
    clusterId,
    nodeId: config.nodeId,
    defaults: parseTopicConfig({}, config),
    recoveryThreadsPerDataDir: config.numRecoveryThreadsPerDataDir,
    producerIdExpirationMs: () => current().producerIdExpirationMs,
    tailCacheBytes: TAIL_CACHE_BYTES,
    intervals: {
      recoveryPointCheckpointMs: config.logFlushOffsetCheckpointIntervalMs,
      logStartOffsetCheckpointMs: config.logFlushStartOffsetCheckpointIntervalMs,
      highWatermarkCheckpointMs: config.replicaHighWatermarkCheckpointIntervalMs,
      retentionCheckMs: config.logRetentionCheckIntervalMs,
      flushSchedulerMs: config.logFlushSchedulerIntervalMs,
      producerIdExpirationCheckMs: DEFAULT_INTERVALS.producerIdExpirationCheckMs,
    },
  }
}
