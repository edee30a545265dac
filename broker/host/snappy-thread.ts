import { extname } from 'node:path'
import type { Worker } from 'node:worker_threads'
import { CodecError } from '../env/compute.ts'
import { workerThreads } from './builtins.ts'

/** That of the sources, or of the bundle, whose files lie in the same folders. */
const EXTENSION = extname(import.meta.url)

export type SnappyJob =
  | { readonly id: number; readonly kind: 'compress'; readonly data: Uint8Array }
  | { readonly id: number; readonly kind: 'decompress'; readonly data: Uint8Array; readonly maxBytes: number }

export interface SnappyResult {
  readonly id: number
  readonly bytes?: Uint8Array
  /** The message of the CodecError where there are no bytes. */
  readonly error?: string
}

interface Waiting {
  readonly resolve: (bytes: Uint8Array) => void
  readonly reject: (error: Error) => void
}

/**
 * Snappy on a thread of its own, since it is JavaScript and would hold up the event loop: started by the first large payload, and never
 * what keeps the process alive while it is idle.
 */
export class SnappyThread {
  readonly #waiting = new Map<number, Waiting>()
  #worker: Worker | undefined
  #lastId = 0

  compress(data: Uint8Array): Promise<Uint8Array> {
    return this.#run(data, (id, copy) => ({ id, kind: 'compress', data: copy }))
  }

  decompress(data: Uint8Array, maxBytes: number): Promise<Uint8Array> {
    return this.#run(data, (id, copy) => ({ id, kind: 'decompress', data: copy, maxBytes }))
  }

  #run(input: Uint8Array, jobOf: (id: number, data: Uint8Array) => SnappyJob): Promise<Uint8Array> {
    const worker = (this.#worker ??= this.#start())
    const id = ++this.#lastId
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject })
      worker.ref()
      // The copy is handed over: the bytes themselves are part of a larger buffer.
      const data = Uint8Array.from(input)
      worker.postMessage(jobOf(id, data), [data.buffer])
    })
  }

  #start(): Worker {
    const { Worker } = workerThreads()
    const worker = new Worker(new URL(`snappy-worker${EXTENSION}`, import.meta.url))
    worker.unref()
    worker.on('message', (result: SnappyResult) => this.#finish(result))
    worker.on('error', (error) => {
      this.#worker = undefined
      for (const { reject } of this.#waiting.values()) reject(error instanceof Error ? error : new Error(String(error)))
      this.#waiting.clear()
    })
    return worker
  }

  #finish({ id, bytes, error }: SnappyResult): void {
    const waiting = this.#waiting.get(id)
    this.#waiting.delete(id)
    if (this.#waiting.size === 0) this.#worker?.unref()
    if (bytes === undefined) waiting?.reject(new CodecError(error))
    else waiting?.resolve(bytes)
  }
}
