const MIB = 1024 * 1024
/** What all answers that nobody has taken yet may come to. Of this, the first may have all of fetch.max.bytes. */
const BUDGET_BYTES = 128 * MIB
/** However many wait, this much is worth a request. */
const ANSWER_BYTES_MIN = 64 * 1024
/** What they may come to with batches that are larger than their answers: a batch is given whole, or not yet. */
const WITH_BATCHES_BYTES = 256 * MIB
/** Those who do read go on beside any number of those who do not. */
const OF_READERS_BYTES = 384 * MIB
/** Who has taken so much on one connection reads: more than the kernels of both sides take by themselves. */
const READER_BYTES = 16 * MIB

/** A fetch whose first batch there is no room for. */
export interface WaitingBatch {
  readonly bytes: number
  /** What its client has taken so far. */
  readonly takenBytes: number
  /** Called, once, when there is room: it may be gone again when it is looked at. */
  readonly wake: () => void
}

/**
 * Counts what was read for answers, in bytes, until their clients have taken it. The more there is, the smaller further answers are: consumers on
 * slow links get less at a time, and a broker does not run out of memory by them. Apache Kafka sends from the page cache, and holds nothing.
 */
export class AnswerBudget {
  #heldBytes = 0
  readonly #waiting = new Set<WaitingBatch>()

  get heldBytes(): number {
    return this.#heldBytes
  }

  hold(bytes: number): void {
    this.#heldBytes += bytes
  }

  release(bytes: number): void {
    this.#heldBytes -= bytes
    if (this.#waiting.size > 0) this.#wake()
  }

  /** How many bytes an answer may come to that holds `bytes` already: half of what is left is left to others. */
  allowance(bytes: number): number {
    const left = Math.max(0, BUDGET_BYTES - this.#heldBytes)
    return Math.max(ANSWER_BYTES_MIN, bytes + Math.floor(left / 2))
  }

  /**
   * Whether a batch that is larger than its answer's allowance may be read. One that is larger than all of the budget need not wait until nothing is
   * held: on a busy broker that would be never.
   */
  hasRoom({ bytes, takenBytes }: Omit<WaitingBatch, 'wake'>, besidesBytes = 0): boolean {
    const limit = takenBytes < READER_BYTES ? WITH_BATCHES_BYTES : OF_READERS_BYTES
    return this.#heldBytes + besidesBytes + Math.min(bytes, BUDGET_BYTES) <= limit
  }

  /** Somebody waits for room. */
  get isWanted(): boolean {
    return this.#waiting.size > 0
  }

  wait(batch: WaitingBatch): void {
    this.#waiting.add(batch)
  }

  cancel(batch: WaitingBatch): void {
    this.#waiting.delete(batch)
  }

  /** Those for whom there is room, the first that came first. */
  #wake(): void {
    let wokenBytes = 0
    const woken: WaitingBatch[] = []
    for (const batch of this.#waiting) {
      if (!this.hasRoom(batch, wokenBytes)) continue
      wokenBytes += batch.bytes
      woken.push(batch)
    }
    for (const batch of woken) if (this.#waiting.delete(batch)) batch.wake()
  }
}
