export interface BatcherOptions<T> {
  /** Of one batch, by `weightOf`; an item that alone is heavier goes alone. */
  readonly weightMax: number
  /** Without it each item weighs 1. */
  readonly weightOf?: (item: T) => number
}

interface Waiting<T, R> {
  readonly item: T
  readonly resolve: (result: R) => void
  readonly reject: (error: unknown) => void
}

/**
 * Many callers, few requests: while one batch is under way, what is asked for gathers, and is the next. Nobody waits for a timer. Of a batch that
 * rejects, every item rejects.
 */
export class Batcher<T, R> {
  readonly #options: BatcherOptions<T>
  readonly #send: (items: readonly T[]) => Promise<readonly R[]>
  #waiting: Waiting<T, R>[] = []
  #isSending = false

  /** `send` gives the results in the order of its items. */
  constructor(options: BatcherOptions<T>, send: (items: readonly T[]) => Promise<readonly R[]>) {
    this.#options = options
    this.#send = send
  }

  ask(item: T): Promise<R> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ item, resolve, reject })
      if (!this.#isSending) void this.#run()
    })
  }

  async #run(): Promise<void> {
    this.#isSending = true
    while (this.#waiting.length > 0) {
      // Whoever asks in the same turn comes along.
      await Promise.resolve()
      const batch = this.#next()
      try {
        const results = await this.#send(batch.map(({ item }) => item))
        for (const [index, { resolve }] of batch.entries()) resolve(results[index] as R)
      } catch (error) {
        for (const { reject } of batch) reject(error)
      }
    }
    this.#isSending = false
  }

  #next(): Waiting<T, R>[] {
    const { weightMax, weightOf = () => 1 } = this.#options
    let weight = 0
    let count = 0
    for (const { item } of this.#waiting) {
      weight += weightOf(item)
      if (count > 0 && weight > weightMax) break
      count += 1
    }
    return this.#waiting.splice(0, count)
  }
}
