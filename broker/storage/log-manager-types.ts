import type { Clock } from '../env/clock.ts'
import type { Compute } from '../env/compute.ts'
import type { Disk } from '../env/disk.ts'
import type { Random } from '../env/random.ts'
import type { Logger } from '../telemetry/logger.ts'
import type { LogConfig } from './log-config.ts'
import type { MaintenanceIntervals } from './log-maintenance.ts'

export interface LogManagerOptions {
  /** Absolute paths. */
  readonly logDirs: readonly string[]
  readonly clusterId: string
  readonly nodeId: number
  /** The settings of a log until its topic's are known. */
  readonly defaults: LogConfig
  /** num.recovery.threads.per.data.dir: logs of one directory that are loaded, or closed, at the same time. */
  readonly recoveryThreadsPerDataDir: number
  /** producer.id.expiration.ms, which may change. */
  readonly producerIdExpirationMs: () => number
  readonly tailCacheBytes: number
  readonly intervals: MaintenanceIntervals
}

export interface LogManagerDeps {
  readonly disk: Disk
  readonly clock: Clock
  readonly random: Random
  readonly compute: Compute
  readonly logger: Logger
}

/** A log that is to be there. */
export interface WantedLog {
  readonly topic: string
  readonly partition: number
  readonly topicId: string | null
  readonly config: LogConfig
}

/** A log dir as others see it; `id` is its directory id (KIP-858), null where it could not be read. */
export interface LogDirectoryInfo {
  readonly path: string
  readonly id: string | null
  readonly online: boolean
  /** Takes no new logs (KIP-1066). */
  readonly isCordoned: boolean
}
