/** What all answers that nobody has taken yet may come to. Of this, the first may have all of fetch.max.bytes. */
const BUDGET_BYTES = 128 * 1024 * 1024
/** However many wait, this much is worth a request. */
const ANSWER_BYTES_MIN = 64 * 1024

/**
 * Counts what was read for answers, in bytes, until their clients have taken it. The more there is, the smaller further answers are: consumers on
 * slow links get less at a time, and a broker does not run out of memory by them. Apache Kafka sends from the page cache, and holds nothing.
 */
export class AnswerBudget {
  #heldBytes = 0

  get heldBytes(): number {
    return this.#heldBytes
  }

  hold(bytes: number): void {
    this.#heldBytes += bytes
  }

  release(bytes: number): void {
    this.#heldBytes -= bytes
  }

  /** How many bytes an answer may come to that holds `bytes` already: half of what is left is left to others. */
  allowance(bytes: number): number {
    const left = Math.max(0, BUDGET_BYTES - this.#heldBytes)
    return Math.max(ANSWER_BYTES_MIN, bytes + Math.floor(left / 2))
  }
}
