import type { ServerConfig } from '../config/server-config.ts'
import type { Clock } from '../env/clock.ts'
import { Turns } from '../lib/turns.ts'

/** What is in sync waits for so long, in ms, for what is not: both come from a leader in the same answers. */
const ANSWER_MS = 5
const BYTES_AT_FIRST = 128 * 1024
const BYTES_MAX = 2 ** 30
/** Never less than this once much has been appended: small answers to many fetches cost more than they spare. */
const BYTES_MIN_IN_THE_END = 1024 * 1024
/** The least grows by one byte for so many appended ones, while the code that appends them is compiled. */
const BYTES_A_BYTE_MORE = 8
/** As many partitions at least are in an answer that is full. */
const SHARES = 4

type Configured = Pick<ServerConfig, 'replicaFetchResponseMaxBytes' | 'replicaFetchMaxBytes'>

/**
 * How much a follower asks a leader for at a time: what it appends in a few ms. What that is depends on the size of batches, and on whether the code
 * is compiled: 10 MB of batches of 1 KiB took a broker 0.4 s, in which it acknowledged nothing. It grows and shrinks with the time that answers take,
 * which is not theirs alone where the processors are shared: with little for a least, three busy nodes did a third less of the same work.
 */
export class FetchPace {
  readonly #clock: Clock
  #bytes = BYTES_AT_FIRST
  #appended = 0
  #turns: Turns
  #beganMs = 0
  #spentMs = 0

  constructor(deps: { readonly clock: Clock }) {
    this.#clock = deps.clock
    this.#turns = new Turns(deps)
  }

  /** At most so many bytes, of the next answer and of one partition in it, and no more than is configured. */
  limits(configured: Configured): { readonly maxBytes: number; readonly partitionMaxBytes: number } {
    return {
      maxBytes: Math.min(configured.replicaFetchResponseMaxBytes, this.#bytes),
      partitionMaxBytes: Math.min(configured.replicaFetchMaxBytes, this.#share),
    }
  }

  get #share(): number {
    return Math.floor(this.#bytes / SHARES)
  }

  get #bytesMin(): number {
    return Math.min(BYTES_MIN_IN_THE_END, BYTES_AT_FIRST + Math.floor(this.#appended / BYTES_A_BYTE_MORE))
  }

  /** An answer has come. */
  begin(): void {
    this.#turns = new Turns({ clock: this.#clock })
    this.#spentMs = 0
    this.#beganMs = this.#clock.monotonicMs()
  }

  /** Whether others are to have a turn. */
  get isTurnOver(): boolean {
    return this.#turns.isOver
  }

  /** Resolves when they have had it. */
  async giveWay(): Promise<void> {
    this.#pause()
    await this.#turns.next()
    this.#beganMs = this.#clock.monotonicMs()
  }

  /** All of the answer has been appended. `bytes`: of its records; few say nothing of how long many take. */
  end(bytes: number): void {
    this.#pause()
    this.#appended += bytes
    this.#bytes = Math.max(this.#bytesMin, this.#next(bytes))
  }

  #next(bytes: number): number {
    if (bytes < this.#share / 2) return this.#bytes
    if (this.#spentMs > ANSWER_MS) return Math.floor(this.#bytes / 2)
    return this.#spentMs < ANSWER_MS / 2 ? Math.min(BYTES_MAX, this.#bytes * 2) : this.#bytes
  }

  /** What others take of the time is not counted. */
  #pause(): void {
    this.#spentMs += this.#clock.monotonicMs() - this.#beganMs
  }
}
