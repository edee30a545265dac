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

  /** As `appended`, of a leader that compaction may have left gaps. */
  replicated(batch: AppendedBatch): void {
    hold(batch.baseOffset >= this.endOffset, `${this.name}: a batch came at ${batch.baseOffset}, before the end`)
    this.#batches.push(batch)
  }

  /** Where the last batch ends that lies below `offset`. */
  endBefore(offset: number): number {
    const last = this.#batches.findLast(({ baseOffset, values }) => baseOffset + values.length <= offset)
    return last === undefined ? 0 : last.baseOffset + last.values.length
  }

  /** The log was cut, and ends at `endOffset`. */
  cut(endOffset: number): void {
    this.#batches = this.#batches.filter(({ baseOffset }) => baseOffset < endOffset)
    this.#acknowledged = Math.min(this.#acknowledged, endOffset)
    this.#startOffset = Math.min(this.#startOffset, endOffset)
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

  /** The last batch that begins at or before an offset; the first one where there is none. */
  #indexOf(offset: number): number {
    let low = 0
    let high = this.#batches.length - 1
    while (low < high) {
      const middle = (low + high + 1) >> 1
      if ((this.#batches[middle]?.baseOffset ?? 0) <= offset) low = middle
      else high = middle - 1
    }
    return low
  }

  /** The value at an offset; undefined where the history has none there. */
  valueAt(offset: number): string | undefined {
    const batch = this.#batches[this.#indexOf(offset)]
    return batch?.values[offset - batch.baseOffset]
  }

  /** The first offset from `offset` on that has a record; the end of the log where there is none. */
  nextFrom(offset: number): number {
    for (let index = this.#indexOf(offset); index < this.#batches.length; index++) {
      const { baseOffset, values } = this.#batches[index] as AppendedBatch
      if (offset < baseOffset + values.length) return Math.max(offset, baseOffset)
    }
    return this.endOffset
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
