/**
 * Group commit: one flush runs at a time, and the next covers everything that came meanwhile. `run` takes what is there when it is
 * called, and resolves when that is durable.
 */
export class GroupFlusher {
  readonly #run: () => Promise<void>
  #running: Promise<void> | undefined
  #next: Promise<void> | undefined

  constructor(run: () => Promise<void>) {
    this.#run = run
  }

  /** Resolves when everything that was there at the call is durable. */
  flush(): Promise<void> {
    // One that is due may not have begun yet although none runs.
    if (this.#next !== undefined) return this.#next
    if (this.#running === undefined) return this.#start()
    this.#next = this.#running.then(
      () => this.#startNext(),
      () => this.#startNext(),
    )
    return this.#next
  }

  #startNext(): Promise<void> {
    this.#next = undefined
    return this.#start()
  }

  #start(): Promise<void> {
    const running = this.#run().finally(() => {
      if (this.#running === running) this.#running = undefined
    })
    this.#running = running
    return running
  }
}
