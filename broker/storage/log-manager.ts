import { DiskError } from '../env/disk.ts'
import { assert } from '../lib/assert.ts'
import { shareDescriptors } from '../lib/descriptors.ts'
import { concurrently } from './concurrently.ts'
import { DelayedRemoval } from './delayed-removal.ts'
import { isTooManyFiles, StorageError } from './errors.ts'
import type { LogConfig } from './log-config.ts'
import { LogDirectories } from './log-directories.ts'
import { type LogDirectory, NO_BROKER_EPOCH } from './log-directory.ts'
import { EMPTY_LOG, type LoadOptions, loadLogs } from './log-loading.ts'
import { LogMaintenance } from './log-maintenance.ts'
import type { LogDirectoryInfo, LogManagerDeps, LogManagerOptions } from './log-manager-types.ts'
import { PartitionLog } from './log.ts'
import { logDirectoryName, retiredDirectoryName } from './names.ts'
import { OpenFiles } from './open-files.ts'
import { TailCache } from './tail-cache.ts'

/** A log that is to be there. */
interface WantedLog {
  readonly topic: string
  readonly partition: number
  readonly topicId: string | null
  readonly config: LogConfig
}

const UUID_BYTES = 16
const TOO_MANY_FILES =
  'the process has too many files and sockets open: raise its limit (ulimit -n, LimitNOFILE=) or lower max.connections'

/** All logs of this broker, over all its log dirs: a dir that fails goes offline with its logs, the rest goes on. */
export class LogManager {
  readonly #options: LogManagerOptions
  readonly #deps: LogManagerDeps
  readonly #tailCache: TailCache
  readonly #files: OpenFiles
  readonly #removal: DelayedRemoval
  readonly #directories: LogDirectories
  readonly #logs = new Map<string, PartitionLog>()
  /** Copies that are to take the place of logs in other directories. */
  readonly #futures = new Map<string, PartitionLog>()
  readonly #logsIn = new Map<LogDirectory, Set<PartitionLog>>()
  readonly #creating = new Map<string, Promise<PartitionLog>>()
  readonly #failureListeners: ((path: string) => void)[] = []
  readonly #maintenance: LogMaintenance
  #dirty: PartitionLog[] = []

