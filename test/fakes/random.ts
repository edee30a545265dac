import type { Random } from '../../broker/env/random.ts'

const UINT32 = 0x1_0000_0000

/** Seeded randomness (sfc32): the same seed gives the same sequence on every machine. */
export class SimRandom implements Random {
  #a: number
  #b: number
  #c: number
  #counter = 1

  /** `seed`: any integer below 2^53. */
  constructor(seed: number) {
    this.#a = seed >>> 0
    this.#b = Math.floor(seed / UINT32) >>> 0
    this.#c = 0x9e3779b9
    for (let i = 0; i < 12; i++) this.uint32()
  }

  uint32(): number {
    const sum = (this.#a + this.#b + this.#counter) >>> 0
    this.#counter = (this.#counter + 1) >>> 0
    this.#a = this.#b ^ (this.#b >>> 9)
    this.#b = (this.#c + (this.#c << 3)) >>> 0
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + sum) >>> 0
    return sum
  }

  bytes(size: number): Uint8Array {
    const result = new Uint8Array(size)
    for (let i = 0; i < size; i++) result[i] = this.uint32() >>> 24
    return result
  }

  below(limit: number): number {
    return Math.floor((this.uint32() / UINT32) * limit)
  }

  /** Uniform in [0, 1). */
  fraction(): number {
    return this.uint32() / UINT32
  }

  /** An integer in [least, most]. */
  between(least: number, most: number): number {
    return least + this.below(most - least + 1)
  }

  /** True with this probability (0 to 1). */
  chance(probability: number): boolean {
    return this.fraction() < probability
  }

  pick<T>(items: readonly T[]): T {
    const item = items[this.below(items.length)]
    if (item === undefined) throw new Error('pick from nothing')
    return item
  }

  /** An independent stream: what one part draws does not shift what another part gets. */
  fork(): SimRandom {
    return new SimRandom(this.uint32() * 0x20_0000 + (this.uint32() >>> 11))
  }
}
