import { expect } from '@jest/globals'
import type { Client } from './pod-client.ts'

/** Records of each partition that are written at a time. */
const ROUND = 10

interface RecordsOptions {
  readonly topic: string
  readonly partitions: number
}

/** The records of a topic to which nobody else writes: what was acknowledged is counted, and has to be there in its order. */
export class Records {
  readonly #topic: string
  readonly #partitions: number
  readonly #client: Client
  #written = 0

  constructor({ topic, partitions }: RecordsOptions, deps: { client: Client }) {
    this.#topic = topic
    this.#partitions = partitions
    this.#client = deps.client
  }

  async write(): Promise<void> {
    this.#written += (await this.#client.produce(this.#topic, this.#partitions * ROUND)).written
  }

  /** Writes until `body` is done, and then once more. */
  async writeDuring(body: () => Promise<void>): Promise<void> {
    const writer = this.#client.writer(this.#topic, this.#partitions * ROUND)
    try {
      await body()
    } finally {
      // Also where it fails: the next test counts on what has been written.
      this.#written += await writer.stop()
    }
  }

  /** Everything that has been acknowledged, in its order. */
  async expectAllThere(): Promise<void> {
    const values = await this.#client.consume(this.#topic, this.#written)
    for (let partition = 0; partition < this.#partitions; partition++) {
      const each = Array.from({ length: this.#written / this.#partitions }, (_, index) => index % ROUND)
      expect(values[partition]).toEqual(each.map((index) => `${partition}-${index}`))
    }
  }
}
