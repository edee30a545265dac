/** Lets so much work go on at the same time, and no more; the rest waits, in order. */
export class Slots {
  #free: number
  readonly #waiting: (() => void)[] = []

  constructor(options: { readonly count: number }) {
    this.#free = options.count
  }

  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free--
    else await new Promise<void>((resolve) => this.#waiting.push(resolve))
    try {
      return await work()
    } finally {
      const next = this.#waiting.shift()
      if (next === undefined) this.#free++
      else next()
    }
  }
}
