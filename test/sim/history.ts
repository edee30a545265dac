/** One batch that was appended somewhere: where it ended up, and what was in it. */
export interface AppendedBatch {
  readonly baseOffset: number
  readonly values: readonly string[]
  readonly producerId: number
  readonly producerEpoch: number
  readonly baseSequence: number
}

/** A rule of the simulation that did not hold. */
export class Violation extends Error {
  readonly code = 'VIOLATION'
}

export function hold(condition: boolean, message: string): asserts condition {
  if (!condition) throw new Violation(message)
}

/**
 * What one partition must hold: the batches that it took, in order, and how far they are acknowledged. A crash may take away
 * from the end what was not; never what was, and never something in the middle.
 */
export class PartitionHistory {
  readonly name: string
  #batches: AppendedBatch[] = []
  #acknowledged = 0
  #startOffset = 0

  constructor(name: string) {
    this.name = name
  }

  get endOffset(): number {
    const last = this.#batches.at(-1)
    return Math.max(this.#startOffset, last === undefined ? 0 : last.baseOffset + last.values.length)
  }
  get startOffset(): number {
    return this.#startOffset
  }
  get acknowledged(): number {
    return this.#acknowledged
  }

  appended(batch: AppendedBatch): void {
    hold(
      batch.baseOffset === this.endOffset,
      `${this.name}: a batch got offset ${batch.baseOffset}, the log ended at ${this.endOffset}`,
    )
    this.#batches.push(batch)
  }

  /** Everything below `offset` has been acknowledged and must survive. */
  acknowledge(offset: number): void {
    hold(offset >= this.#acknowledged, `${this.name}: acknowledged ${this.#acknowledged}, then only ${offset}`)
    hold(offset <= this.endOffset, `${this.name}: acknowledged ${offset} beyond the end ${this.endOffset}`)
    this.#acknowledged = offset
  }

  /** Records below `offset` were deleted. */
  deletedBefore(offset: number): void {
    this.#startOffset = Math.max(this.#startOffset, offset)
  }

  /** The partition came back with these bounds after a crash that it had to survive up to `mustHave`. */
  recovered(startOffset: number, endOffset: number, mustHave = this.#acknowledged): void {
    hold(endOffset >= mustHave, `${this.name}: had to survive up to ${mustHave}, recovered only up to ${endOffset}`)
    hold(
      endOffset <= this.endOffset,
      `${this.name}: recovered up to ${endOffset}, though only ${this.endOffset} was appended`,
    )
    hold(
      startOffset <= this.#startOffset,
      `${this.name}: recovered from ${startOffset}, though records from ${this.#startOffset} on were not deleted`,
    )
    this.#batches = this.#batches.filter(({ baseOffset, values }) => baseOffset + values.length <= endOffset)
    // A deletion that was not yet on the disk is undone. One that was may be of more than is left: the log is empty then.
    this.#startOffset = startOffset
    hold(this.endOffset === endOffset, `${this.name}: recovered up to ${endOffset}, in the middle of a batch`)
  }

  /** The value at an offset; undefined where the history has none there. */
  valueAt(offset: number): string | undefined {
    let low = 0
    let high = this.#batches.length - 1
    while (low < high) {
      const middle = (low + high + 1) >> 1
      if ((this.#batches[middle]?.baseOffset ?? 0) <= offset) low = middle
      else high = middle - 1
    }
    const batch = this.#batches[low]
    return batch?.values[offset - batch.baseOffset]
  }

  /** Checks one record that was read. */
  check(offset: number, value: string): void {
    const expected = this.valueAt(offset)
    hold(expected === value, `${this.name}: offset ${offset} holds ${value}, ${expected} was appended there`)
  }

  /** The last surviving batch of each producer. */
  lastBatches(): Map<number, AppendedBatch> {
    return new Map(this.#batches.filter(({ producerId }) => producerId >= 0).map((batch) => [batch.producerId, batch]))
  }
}
