import type { Clock } from '../env/clock.ts'
import type { Disk } from '../env/disk.ts'
import { assert } from '../lib/assert.ts'
import { type LogDirFailures, offline } from './log-dir-failures.ts'
import type { LogDirectories } from './log-directories.ts'
import type { LogDirectory } from './log-directory.ts'
import { EMPTY_LOG, type LoadOptions } from './log-loading.ts'
import type { LogKind, LogRegistry } from './log-registry.ts'
import type { LogRetirement } from './log-retirement.ts'
import type { PartitionLog } from './log.ts'
import { logDirectoryName, retiredDirectoryName } from './names.ts'
import { patiently } from './patience.ts'

export interface FutureLogsDeps {
  readonly clock: Clock
  readonly disk: Disk
  readonly directories: LogDirectories
  readonly registry: LogRegistry
  readonly retirement: LogRetirement
  readonly failures: LogDirFailures
  /** Opens the log in the directory of this name. */
  open(directory: LogDirectory, directoryName: string, options: LoadOptions): Promise<PartitionLog>
  /** Takes a log into use. */
  add(directory: LogDirectory, kind: LogKind, log: PartitionLog): void
}

/** Moves of logs between log dirs (KIP-113): a copy is made in another one, and in the end takes the place of the log. */
export class FutureLogs {
  readonly #deps: FutureLogsDeps
  readonly #promoting = new Map<PartitionLog, Promise<PartitionLog>>()

  constructor(deps: FutureLogsDeps) {
    this.#deps = deps
  }

  /** Begins an empty copy of `log` in another online log dir (KIP-113). Rejects with StorageError KAFKA_STORAGE_ERROR. */
  async create(log: PartitionLog, path: string): Promise<PartitionLog> {
    const { directories, retirement, failures } = this.#deps
    const directory = directories.at(path)
    if (directory?.online !== true) throw offline({ path })
    const { topic, partition, config } = log
    const name = retiredDirectoryName(topic, partition, retirement.newSuffix(), '-future')
    let future: PartitionLog | undefined
    directory.logCount++
    try {
      future = await this.#deps.open(directory, name, { topic, partition, ...EMPTY_LOG, config })
      if (log.topicId !== null) future.adoptTopicId(log.topicId)
      future.truncateFullyAndStartAt(log.logStartOffset)
      this.#deps.add(directory, 'future', future)
      return future
    } catch (error) {
      directory.logCount--
      future?.closeFiles()
      const failure = failures.failed(directory, error)
      retirement.discard(directory, `${directory.path}/${name}`, log)
      throw failure
    }
  }

  /** Gives up a copy, unless it is about to be the log: at once, and resolves when nothing tells of it any more. */
  async delete(future: PartitionLog): Promise<void> {
    const { registry, retirement } = this.#deps
    const isThere = registry.get(future.topic, future.partition, 'future') === future
    if (!isThere || this.#promoting.has(future)) return
    await retirement.noteGone(retirement.retire([future], '-delete'))
  }

  /**
   * Puts the copy, which is complete, in the place of its log, which goes. Nobody may append meanwhile. Gives the log that it is from
   * then on. Rejects with StorageError, not for want of descriptors: it waits for them.
   */
  promote(future: PartitionLog): Promise<PartitionLog> {
    const promoted = this.#promote(future).finally(() => this.#promoting.delete(future))
    this.#promoting.set(future, promoted)
    return promoted
  }

  async #promote(future: PartitionLog): Promise<PartitionLog> {
    const { topic, partition, topicId, config, highWatermark, logStartOffset } = future
    const { clock, disk, directories, registry, retirement, failures } = this.#deps
    const directory = directories.at(future.parentDirectory)
    const before = registry.get(topic, partition)
    assert(directory !== undefined && before !== undefined, 'a copy is in a log dir, and of a log')
    const name = logDirectoryName(topic, partition)
    try {
      await patiently(clock, () => future.close())
      if (!directory.online) throw offline(directory)
      registry.forget(directory, future)
      disk.rename(future.directory, `${directory.path}/${name}`)
      // Before the log goes.
      await patiently(clock, () => disk.syncDirectoryAsync(directory.path))
      const whole = { recoveryPoint: future.logEndOffset, logStartOffset, topicId, config, hadCleanShutdown: true }
      const log = await patiently(clock, () => this.#deps.open(directory, name, { topic, partition, ...whole }))
      log.producers.takeOver(before.producers)
      // Only now that the copy is in use: where it cannot be, the log stays what it was.
      const left = retirement.retire([before], '-delete')
      for (const each of left) {
        if (each.online) continue
        // Whoever is told of the failed log dir takes the replica for lost. The next start finds it where it is now.
        log.closeFiles()
        throw offline(each)
      }
      log.updateHighWatermark(highWatermark)
      this.#deps.add(directory, 'log', log)
      // Of the copy nothing was noted meanwhile.
      await retirement.noteGone([...left, directory])
      return log
    } catch (error) {
      throw failures.failed(directory, error)
    }
  }

  /** Resolves when no copy is about to be the log any more. */
  async settled(): Promise<void> {
    await Promise.allSettled(this.#promoting.values())
  }
}
