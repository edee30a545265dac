import type { Clock } from '../env/clock.ts'
import type { Disk } from '../env/disk.ts'
import type { Random } from '../env/random.ts'
import { assert } from '../lib/assert.ts'
import type { Logger } from '../telemetry/logger.ts'
import { DelayedRemoval } from './delayed-removal.ts'
import { isTooManyFiles } from './errors.ts'
import type { LogDirFailures } from './log-dir-failures.ts'
import type { LogDirectories } from './log-directories.ts'
import type { LogDirectory } from './log-directory.ts'
import type { LogRegistry } from './log-registry.ts'
import type { PartitionLog } from './log.ts'
import { logDirectoryName, retiredDirectoryName } from './names.ts'
import { patiently } from './patience.ts'

const UUID_BYTES = 16

export interface LogRetirementDeps {
  readonly disk: Disk
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  readonly directories: LogDirectories
  readonly registry: LogRegistry
  readonly failures: LogDirFailures
}

/** Takes logs out of use: their directories get other names, and in the end nothing tells of them that a log of the same name would take for its own. */
export class LogRetirement {
  readonly #deps: LogRetirementDeps
  readonly #removal: DelayedRemoval
  #isClosed = false

  constructor(deps: LogRetirementDeps) {
    this.#deps = deps
    const onError = (error: unknown): void => deps.logger.error({ err: error }, 'a deleted file could not be removed')
    this.#removal = new DelayedRemoval({ ...deps, onError })
  }

  /** What is deleted and still there is for the next start to remove. */
  close(): void {
    this.#isClosed = true
    this.#removal.close()
  }

  /** For the name of a directory that is not one of a log in use. */
  newSuffix(): string {
    return Buffer.from(this.#deps.random.bytes(UUID_BYTES)).toString('hex')
  }

  /**
   * Closes and renames the directories of logs, and forgets them; gives the log dirs that they were in. A log dir that fails at it is offline
   * from then on, and its logs are forgotten with it.
   */
  retire(logs: readonly PartitionLog[], suffix: '-delete' | '-stray'): ReadonlySet<LogDirectory> {
    const directories = new Set<LogDirectory>()
    for (const log of logs) {
      const directory = this.#deps.directories.at(log.parentDirectory)
      assert(directory !== undefined, 'a log is in a log dir')
      directories.add(directory)
      this.#deps.registry.forget(directory, log)
      directory.logCount--
      log.closeFiles()
      this.#attempt(directory, () => this.#rename(directory, log, suffix))
    }
    for (const directory of directories) this.#attempt(directory, () => this.syncNames(directory))
    return directories
  }

  #rename(directory: LogDirectory, log: PartitionLog, suffix: '-delete' | '-stray'): void {
    const path = this.#newPath(directory, log, suffix)
    this.#deps.disk.rename(log.directory, path)
    if (suffix === '-delete') this.#removal.remove([path], log.config.fileDeleteDelayMs)
  }

  #newPath(directory: LogDirectory, { topic, partition }: PartitionLog, suffix: '-delete' | '-stray'): string {
    return `${directory.path}/${retiredDirectoryName(topic, partition, this.newSuffix(), suffix)}`
  }

  /** Removes what was made of a copy of `log` that could not be made whole, so that no start goes on with it. */
  discard(directory: LogDirectory, path: string, log: PartitionLog): void {
    this.#attempt(directory, () => {
      if (!this.#deps.disk.exists(path)) return
      const deleted = this.#newPath(directory, log, '-delete')
      this.#deps.disk.rename(path, deleted)
      this.#removal.remove([deleted], 0)
    })
  }

  #attempt(directory: LogDirectory, work: () => void): void {
    if (!directory.online) return
    try {
      work()
    } catch (error) {
      const failure = this.#deps.failures.failed(directory, error)
      if (directory.online) throw failure
    }
  }

  /** Makes names durable, later where too many files are open: what a crash brings back till then is seen to be a stray, or the shorter of two. */
  syncNames(directory: LogDirectory): void {
    const { clock, disk, failures } = this.#deps
    const sync = (): void => disk.syncDirectory(directory.path)
    try {
      sync()
    } catch (error) {
      const failure = failures.failed(directory, error)
      if (!isTooManyFiles(error)) throw failure
      patiently(clock, () => Promise.try(sync)).catch((later: unknown) => void failures.failed(directory, later))
    }
  }

  /**
   * A log of the same name may come, to which the old offsets must not apply: later where too many files are open. A log dir that fails at it
   * is offline from then on.
   */
  async noteGone(directories: Iterable<LogDirectory>): Promise<void> {
    for (const directory of directories) {
      try {
        await this.#note(directory)
      } catch (error) {
        const failure = this.#deps.failures.failed(directory, error)
        if (isTooManyFiles(error)) this.#noteLater(directory)
        else if (directory.online) throw failure
      }
    }
  }

  /** To be called at the start: a crash may have come before it was noted that a log is gone, and logs were set aside since. */
  async noteMissing(): Promise<void> {
    const { directories, registry } = this.#deps
    const tellsTooMuch = (directory: LogDirectory): boolean => {
      const here = new Set(registry.in(directory).map(({ topic, partition }) => logDirectoryName(topic, partition)))
      return [...directory.toldOf].some((name) => !here.has(name))
    }
    await this.noteGone(directories.online().filter(tellsTooMuch))
  }

  #noteLater(directory: LogDirectory): void {
    const { clock, failures } = this.#deps
    patiently(clock, () => this.#note(directory)).catch((error: unknown) => void failures.failed(directory, error))
  }

  /** The shutdown does it too, and then nobody else may. */
  async #note(directory: LogDirectory): Promise<void> {
    if (this.#isClosed || !directory.online) return
    await directory.writeOffsets(this.#deps.registry.in(directory))
  }
}
