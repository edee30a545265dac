import { DiskError } from '../env/disk.ts'
import { StorageError } from './errors.ts'
import { LogDirectory, type LogDirectoryDeps, NO_BROKER_EPOCH } from './log-directory.ts'
import type { LogDirectoryInfo } from './log-manager-types.ts'

/** All of `log.dirs`, those included that cannot be used. */
export class LogDirectories {
  readonly #paths: readonly string[]
  readonly #usable = new Map<string, LogDirectory>()
  #cordoned: ReadonlySet<string> = new Set()

  /** Takes them into use. Throws StorageError where one is another's. */
  constructor(
    options: { readonly logDirs: readonly string[]; readonly clusterId: string; readonly nodeId: number },
    deps: LogDirectoryDeps,
  ) {
    this.#paths = options.logDirs
    for (const path of options.logDirs) {
      try {
        this.#usable.set(path, LogDirectory.open(path, options, deps))
      } catch (error) {
        if (!(error instanceof DiskError)) throw error
        deps.logger.error({ path, err: error }, 'a log dir cannot be used')
      }
    }
  }

  /** Undefined where it could not be used from the start. */
  at(path: string): LogDirectory | undefined {
    return this.#usable.get(path)
  }

  /** The one in which a log has this file. */
  holding(path: string): LogDirectory | undefined {
    const [logDir] = /^.*(?=\/[^/]+\/[^/]+$)/.exec(path) ?? []
    return logDir === undefined ? undefined : this.at(logDir)
  }

  online(): LogDirectory[] {
    return [...this.#usable.values()].filter(({ online }) => online)
  }

  /** In the order of `log.dirs`. */
  info(): LogDirectoryInfo[] {
    return this.#paths.map((path) => {
      const directory = this.#usable.get(path)
      const isCordoned = this.#cordoned.has(path)
      return { path, id: directory?.id ?? null, online: directory?.online ?? false, isCordoned }
    })
  }

  /** Those of `paths`, and no others, take no new logs from now on; `*` is all. */
  cordon(paths: readonly string[]): void {
    this.#cordoned = new Set(paths.includes('*') ? this.#paths : paths)
  }

  /** The broker epoch of the last run, where every log dir was shut down cleanly with the same one, and lost nothing; else -1 (KIP-966). */
  get brokerEpochAtShutdown(): number {
    const epochs = new Set([...this.#usable.values()].map(({ brokerEpochAtShutdown }) => brokerEpochAtShutdown))
    const [epoch = NO_BROKER_EPOCH] = epochs
    return epochs.size === 1 ? epoch : NO_BROKER_EPOCH
  }

  /**
   * Where the log `name` is to be made: in the directory `directoryId`, or in the one with the fewest logs of those that are not
   * cordoned, if there is one. Throws StorageError KAFKA_STORAGE_ERROR, LOG_DIR_NOT_FOUND.
   */
  placeFor(
    name: string,
    { isNew, directoryId }: { readonly isNew: boolean; readonly directoryId: string | undefined },
  ): LogDirectory {
    const online = this.online()
    if (!isNew && online.length < this.#paths.length) {
      const message = `Can not create log for ${name} because log directories are offline`
      throw new StorageError('KAFKA_STORAGE_ERROR', message)
    }
    if (directoryId !== undefined) {
      const wanted = online.find(({ id }) => id === directoryId)
      if (wanted === undefined)
        throw new StorageError('LOG_DIR_NOT_FOUND', `No online log dir has the id ${directoryId}`)
      return wanted
    }
    const open = online.filter(({ path }) => !this.#cordoned.has(path))
    const [emptiest] = (open.length > 0 ? open : online).toSorted((a, b) => a.logCount - b.logCount)
    if (emptiest === undefined) throw new StorageError('KAFKA_STORAGE_ERROR', 'No log dir is online')
    return emptiest
  }
}
