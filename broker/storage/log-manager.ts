import type { Clock } from '../env/clock.ts'
import type { Compute } from '../env/compute.ts'
import { type Disk, DiskError } from '../env/disk.ts'
import type { Random } from '../env/random.ts'
import { assert } from '../lib/assert.ts'
import { concurrently } from './concurrently.ts'
import { DelayedRemoval } from './delayed-removal.ts'
import { StorageError } from './errors.ts'
import type { LogConfig } from './log-config.ts'
import { LogDirectory, NO_BROKER_EPOCH } from './log-directory.ts'
import { LogMaintenance, type MaintenanceIntervals } from './log-maintenance.ts'
import { PartitionLog } from './log.ts'
import type { Logger } from '../telemetry/logger.ts'
import { logDirectoryName, METADATA_LOG_DIRECTORY, parseLogDirectoryName, retiredDirectoryName } from './names.ts'
import { readTopicId } from './partition-metadata.ts'
import { TailCache } from './tail-cache.ts'

export interface LogManagerOptions {
  /** Absolute paths. */
  readonly logDirs: readonly string[]
  readonly clusterId: string
  readonly nodeId: number
  /** The settings of a log until its topic's are known. */
  readonly defaults: LogConfig
  /** num.recovery.threads.per.data.dir: logs of one directory that are loaded, or closed, at the same time. */
  readonly recoveryThreadsPerDataDir: number
  readonly producerIdExpirationMs: number
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

const UUID_BYTES = 16

/** A log dir as others see it; `id` is its directory id (KIP-858), null where it could not be read. */
export interface LogDirectoryInfo {
  readonly path: string
  readonly id: string | null
  readonly online: boolean
}

/** All logs of this broker, over all its log dirs: a dir that fails goes offline with its logs, the rest goes on. */
export class LogManager {
  readonly #options: LogManagerOptions
  readonly #deps: LogManagerDeps
  readonly #tailCache: TailCache
  readonly #removal: DelayedRemoval
  readonly #directories = new Map<string, LogDirectory>()
  readonly #logs = new Map<string, PartitionLog>()
  readonly #logsIn = new Map<LogDirectory, Set<PartitionLog>>()
  readonly #creating = new Map<string, Promise<PartitionLog>>()
  readonly #failureListeners: ((directory: LogDirectoryInfo) => void)[] = []
  readonly #maintenance: LogMaintenance
  #dirty: PartitionLog[] = []

  private constructor(options: LogManagerOptions, deps: LogManagerDeps) {
    this.#options = options
    this.#deps = deps
    this.#tailCache = new TailCache({ budgetBytes: options.tailCacheBytes })
    const onError = (error: unknown): void => deps.logger.error({ err: error }, 'a deleted file could not be removed')
    this.#removal = new DelayedRemoval({ ...deps, onError })
    this.#maintenance = new LogMaintenance({
      clock: deps.clock,
      directories: () => this.#online(),
      logsIn: (directory) => [...this.#logsOf(directory)],
      onError: (directory, error) => void this.#failed(directory, error),
    })
  }

  /** Loads all logs. Rejects with StorageError where a directory is another's, or none is usable. */
  static async open(options: LogManagerOptions, deps: LogManagerDeps): Promise<LogManager> {
    const manager = new LogManager(options, deps)
    for (const path of options.logDirs) manager.#openDirectory(path)
    await Promise.all(manager.#online().map((directory) => manager.#loadDirectory(directory)))
    if (manager.#online().length === 0) {
      throw new StorageError(
        'KAFKA_STORAGE_ERROR',
        'Shutdown broker because none of the specified log dirs can be used',
      )
    }
    manager.#maintenance.start(options.intervals)
    return manager
  }

  #openDirectory(path: string): void {
    try {
      this.#directories.set(path, LogDirectory.open(path, this.#options, this.#deps))
    } catch (error) {
      if (!(error instanceof DiskError)) throw error
      this.#deps.logger.error({ path, err: error }, 'a log dir cannot be used')
    }
  }

