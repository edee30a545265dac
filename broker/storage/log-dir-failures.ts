import { type Disk, DiskError } from '../env/disk.ts'
import type { Logger } from '../telemetry/logger.ts'
import { isTooManyFiles, StorageError, TOO_MANY_FILES } from './errors.ts'
import type { LogDirectories } from './log-directories.ts'
import type { LogDirectory } from './log-directory.ts'
import type { LogRegistry } from './log-registry.ts'

export interface LogDirFailuresDeps {
  readonly disk: Disk
  readonly logger: Logger
  readonly directories: LogDirectories
  readonly registry: LogRegistry
}

/** A log dir whose disk fails goes offline with its logs, the rest goes on. */
export class LogDirFailures {
  readonly #deps: LogDirFailuresDeps
  readonly #listeners: ((path: string) => void)[] = []

  constructor(deps: LogDirFailuresDeps) {
    this.#deps = deps
  }

  /** Calls `listener` each time that a log dir goes offline; its logs are forgotten by then. */
  listen(listener: (path: string) => void): void {
    this.#listeners.push(listener)
  }

  /** Takes a log dir offline where `error` is a failure of its disk, and returns what to throw for it. */
  failed(directory: LogDirectory, error: unknown): unknown {
    const cause = error instanceof StorageError ? error.cause : error
    if (!(cause instanceof DiskError)) return error
    const { disk, logger } = this.#deps
    if (isTooManyFiles(cause)) logger.error({ err: cause, openFilesMax: disk.openFilesMax }, TOO_MANY_FILES)
    else if (directory.online) this.#takeOffline(directory, cause)
    return error instanceof StorageError ? error : new StorageError('KAFKA_STORAGE_ERROR', cause.message, cause)
  }

  #takeOffline(directory: LogDirectory, cause: DiskError): void {
    const { logger, registry } = this.#deps
    logger.error({ path: directory.path, err: cause }, 'a log dir has failed and is offline')
    directory.fail()
    for (const log of registry.in(directory)) {
      log.fail(cause)
      log.closeFiles()
      registry.forget(directory, log)
    }
    for (const listener of this.#listeners) listener(directory.path)
  }

  /** A file whose log did not ask for anything. */
  fileFailed(error: DiskError): void {
    const directory = this.#deps.directories.holding(error.path)
    if (directory !== undefined) this.failed(directory, error)
  }

  /** What is done to a log dir from time to time: it is tried again at the next time. */
  upkeepFailed(directory: LogDirectory, error: unknown): void {
    const failure = this.failed(directory, error)
    if (failure instanceof StorageError) return
    this.#deps.logger.error({ path: directory.path, err: failure }, 'the upkeep of a log dir has failed')
  }
}

export function offline({ path }: Pick<LogDirectory, 'path'>): StorageError {
  return new StorageError('KAFKA_STORAGE_ERROR', `Log directory ${path} is offline`)
}
