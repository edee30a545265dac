import type { Clock } from '../../broker/env/clock.ts'
import type { CodecName, Compute } from '../../broker/env/compute.ts'
import { Slots } from '../../broker/lib/slots.ts'
import type { SimRandom } from './random.ts'

/** The real codecs, done at once; their completion comes in the order that the seed says, as from a thread pool. */
export class SimCompute implements Compute {
  readonly #real: Compute
  readonly #clock: Clock
  readonly #random: SimRandom
  readonly #inTurn = new Slots({ count: 2 })
  #brief: Uint8Array | undefined

  constructor(deps: { real: Compute; clock: Clock; random: SimRandom }) {
    this.#real = deps.real
    this.#clock = deps.clock
    this.#random = deps.random
  }

  compress(codec: CodecName, data: Uint8Array, level?: number): Promise<Uint8Array> {
    return this.#later(() => this.#real.compressSync(codec, data, level))
  }
  decompress(codec: CodecName, data: Uint8Array, maxBytes: number): Promise<Uint8Array> {
    return this.#later(() => this.#real.decompressSync(codec, data, maxBytes))
  }
  inTurn<T>(work: () => Promise<T>): Promise<T> {
    return this.#inTurn.run(work)
  }
  compressSync(codec: CodecName, data: Uint8Array, level?: number): Uint8Array {
    return this.#real.compressSync(codec, data, level)
  }
  decompressSync(codec: CodecName, data: Uint8Array, maxBytes: number): Uint8Array {
    return this.#real.decompressSync(codec, data, maxBytes)
  }
  /** Who keeps a result finds nonsense in it. */
  decompressBriefly(codec: CodecName, data: Uint8Array, maxBytes: number): Uint8Array {
    this.#brief?.fill(0xdb)
    this.#brief = Uint8Array.from(this.#real.decompressBriefly(codec, data, maxBytes))
    return this.#brief
  }

  #later(work: () => Uint8Array): Promise<Uint8Array> {
    return new Promise((resolve, reject) => {
      this.#clock.setTimer(this.#random.fraction(), () => {
        try {
          resolve(work())
        } catch (error) {
          reject(error)
        }
      })
    })
  }
}