  async #loadDirectory(directory: LogDirectory): Promise<void> {
    const { disk, logger } = this.#deps
    try {
      const offsets = directory.startOffsets()
      const names: string[] = []
      for (const { name, kind } of disk.list(directory.path)) {
        if (kind !== 'directory' || name === METADATA_LOG_DIRECTORY) continue
        const parsed = parseLogDirectoryName(name)
        if (parsed.kind === 'delete') disk.remove(`${directory.path}/${name}`)
        else if (parsed.kind === 'log') names.push(name)
        else logger.warn({ path: directory.path, name }, 'a directory in the log dir is left alone')
      }
      await concurrently(this.#options.recoveryThreadsPerDataDir, names, async (name) => {
        if (!directory.online) return
        directory.logCount++
        const log = await this.#load(directory, name, {
          recoveryPoint: offsets.recoveryPoints.get(name) ?? 0,
          logStartOffset: offsets.logStartOffsets.get(name) ?? 0,
          config: this.#options.defaults,
          topicId: readTopicId(disk, `${directory.path}/${name}`),
        })
        log.updateHighWatermark(offsets.highWatermarks.get(name) ?? 0)
        this.#add(directory, name, log)
      })
    } catch (error) {
      this.#failed(directory, error)
    }
  }

  #load(
    directory: LogDirectory,
    name: string,
    options: { recoveryPoint: number; logStartOffset: number; config: LogConfig; topicId: string | null },
  ): Promise<PartitionLog> {
    const parsed = parseLogDirectoryName(name)
    assert(parsed.kind === 'log', 'the name is that of a log')
    const { hadCleanShutdown } = directory
    const { producerIdExpirationMs } = this.#options
    const { topic, partition } = parsed
    return PartitionLog.open(
      {
        ...options,
        directory: `${directory.path}/${name}`,
        topic,
        partition,
        hadCleanShutdown,
        producerIdExpirationMs,
      },
      {
        ...this.#deps,
        tailCache: this.#tailCache,
        onStaged: (log) => this.#onStaged(log),
        onFailure: (error) => this.#failed(directory, error),
      },
    )
  }

  #add(directory: LogDirectory, name: string, log: PartitionLog): void {
    const other = this.#logs.get(name)
    if (other !== undefined) {
      throw new StorageError(
        'KAFKA_STORAGE_ERROR',
        `Duplicate log directories found: ${other.directory}, ${log.directory}`,
      )
    }
    this.#logs.set(name, log)
    this.#logsOf(directory).add(log)
  }

  #logsOf(directory: LogDirectory): Set<PartitionLog> {
    let logs = this.#logsIn.get(directory)
    if (logs === undefined) this.#logsIn.set(directory, (logs = new Set()))
    return logs
  }

  #online(): LogDirectory[] {
    return [...this.#directories.values()].filter((directory) => directory.online)
  }

  get(topic: string, partition: number): PartitionLog | undefined {
    return this.#logs.get(logDirectoryName(topic, partition))
  }

  logs(): PartitionLog[] {
    return [...this.#logs.values()]
  }

  /**
   * The log of a replica, made where it is missing: in the directory `directoryId`, or in the one with the fewest logs. A replica that is
   * not `isNew` is not made while a directory is offline: it may be there. Rejects with StorageError INCONSISTENT_TOPIC_ID,
   * KAFKA_STORAGE_ERROR, LOG_DIR_NOT_FOUND.
   */
  getOrCreate(
    topic: string,
    partition: number,
    topicId: string | null,
    config: LogConfig,
    isNew: boolean,
    directoryId?: string,
  ): Promise<PartitionLog> {
    const name = logDirectoryName(topic, partition)
    const pending = this.#creating.get(name)
    if (pending !== undefined) return pending
    const made = this.#getOrCreate(name, { topicId, config, isNew, directoryId })
    this.#creating.set(name, made)
    return made.finally(() => this.#creating.delete(name))
  }

  async #getOrCreate(
    name: string,
    options: { topicId: string | null; config: LogConfig; isNew: boolean; directoryId: string | undefined },
  ): Promise<PartitionLog> {
    const { topicId, config } = options
    const found = this.#logs.get(name)
    if (found !== undefined) {
      if (topicId !== null) found.adoptTopicId(topicId)
      found.updateConfig(config)
      return found
    }
    const directory = this.#directoryFor(name, options)
    directory.logCount++
    try {
      const log = await this.#load(directory, name, { recoveryPoint: 0, logStartOffset: 0, config, topicId: null })
      if (topicId !== null) log.adoptTopicId(topicId)
      this.#add(directory, name, log)
      return log
    } catch (error) {
      directory.logCount--
      throw this.#failed(directory, error)
    }
  }

  #directoryFor(
    name: string,
    { isNew, directoryId }: { isNew: boolean; directoryId: string | undefined },
  ): LogDirectory {
    const online = this.#online()
    if (!isNew && online.length < this.#options.logDirs.length) {
      const message = `Can not create log for ${name} because log directories are offline`
      throw new StorageError('KAFKA_STORAGE_ERROR', message)
    }
    if (directoryId !== undefined) {
      const wanted = online.find(({ id }) => id === directoryId)
      if (wanted === undefined)
        throw new StorageError('LOG_DIR_NOT_FOUND', `No online log dir has the id ${directoryId}`)
      return wanted
    }
    const emptiest = online.toSorted((a, b) => a.logCount - b.logCount)[0]
    if (emptiest === undefined) throw new StorageError('KAFKA_STORAGE_ERROR', 'No log dir is online')
    return emptiest
  }

  /** Deletes a log: it is renamed at once, and its files go after `file.delete.delay.ms`. Rejects with StorageError. */
  async delete(topic: string, partition: number): Promise<void> {
    const log = this.get(topic, partition)
    if (log === undefined) return
    const directory = this.#retire(log, '-delete')
    try {
      const logs = [...this.#logsOf(directory)]
      // A log of the same name may come, to which the old offsets must not apply.
      await directory.writeRecoveryPoints(logs)
      await directory.writeLogStartOffsets(logs)
      await directory.writeHighWatermarks(logs)
    } catch (error) {
      throw this.#failed(directory, error)
    }
  }

  /** Sets aside the logs that `isStray`: replicas that the cluster does not know, or knows elsewhere (KIP-866). Returns them. */
  setAsideStrays(isStray: (log: PartitionLog) => boolean): PartitionLog[] {
    const strays = this.logs().filter(isStray)
    for (const log of strays) {
      this.#deps.logger.warn({ directory: log.directory }, 'a stray log is set aside')
      this.#retire(log, '-stray')
    }
    return strays
  }

  /** Closes and renames a log's directory, and forgets the log. Throws StorageError. */
  #retire(log: PartitionLog, suffix: '-delete' | '-stray'): LogDirectory {
    const { disk, random } = this.#deps
    const directory = this.#directories.get(log.parentDirectory)
    assert(directory !== undefined, 'a log is in a log dir')
    this.#logs.delete(logDirectoryName(log.topic, log.partition))
    this.#logsOf(directory).delete(log)
    directory.logCount--
    log.closeFiles()
    const uuid = Buffer.from(random.bytes(UUID_BYTES)).toString('hex')
    const path = `${directory.path}/${retiredDirectoryName(log.topic, log.partition, uuid, suffix)}`
    try {
      disk.rename(log.directory, path)
      disk.syncDirectory(directory.path)
    } catch (error) {
      throw this.#failed(directory, error)
    }
    if (suffix === '-delete') this.#removal.remove([path], log.config.fileDeleteDelayMs)
    return directory
  }

  #onStaged(log: PartitionLog): void {
    this.#dirty.push(log)
    if (this.#dirty.length === 1) this.#deps.clock.defer(() => this.writeStaged())
  }

  /** Writes what was appended in this tick, one write a log. Runs by itself at the end of the tick. */
  writeStaged(): void {
    const dirty = this.#dirty
    this.#dirty = []
    for (const log of dirty) log.writeStaged()
  }

  /** In the order of `log.dirs`. */
  directories(): LogDirectoryInfo[] {
    return this.#options.logDirs.map((path) => {
      const directory = this.#directories.get(path)
      return { path, id: directory?.id ?? null, online: directory?.online ?? false }
    })
  }

  /** Bytes of the file system below an online log dir. Throws DiskError. */
  space(path: string): { totalBytes: number; usableBytes: number } {
    return this.#deps.disk.space(path)
  }

  /** The broker epoch of the last run, where every log dir was shut down cleanly with the same one; else -1 (KIP-966). */
  get brokerEpochAtShutdown(): number {
    const epochs = new Set([...this.#directories.values()].map((directory) => directory.brokerEpochAtShutdown))
    const [epoch = NO_BROKER_EPOCH] = epochs
    return epochs.size === 1 ? epoch : NO_BROKER_EPOCH
  }

  /** Calls `listener` each time that a log dir goes offline; its logs are gone from `get` then. */
  onLogDirFailure(listener: (directory: LogDirectoryInfo) => void): void {
    this.#failureListeners.push(listener)
  }

  /** Takes a log dir offline where `error` is a failure of its disk, and returns what to throw for it. */
  #failed(directory: LogDirectory, error: unknown): unknown {
    const cause = error instanceof StorageError ? error.cause : error
    if (!(cause instanceof DiskError)) return error
    if (directory.online) {
      this.#deps.logger.error({ path: directory.path, err: cause }, 'a log dir has failed and is offline')
      directory.fail()
      for (const log of this.#logsOf(directory)) {
        log.fail(cause)
        log.closeFiles()
        this.#logs.delete(logDirectoryName(log.topic, log.partition))
      }
      this.#logsOf(directory).clear()
      const { path, id } = directory
      for (const listener of this.#failureListeners) listener({ path, id, online: false })
    }
    return error instanceof StorageError ? error : new StorageError('KAFKA_STORAGE_ERROR', cause.message, cause)
  }

  /** Closes every log and marks the shutdown clean, so that the next start reads no log. `brokerEpoch` is noted for it. */
  async shutdown(brokerEpoch = NO_BROKER_EPOCH): Promise<void> {
    this.#maintenance.stop()
    this.#removal.close()
    this.writeStaged()
    await Promise.all(this.#online().map((directory) => this.#shutdownDirectory(directory, brokerEpoch)))
  }

  async #shutdownDirectory(directory: LogDirectory, brokerEpoch: number): Promise<void> {
    const logs = [...this.#logsOf(directory)]
    try {
      await concurrently(this.#options.recoveryThreadsPerDataDir, logs, (log) => log.close())
      await directory.writeRecoveryPoints(logs)
      await directory.writeLogStartOffsets(logs)
      await directory.writeHighWatermarks(logs)
      directory.close(brokerEpoch)
    } catch (error) {
      const failure = this.#failed(directory, error)
      if (directory.online) throw failure
    }
  }
}
