import { hold } from './history.ts'

interface Sent {
  readonly producer: string
  /** The place in what this producer sent to the partition. */
  readonly order: number
}

/**
 * What clients know of one partition: what was sent, what was acknowledged and where. A value that was sent and not acknowledged may
 * be there or not; one that was acknowledged is there, at its offset; none is there twice, and each producer's are in order.
 */
export class ClientHistory {
  readonly name: string
  readonly #sent = new Map<string, Sent>()
  readonly #counts = new Map<string, number>()
  readonly #acknowledged = new Map<number, string>()
  /** What consumers were given, by offset. */
  readonly #seen = new Map<number, string>()
  readonly #acknowledgedSomewhere = new Set<string>()
  /** By leader epoch. */
  readonly #highWatermarks = new Map<number, number>()
  #seenEnd = 0
  #trimmedEnd = 0

  constructor(name: string) {
    this.name = name
  }

  sending(producer: string, value: string): void {
    const order = this.#counts.get(producer) ?? 0
    this.#counts.set(producer, order + 1)
    this.#sent.set(value, { producer, order })
  }

  /** `offset` undefined: the broker knows that it has the value, not where. */
  acknowledged(offset: number | undefined, value: string): void {
    this.#acknowledgedSomewhere.add(value)
    if (offset === undefined) return
    const other = this.#acknowledged.get(offset)
    hold(other === undefined || other === value, `${this.name}: offset ${offset} was given to ${other} and to ${value}`)
    this.#acknowledged.set(offset, value)
  }

  /** Somebody asks that what is below `offset` be deleted: from now on it may be gone. */
  trimming(offset: number): void {
    this.#trimmedEnd = Math.max(this.#trimmedEnd, offset)
  }

  /** What is below may have been deleted: the log begins here, or before. */
  get trimmedEnd(): number {
    return this.#trimmedEnd
  }

  /** The leader of that epoch said so in a fetch. While it leads, what was readable once stays readable. */
  sawHighWatermark(offset: number, leaderEpoch: number): void {
    const before = this.#highWatermarks.get(leaderEpoch) ?? 0
    hold(offset >= before, `${this.name}: high watermark ${before}, then ${offset}, in leader epoch ${leaderEpoch}`)
    this.#highWatermarks.set(leaderEpoch, offset)
  }

  /** The highest that any leader said. */
  get highWatermark(): number {
    return Math.max(0, ...this.#highWatermarks.values())
  }

  /** A record that a consumer was given. */
  saw(offset: number, value: string): void {
    hold(this.#sent.has(value), `${this.name}: offset ${offset} holds ${value}, which nobody sent`)
    const expected = this.#acknowledged.get(offset) ?? this.#seen.get(offset)
    hold(
      expected === undefined || expected === value,
      `${this.name}: offset ${offset} holds ${value}, ${expected} was acknowledged or read there`,
    )
    this.#seen.set(offset, value)
    this.#seenEnd = Math.max(this.#seenEnd, offset + 1)
  }

  /** The whole partition, in order, at the end, with holes where its first records are gone. */
  checkAll(values: readonly string[]): void {
    const mayLack = (offset: number): boolean => offset < this.#trimmedEnd && values[offset] === undefined
    for (const [offset, value] of this.#acknowledged) {
      const isThere = values[offset] === value || mayLack(offset)
      hold(isThere, `${this.name}: ${value} was acknowledged at ${offset}, there is ${values[offset]}`)
    }
    for (const [offset, value] of this.#seen) {
      const isThere = values[offset] === value || mayLack(offset)
      hold(isThere, `${this.name}: ${value} was read at ${offset}, there is ${values[offset]}`)
    }
    const seen = new Set<string>()
    const last = new Map<string, number>()
    for (const [offset, value] of values.entries()) {
      if (mayLack(offset)) continue
      hold(!seen.has(value), `${this.name}: ${value} is there twice, the second time at ${offset}`)
      seen.add(value)
      const sent = this.#sent.get(value)
      hold(sent !== undefined, `${this.name}: offset ${offset} holds ${value}, which nobody sent`)
      const before = last.get(sent.producer) ?? -1
      hold(sent.order > before, `${this.name}: ${value} at ${offset} is behind a later one of ${sent.producer}`)
      last.set(sent.producer, sent.order)
    }
    for (const value of this.#acknowledgedSomewhere) {
      hold(seen.has(value) || this.#mayBeTrimmed(value), `${this.name}: ${value} is lost`)
    }
  }

  /** Where it is may not be known. */
  #mayBeTrimmed(value: string): boolean {
    const [offset] = [...this.#acknowledged].find(([, other]) => other === value) ?? [0]
    return offset < this.#trimmedEnd
  }

  /** Behind the last offset that somebody was acknowledged. */
  get acknowledgedEnd(): number {
    return Math.max(-1, ...this.#acknowledged.keys()) + 1
  }
  /** Behind the last record that a consumer was given. */
  get seenEnd(): number {
    return this.#seenEnd
  }
  get acknowledgedCount(): number {
    return this.#acknowledgedSomewhere.size
  }
}

/** Whether every partition has got so many more acknowledgements than it has now. */
export function acknowledgesMore(histories: readonly ClientHistory[], more = 1): () => boolean {
  const before = histories.map(({ acknowledgedCount }) => acknowledgedCount)
  return () => histories.every(({ acknowledgedCount }, i) => acknowledgedCount >= (before[i] ?? 0) + more)
}

/** Whether consumers have come to the end of what has been acknowledged by now. */
export function readsAll(histories: readonly ClientHistory[]): () => boolean {
  const ends = histories.map(({ acknowledgedEnd }) => acknowledgedEnd)
  return () => histories.every(({ seenEnd }, i) => seenEnd >= (ends[i] ?? 0))
}
