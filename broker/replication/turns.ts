/** Does one thing after the other, at once as long as none has to wait: those that come while one waits keep their order. */
export class Turns {
  #last: Promise<void> | undefined

  run<T>(work: () => T | Promise<T>): T | Promise<T> {
    if (this.#last !== undefined) return this.#follow(this.#last.then(work))
    const result = work()
    return result instanceof Promise ? this.#follow(result) : result
  }

  #follow<T>(result: Promise<T>): Promise<T> {
    const settled: Promise<void> = result.then(
      () => this.#leave(settled),
      () => this.#leave(settled),
    )
    this.#last = settled
    return result
  }

  #leave(settled: Promise<void>): void {
    if (this.#last === settled) this.#last = undefined
  }
}
