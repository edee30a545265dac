import type { Clock } from '../env/clock.ts'
import type { Compute } from '../env/compute.ts'
import type { Disk, DiskError } from '../env/disk.ts'
import type { Random } from '../env/random.ts'
import type { DirectoryNames } from './directory-names.ts'
import type { AppendError } from './errors.ts'
import type { LogConfig } from './log-config.ts'
import type { PartitionLog } from './log.ts'
import type { Logger } from '../telemetry/logger.ts'
import type { OpenFiles } from './open-files.ts'
import type { TailCache } from './tail-cache.ts'

export interface PartitionLogOptions {
  /** The log's own directory, `<log dir>/<topic>-<partition>`; made where it is missing. */
  readonly directory: string
  readonly topic: string
  readonly partition: number
  readonly topicId: string | null
  readonly config: LogConfig
  /** Everything below it is known to be synced: where recovery starts. Undefined where nothing tells what was synced: with the first segment. */
  readonly recoveryPoint: number | undefined
  readonly logStartOffset: number
  readonly hadCleanShutdown: boolean
  readonly producerIdExpirationMs: () => number
}

export interface PartitionLogDeps {
  readonly disk: Disk
  readonly files: OpenFiles
  /** Of the directory that holds the log's. */
  readonly parentNames: DirectoryNames
  readonly clock: Clock
  readonly random: Random
  readonly compute: Compute
  readonly logger: Logger
  readonly tailCache: TailCache
  /** Called at the first append since the last `writeStaged`, so that somebody calls that at the end of the tick. */
  readonly onStaged?: (log: PartitionLog) => void
  /** Called when recovery has to start, or the log begins, before where it did; resolves when a crash will find that out. Rejects with StorageError. */
  readonly onLowered?: () => Promise<void>
  /** A sealed segment cannot be read: whether that is damage to this log, and no failure of its disk, which it is where this is missing. */
  readonly isTolerable?: (path: string) => boolean
  /** Called once, when the disk has failed: the log refuses appends from then on. */
  readonly onFailure?: (error: DiskError) => void
}

/** What is called each time that something has happened to a log. */
export interface LogListener {
  /** More is in the file, synced or not: what followers may read. */
  readonly written?: () => void
  /** `acknowledgeableOffset` has moved. */
  readonly acknowledgeable?: () => void
  /** `logStartOffset` has moved up. */
  readonly trimmed?: () => void
}

export interface Appended {
  readonly ok: true
  readonly baseOffset: number
  readonly lastOffset: number
  /** The producer had sent this batch before; the offsets are those that it got then. */
  readonly duplicate: boolean
  /** Of a duplicate: the largest timestamp of the batch that it repeats. */
  readonly repeatedTimestampMs?: number
  readonly logStartOffset: number
}

export interface AppendRefused {
  readonly ok: false
  readonly error: AppendError
  readonly message: string
}

export type AppendResult = Appended | AppendRefused

export function refused(error: AppendError, message: string): AppendRefused {
  return { ok: false, error, message }
}
