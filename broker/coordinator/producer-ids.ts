/** A range of producer ids that the controller gave to this broker (KIP-730). */
export interface ProducerIdBlock {
  readonly first: number
  readonly size: number
}

/** Hands out producer ids, each once in the life of the cluster, from blocks that the controller allocates. */
export class ProducerIds {
  readonly #allocate: () => Promise<ProducerIdBlock>
  #next = 0
  #end = 0
  #allocating: Promise<void> | undefined

  constructor(deps: { allocate: () => Promise<ProducerIdBlock> }) {
    this.#allocate = deps.allocate
  }

  /** Rejects as the allocation does when there is no controller to ask. */
  async next(): Promise<number> {
    while (this.#next === this.#end) {
      this.#allocating ??= this.#refill().finally(() => {
        this.#allocating = undefined
      })
      await this.#allocating
    }
    return this.#next++
  }

  async #refill(): Promise<void> {
    const { first, size } = await this.#allocate()
    this.#next = first
    this.#end = first + size
  }
}