  private constructor(options: LogManagerOptions, deps: LogManagerDeps) {
    this.#options = options
    this.#deps = deps
    this.#tailCache = new TailCache({ budgetBytes: options.tailCacheBytes })
    this.#directories = new LogDirectories(options, deps)
    this.#files = new OpenFiles({ max: shareDescriptors(deps.disk.openFilesMax).logFiles }, deps)
    const onError = (error: unknown): void => deps.logger.error({ err: error }, 'a deleted file could not be removed')
    this.#removal = new DelayedRemoval({ ...deps, onError })
    this.#maintenance = new LogMaintenance({
      clock: deps.clock,
      directories: () => this.#directories.online(),
      logsIn: (directory) => [...this.#logsOf(directory)],
      onError: (directory, error) => this.#upkeepFailed(directory, error),
    })
  }

  /** It is tried again at the next time. */
  #upkeepFailed(directory: LogDirectory, error: unknown): void {
    const failure = this.#failed(directory, error)
    if (failure instanceof StorageError) return
    this.#deps.logger.error({ path: directory.path, err: failure }, 'the upkeep of a log dir has failed')
  }

  /** Loads all logs. Rejects with StorageError where a directory is another's, or none is usable. */
  static async open(options: LogManagerOptions, deps: LogManagerDeps): Promise<LogManager> {
    const manager = new LogManager(options, deps)
    await Promise.all(manager.#directories.online().map((directory) => manager.#loadDirectory(directory)))
    if (manager.#directories.online().length === 0) {
      throw new StorageError(
        'KAFKA_STORAGE_ERROR',
        'Shutdown broker because none of the specified log dirs can be used',
      )
    }
    manager.#maintenance.start(options.intervals)
    return manager
  }

  async #loadDirectory(directory: LogDirectory): Promise<void> {
    try {
      await loadLogs(
        directory,
        { ...this.#options, isOnline: () => directory.online },
        { ...this.#deps, open: (name, options) => this.#load(directory, name, options) },
        (log, kind) => this.#add(directory, kind === 'log' ? this.#logs : this.#futures, log),
      )
    } catch (error) {
      this.#failed(directory, error)
    }
  }

  #load(directory: LogDirectory, directoryName: string, options: LoadOptions): Promise<PartitionLog> {
    const { hadCleanShutdown } = directory
    const { producerIdExpirationMs } = this.#options
    return PartitionLog.open(
      { hadCleanShutdown, producerIdExpirationMs, directory: `${directory.path}/${directoryName}`, ...options },
      {
        ...this.#deps,
        tailCache: this.#tailCache,
        files: this.#files,
        parentNames: directory.names,
        onStaged: (log) => this.#onStaged(log),
        onFailure: (error) => this.#failed(directory, error),
      },
    )
  }

  #add(directory: LogDirectory, logs: Map<string, PartitionLog>, log: PartitionLog): void {
    const name = nameOf(log)
    const other = logs.get(name)
    if (other !== undefined) {
      // A crash has come between the two steps of `promote`.
      const shorter = other.logEndOffset < log.logEndOffset ? other : log
      this.#deps.logger.warn({ directory: shorter.directory }, 'a log is there twice: the shorter is set aside')
      this.#retire([shorter], '-stray')
      if (shorter === log) return
    }
    logs.set(name, log)
    this.#logsOf(directory).add(log)
  }

  #logsOf(directory: LogDirectory): Set<PartitionLog> {
    let logs = this.#logsIn.get(directory)
    if (logs === undefined) this.#logsIn.set(directory, (logs = new Set()))
    return logs
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
    // It may be made for another topic of that name, or with other settings.
    if (pending !== undefined) {
      return pending.then(() => this.getOrCreate(topic, partition, topicId, config, isNew, directoryId))
    }
    const made = this.#getOrCreate(name, { topic, partition, topicId, config, isNew, directoryId })
    this.#creating.set(name, made)
    return made.finally(() => this.#creating.delete(name))
  }

  async #getOrCreate(
    name: string,
    options: WantedLog & { isNew: boolean; directoryId: string | undefined },
  ): Promise<PartitionLog> {
    const { topic, partition, topicId, config } = options
    const found = this.#logs.get(name)
    if (found !== undefined) {
      if (topicId !== null) found.adoptTopicId(topicId)
      found.updateConfig(config)
      return found
    }
    const directory = this.#directories.placeFor(name, options)
    directory.logCount++
    try {
      const log = await this.#load(directory, name, { topic, partition, ...EMPTY_LOG, config })
      if (topicId !== null) log.adoptTopicId(topicId)
      this.#add(directory, this.#logs, log)
      return log
    } catch (error) {
      directory.logCount--
      throw this.#failed(directory, error)
    }
  }

  /** Deletes logs of a topic: they are renamed at once, and their files go after `file.delete.delay.ms`. Rejects with StorageError. */
  async delete(topic: string, ...partitions: readonly number[]): Promise<void> {
    const logs = partitions.flatMap((partition) => this.get(topic, partition) ?? [])
    await this.#noteGone(this.#retire(logs, '-delete'))
  }

  /** A log of the same name may come, to which the old offsets must not apply. */
  async #noteGone(directories: Iterable<LogDirectory>): Promise<void> {
    for (const directory of directories) {
      await directory.writeOffsets([...this.#logsOf(directory)]).catch((error: unknown) => {
        throw this.#failed(directory, error)
      })
    }
  }

  /** The copy of a log that is being made in another directory. */
  future(topic: string, partition: number): PartitionLog | undefined {
    return this.#futures.get(logDirectoryName(topic, partition))
  }

  futures(): PartitionLog[] {
    return [...this.#futures.values()]
  }

  /** Begins an empty copy of `log` in another online log dir (KIP-113). Rejects with StorageError KAFKA_STORAGE_ERROR. */
  async createFuture(log: PartitionLog, path: string): Promise<PartitionLog> {
    const directory = this.#directories.at(path)
    if (directory?.online !== true) throw new StorageError('KAFKA_STORAGE_ERROR', `Log directory ${path} is offline`)
    const { topic, partition, config } = log
    directory.logCount++
    try {
      const name = retiredDirectoryName(topic, partition, this.#newSuffix(), '-future')
      const future = await this.#load(directory, name, { topic, partition, ...EMPTY_LOG, config })
      if (log.topicId !== null) future.adoptTopicId(log.topicId)
      future.truncateFullyAndStartAt(log.logStartOffset)
      this.#add(directory, this.#futures, future)
      return future
    } catch (error) {
      directory.logCount--
      throw this.#failed(directory, error)
    }
  }

  /** Gives up a copy. Throws StorageError. */
  deleteFuture(future: PartitionLog): void {
    if (this.#futures.get(nameOf(future)) === future) this.#retire([future], '-delete')
  }

  /**
   * Puts the copy, which is complete, in the place of its log, which goes. Nobody may append meanwhile. Gives the log that it is from
   * then on. Rejects with StorageError.
   */
  async promote(future: PartitionLog): Promise<PartitionLog> {
    const { topic, partition, topicId, config, highWatermark, logStartOffset } = future
    const directory = this.#directories.at(future.parentDirectory)
    const before = this.get(topic, partition)
    assert(directory !== undefined && before !== undefined, 'a copy is in a log dir, and of a log')
    const name = logDirectoryName(topic, partition)
    try {
      await future.close()
      this.#forget(directory, future)
      this.#deps.disk.rename(future.directory, `${directory.path}/${name}`)
      this.#deps.disk.syncDirectory(directory.path)
      this.#retire([before], '-delete')
      const recoveryPoint = future.logEndOffset
      const whole = { recoveryPoint, logStartOffset, topicId, config, hadCleanShutdown: true }
      const log = await this.#load(directory, name, { topic, partition, ...whole })
      log.updateHighWatermark(highWatermark)
      this.#add(directory, this.#logs, log)
      return log
    } catch (error) {
      throw this.#failed(directory, error)
    }
  }

  #newSuffix(): string {
    return Buffer.from(this.#deps.random.bytes(UUID_BYTES)).toString('hex')
  }

  #forget(directory: LogDirectory, log: PartitionLog): void {
    const name = nameOf(log)
    for (const logs of [this.#logs, this.#futures]) if (logs.get(name) === log) logs.delete(name)
    this.#logsOf(directory).delete(log)
  }

  /**
   * Sets aside the logs that `isStray`, and copies of such: replicas that the cluster does not know, or knows elsewhere (KIP-866). Gives
   * them. Rejects with StorageError.
   */
  async setAsideStrays(isStray: (log: PartitionLog) => boolean): Promise<PartitionLog[]> {
    const strays = [...this.logs(), ...this.futures()].filter(isStray)
    for (const log of strays) {
      this.#deps.logger.warn({ directory: log.directory }, 'a stray log is set aside')
    }
    await this.#noteGone(this.#retire(strays, '-stray'))
    return strays
  }

  /** Closes and renames the directories of logs, and forgets them; gives the log dirs that they were in. Throws StorageError. */
  #retire(logs: readonly PartitionLog[], suffix: '-delete' | '-stray'): ReadonlySet<LogDirectory> {
    const directories = new Set<LogDirectory>()
    for (const log of logs) {
      const directory = this.#directories.at(log.parentDirectory)
      assert(directory !== undefined, 'a log is in a log dir')
      directories.add(directory)
      this.#forget(directory, log)
      directory.logCount--
      log.closeFiles()
      const path = `${directory.path}/${retiredDirectoryName(log.topic, log.partition, this.#newSuffix(), suffix)}`
      this.#onDisk(directory, () => this.#deps.disk.rename(log.directory, path))
      if (suffix === '-delete') this.#removal.remove([path], log.config.fileDeleteDelayMs)
    }
    for (const directory of directories) this.#onDisk(directory, () => this.#deps.disk.syncDirectory(directory.path))
    return directories
  }

  /** Throws StorageError; the log dir is offline then. */
  #onDisk(directory: LogDirectory, work: () => void): void {
    try {
      work()
    } catch (error) {
      throw this.#failed(directory, error)
    }
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
    return this.#directories.info()
  }

  /** Those of `paths`, and no others, take no new logs from now on; `*` is all (KIP-1066). */
  cordon(paths: readonly string[]): void {
    this.#directories.cordon(paths)
  }

  /** Bytes of the file system below an online log dir. Throws DiskError. */
  space(path: string): { totalBytes: number; usableBytes: number } {
    return this.#deps.disk.space(path)
  }

  /** The broker epoch of the last run, where every log dir was shut down cleanly with the same one; else -1 (KIP-966). */
  get brokerEpochAtShutdown(): number {
    return this.#directories.brokerEpochAtShutdown
  }

  /** Calls `listener` each time that a log dir goes offline; its logs are gone from `get` then. */
  onLogDirFailure(listener: (path: string) => void): void {
    this.#failureListeners.push(listener)
  }

  /** Takes a log dir offline where `error` is a failure of its disk, and returns what to throw for it. */
  #failed(directory: LogDirectory, error: unknown): unknown {
    const cause = error instanceof StorageError ? error.cause : error
    if (!(cause instanceof DiskError)) return error
    if (isTooManyFiles(cause))
      this.#deps.logger.error({ err: cause, openFilesMax: this.#deps.disk.openFilesMax }, TOO_MANY_FILES)
    else if (directory.online) {
      this.#deps.logger.error({ path: directory.path, err: cause }, 'a log dir has failed and is offline')
      directory.fail()
      for (const log of this.#logsOf(directory)) {
        log.fail(cause)
        log.closeFiles()
        this.#forget(directory, log)
      }
      this.#logsOf(directory).clear()
      for (const listener of this.#failureListeners) listener(directory.path)
    }
    return error instanceof StorageError ? error : new StorageError('KAFKA_STORAGE_ERROR', cause.message, cause)
  }

  /** Closes every log and marks the shutdown clean, so that the next start reads no log. `brokerEpoch` is noted for it. */
  async shutdown(brokerEpoch = NO_BROKER_EPOCH): Promise<void> {
    this.#maintenance.stop()
    this.#removal.close()
    this.writeStaged()
    await Promise.all(this.#directories.online().map((directory) => this.#shutdownDirectory(directory, brokerEpoch)))
  }

  async #shutdownDirectory(directory: LogDirectory, brokerEpoch: number): Promise<void> {
    const logs = [...this.#logsOf(directory)]
    try {
      await concurrently(this.#options.recoveryThreadsPerDataDir, logs, (log) => log.close())
      await directory.writeOffsets(logs)
      directory.close(brokerEpoch)
    } catch (error) {
      const failure = this.#failed(directory, error)
      if (directory.online) throw failure
    }
  }
}

function nameOf({ topic, partition }: PartitionLog): string {
  return logDirectoryName(topic, partition)
}
