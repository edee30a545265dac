import type { Clock, Timer } from './env/clock.ts'
import type { MetadataImage } from './metadata/image.ts'

export interface LogDirFailuresOptions {
  readonly nodeId: number
  /** log.dir.failure.timeout.ms */
  readonly timeoutMs: number
}

export interface LogDirFailuresDeps {
  readonly clock: Clock
  readonly image: () => MetadataImage
  /** Called with the id of a directory that this broker still leads in, when its time is up. */
  readonly onUntold: (directory: string) => void
}

/**
 * Failed log dirs that the controller does not know of (KIP-858): as long as it does not, it leaves their partitions to a leader that can
 * serve nothing. A broker that leads any, and cannot tell, has to make room.
 */
export class LogDirFailures implements Disposable {
  readonly #options: LogDirFailuresOptions
  readonly #deps: LogDirFailuresDeps
  readonly #timers = new Map<string, Timer>()

  constructor(options: LogDirFailuresOptions, deps: LogDirFailuresDeps) {
    this.#options = options
    this.#deps = deps
  }

  failed(directory: string): void {
    if (this.#timers.has(directory)) return
    const timer = this.#deps.clock.setTimer(this.#options.timeoutMs, () => {
      if (this.#leadsIn(directory)) this.#deps.onUntold(directory)
    })
    this.#timers.set(directory, timer)
  }

  /** The controller takes what it was told of out of the registration, and gives its leaderships to others. */
  #leadsIn(directory: string): boolean {
    const { nodeId } = this.#options
    const { brokers, topics } = this.#deps.image()
    if (brokers.get(nodeId)?.logDirs.includes(directory) !== true) return false
    for (const { partitions } of topics.byName.values()) {
      for (const { leader, replicas, directories } of partitions) {
        if (leader === nodeId && directories[replicas.indexOf(nodeId)] === directory) return true
      }
    }
    return false
  }

  [Symbol.dispose](): void {
    for (const timer of this.#timers.values()) timer.cancel()
  }
}
