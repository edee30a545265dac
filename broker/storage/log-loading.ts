import type { Disk } from '../env/disk.ts'
import type { Logger } from '../telemetry/logger.ts'
import { concurrently } from './concurrently.ts'
import type { LogConfig } from './log-config.ts'
import type { LogDirectory } from './log-directory.ts'
import type { PartitionLog } from './log.ts'
import { logDirectoryName, METADATA_LOG_DIRECTORY, parseLogDirectoryName } from './names.ts'
import { readTopicId } from './partition-metadata.ts'

/** What is known of a log before it is opened. */
export interface LoadOptions {
  readonly topic: string
  readonly partition: number
  /** Undefined where the checkpoint is lost. */
  readonly recoveryPoint: number | undefined
  readonly logStartOffset: number
  readonly config: LogConfig
  readonly topicId: string | null
  readonly hadCleanShutdown?: boolean
}

/** Of a log that is made. */
export const EMPTY_LOG = { recoveryPoint: 0, logStartOffset: 0, topicId: null } as const

export interface LoadingDeps {
  readonly disk: Disk
  readonly logger: Logger
  /** Opens the log in the directory of this name. */
  open(directoryName: string, options: LoadOptions): Promise<PartitionLog>
}

/**
 * Opens all logs of a log dir, as its checkpoints have them, and removes what was deleted. Gives whether the checkpoint of recovery points
 * tells too much: more of a log was synced, it says, than there is; and whether there is none. Rejects with DiskError, StorageError.
 */
export async function loadLogs(
  directory: LogDirectory,
  options: {
    readonly recoveryThreadsPerDataDir: number
    readonly defaults: LogConfig
    readonly isOnline: () => boolean
  },
  deps: LoadingDeps,
  add: (log: PartitionLog, kind: 'log' | 'future') => void,
): Promise<{ readonly tellsTooMuch: boolean; readonly isLost: boolean }> {
  const { disk, logger } = deps
  const { recoveryPoints, logStartOffsets, highWatermarks } = directory.startOffsets()
  const synced = new Map<string, number>()
  const names: string[] = []
  for (const { name, kind } of disk.list(directory.path)) {
    if (kind !== 'directory' || name === METADATA_LOG_DIRECTORY) continue
    const parsed = parseLogDirectoryName(name)
    if (parsed.kind === 'delete') disk.remove(`${directory.path}/${name}`)
    else if (parsed.kind === 'log' || parsed.kind === 'future') names.push(name)
    else logger.warn({ path: directory.path, name }, 'a directory in the log dir is left alone')
  }
  await concurrently(options.recoveryThreadsPerDataDir, names, async (name) => {
    const parsed = parseLogDirectoryName(name)
    if (!options.isOnline() || (parsed.kind !== 'log' && parsed.kind !== 'future')) return
    directory.logCount++
    const { topic, partition } = parsed
    const key = logDirectoryName(topic, partition)
    const log = await deps.open(name, {
      topic,
      partition,
      recoveryPoint: recoveryPoints === undefined ? undefined : (recoveryPoints.get(key) ?? 0),
      logStartOffset: logStartOffsets.get(key) ?? 0,
      config: options.defaults,
      topicId: readTopicId(disk, `${directory.path}/${name}`),
    })
    log.updateHighWatermark(highWatermarks.get(key) ?? 0)
    synced.set(key, log.recoveryPoint)
    add(log, parsed.kind)
  })
  const tellsTooMuch = [...(recoveryPoints ?? [])].some(([key, offset]) => offset > (synced.get(key) ?? 0))
  return { tellsTooMuch, isLost: recoveryPoints === undefined }
}
