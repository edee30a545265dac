import { DEFAULT_LOG_CONFIG } from '../../broker/storage/log-config.ts'
import type { LogConfig } from '../../broker/storage/log-config.ts'
import type { LogManagerOptions } from '../../broker/storage/log-manager-types.ts'
import { DEFAULT_INTERVALS } from '../../broker/storage/log-maintenance.ts'

export const LOG_DIRS = ['/disk/a', '/disk/b']

/** Small segments, so that many boundaries are crossed. */
const SMALL: LogConfig = { ...DEFAULT_LOG_CONFIG, segmentBytes: 4000, segmentIndexBytes: 240, indexIntervalBytes: 300 }

export const TOPICS: Readonly<Record<string, LogConfig>> = {
  synced: { ...SMALL, flushMessages: 1 },
  cached: SMALL,
  'every-ten': { ...SMALL, flushMessages: 10, preallocate: true },
  large: { ...DEFAULT_LOG_CONFIG, flushMessages: 1 },
  followed: { ...SMALL, flushMessages: 1 },
}
/** The one that follows a leader, whose log has been compacted. */
export const FOLLOWED = 'followed'

export const OPTIONS: LogManagerOptions = {
  logDirs: LOG_DIRS,
  clusterId: 'sim',
  nodeId: 1,
  defaults: SMALL,
  recoveryThreadsPerDataDir: 2,
  producerIdExpirationMs: () => 86_400_000,
  tailCacheBytes: 20_000,
  intervals: { ...DEFAULT_INTERVALS, recoveryPointCheckpointMs: 300, logStartOffsetCheckpointMs: 400 },
}
