import type { DiskError } from '../env/disk.ts'
import { shareDescriptors } from '../lib/descriptors.ts'
import { concurrently } from './concurrently.ts'
import { StorageError } from './errors.ts'
import { FutureLogs } from './future-logs.ts'
import type { LogConfig } from './log-config.ts'
import { LogDirFailures, offline } from './log-dir-failures.ts'
import { LogDirectories } from './log-directories.ts'
import { type LogDirectory, NO_BROKER_EPOCH } from './log-directory.ts'
import { EMPTY_LOG, type LoadOptions, loadLogs } from './log-loading.ts'
import { LogMaintenance } from './log-maintenance.ts'
import type { LogDirectoryInfo, LogManagerDeps, LogManagerOptions, WantedLog } from './log-manager-types.ts'
import { isSameTopic, type LogKind, LogRegistry, olderOf } from './log-registry.ts'
import { LogRetirement } from './log-retirement.ts'
import { PartitionLog } from './log.ts'
import { logDirectoryName } from './names.ts'
import { OpenFiles } from './open-files.ts'
import { patiently } from './patience.ts'
import { TailCache } from './tail-cache.ts'

/** All logs of this broker, over all its log dirs: a dir that fails goes offline with its logs, the rest goes on. */
export class LogManager {
  readonly #options: LogManagerOptions
  readonly #deps: LogManagerDeps
  readonly #tailCache: TailCache
  readonly #files: OpenFiles
  readonly #retirement: LogRetirement
  readonly #directories: LogDirectories
  readonly #registry = new LogRegistry()
  readonly #creating = new Map<string, Promise<PartitionLog>>()
  readonly #failures: LogDirFailures
  readonly #futures: FutureLogs
  readonly #maintenance: LogMaintenance
  #dirty: PartitionLog[] = []

  private constructor(options: LogManagerOptions, deps: LogManagerDeps) {
    this.#options = options
    this.#deps = deps
    this.#tailCache = new TailCache({ budgetBytes: options.tailCacheBytes })
    this.#directories = new LogDirectories(options, deps)
    const shared = { ...deps, directories: this.#directories, registry: this.#registry }
    this.#failures = new LogDirFailures(shared)
    // Later: whoever is opening a file meanwhile must not find it closed.
    const onFailure = (error: DiskError): void => deps.clock.defer(() => this.#failures.fileFailed(error))
    this.#files = new OpenFiles({ max: shareDescriptors(deps.disk.openFilesMax).logFiles }, { ...deps, onFailure })
    this.#retirement = new LogRetirement({ ...shared, failures: this.#failures })
    this.#futures = new FutureLogs({
      ...shared,
      retirement: this.#retirement,
      failures: this.#failures,
      open: (directory, name, found) => this.#load(directory, name, found),
      add: (directory, kind, log) => this.#add(directory, kind, log),
    })
    this.#maintenance = new LogMaintenance({
      clock: deps.clock,
      directories: () => this.#directories.online(),
      logsIn: (directory) => this.#registry.in(directory),
      onError: (directory, error) => this.#failures.upkeepFailed(directory, error),
    })
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
    await manager.#retirement.noteMissing()
    manager.#maintenance.start(options.intervals)
    return manager
  }

  async #loadDirectory(directory: LogDirectory): Promise<void> {
    try {
      const { tellsTooMuch, isLost } = await loadLogs(
        directory,
        { ...this.#options, isOnline: () => directory.online },
        { ...this.#deps, open: (name, options) => this.#load(directory, name, options) },
        (log, kind) => this.#add(directory, kind, log),
      )
      // Whoever could not write it has taken the log dir offline.
      if (isLost) this.#writeLowered(directory).catch(() => undefined)
      if (!tellsTooMuch) return
      directory.hasLostRecords()
      await this.#writeLowered(directory)
    } catch (error) {
      const failure = this.#failures.failed(directory, error)
      // A log that is taken for missing would be made anew, without what the checkpoints say of it, perhaps elsewhere.
      if (directory.online) throw failure
    }
  }

  async #load(directory: LogDirectory, directoryName: string, options: LoadOptions): Promise<PartitionLog> {
    const { hadCleanShutdown } = directory
    const { producerIdExpirationMs } = this.#options
    const log = await PartitionLog.open(
      { hadCleanShutdown, producerIdExpirationMs, directory: `${directory.path}/${directoryName}`, ...options },
      {
        ...this.#deps,
        tailCache: this.#tailCache,
        files: this.#files,
        parentNames: directory.names,
        onStaged: (staged) => this.#onStaged(staged),
        onFailure: (error) => this.#failures.failed(directory, error),
        isTolerable: (path) => directory.isTolerable(path),
        onLowered: () => this.#writeLowered(directory),
      },
    )
    if (directory.online) return log
    // It has failed meanwhile, and nobody would tell this one.
    log.closeFiles()
    throw offline(directory)
  }

  /**
   * Notes what may be less than the checkpoints say; durable when it resolves. One write for all logs that ask while another one runs: a
   * broker that comes back may have thousands to cut. Rejects with StorageError.
   */
  async #writeLowered(directory: LogDirectory): Promise<void> {
    const logs = (): readonly PartitionLog[] => this.#registry.in(directory)
    try {
      await patiently(this.#deps.clock, () =>
        directory.online ? directory.writeLowered(logs) : Promise.reject(offline(directory)),
      )
    } catch (error) {
      throw this.#failures.failed(directory, error)
    }
  }

  #add(directory: LogDirectory, kind: LogKind, log: PartitionLog): void {
    const other = this.#registry.get(log.topic, log.partition, kind)
    // Of two topics the metadata log tells which one there is: the other one was deleted while its log dir was away.
    if (other !== undefined && isSameTopic(log, other)) {
      // A crash has come between the two steps of `promote`.
      const older = olderOf(log, other)
      this.#deps.logger.warn({ directory: older.directory }, 'a log is there twice: the older is set aside')
      this.#retirement.retire([older], '-stray')
      if (older === log) return
    }
    this.#registry.add(directory, kind, log)
  }

  get(topic: string, partition: number): PartitionLog | undefined {
    return this.#registry.get(topic, partition)
  }

  logs(): PartitionLog[] {
    return this.#registry.list('log')
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
    const found = this.get(topic, partition)
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
      this.#add(directory, 'log', log)
      return log
    } catch (error) {
      directory.logCount--
      throw this.#failures.failed(directory, error)
    }
  }

  /**
   * Deletes logs of a topic: they are renamed at once, and their files go after `file.delete.delay.ms`. A log dir that fails at it is offline
   * from then on.
   */
  async delete(topic: string, ...partitions: readonly number[]): Promise<void> {
    const logs = partitions.flatMap((partition) => this.get(topic, partition) ?? [])
    await this.#retirement.noteGone(this.#retirement.retire(logs, '-delete'))
  }

  /** The copy of a log that is being made in another directory. */
  future(topic: string, partition: number): PartitionLog | undefined {
    return this.#registry.get(topic, partition, 'future')
  }

  futures(): PartitionLog[] {
    return this.#registry.list('future')
  }

  /** Begins an empty copy of `log` in another online log dir (KIP-113). Rejects with StorageError KAFKA_STORAGE_ERROR. */
  createFuture(log: PartitionLog, path: string): Promise<PartitionLog> {
    return this.#futures.create(log, path)
  }

  /** Gives up a copy, unless it is about to be the log: at once, and resolves when nothing tells of it any more. */
  deleteFuture(future: PartitionLog): Promise<void> {
    return this.#futures.delete(future)
  }

  /**
   * Puts the copy, which is complete, in the place of its log, which goes. Nobody may append meanwhile. Gives the log that it is from
   * then on. Rejects with StorageError, not for want of descriptors: it waits for them.
   */
  promote(future: PartitionLog): Promise<PartitionLog> {
    return this.#futures.promote(future)
  }

  /**
   * Sets aside the logs that `isStray`, and copies of such: replicas that the cluster does not know, or knows elsewhere (KIP-866). Gives
   * them. A log dir that fails at it is offline from then on.
   */
  async setAsideStrays(isStray: (log: PartitionLog) => boolean): Promise<PartitionLog[]> {
    const strays = this.#registry.all().filter(isStray)
    for (const log of strays) {
      this.#deps.logger.warn({ directory: log.directory }, 'a stray log is set aside')
    }
    await this.#retirement.noteGone(this.#retirement.retire(strays, '-stray'))
    return strays
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

  /** The broker epoch of the last run, where every log dir was shut down cleanly with the same one, and lost nothing; else -1 (KIP-966). */
  get brokerEpochAtShutdown(): number {
    return this.#directories.brokerEpochAtShutdown
  }

  /** Calls `listener` each time that a log dir goes offline; its logs are gone from `get` then. */
  onLogDirFailure(listener: (path: string) => void): void {
    this.#failures.listen(listener)
  }

  /** Closes every log and marks the shutdown clean, so that the next start reads no log. `brokerEpoch` is noted for it. */
  async shutdown(brokerEpoch = NO_BROKER_EPOCH): Promise<void> {
    this.#maintenance.stop()
    // A log that came later, or went, would not be as the checkpoints say.
    await Promise.allSettled([this.#futures.settled(), ...this.#creating.values()])
    this.#retirement.close()
    this.writeStaged()
    await Promise.all(this.#directories.online().map((directory) => this.#shutdownDirectory(directory, brokerEpoch)))
  }

  async #shutdownDirectory(directory: LogDirectory, brokerEpoch: number): Promise<void> {
    const logs = this.#registry.in(directory)
    try {
      await concurrently(this.#options.recoveryThreadsPerDataDir, logs, (log) => log.close())
      // One may have failed before it was to be closed, in what nobody waited for.
      if (!directory.online) return
      await directory.writeOffsets(logs)
      directory.close(brokerEpoch)
    } catch (error) {
      const failure = this.#failures.failed(directory, error)
      if (directory.online) throw failure
    }
  }
}
