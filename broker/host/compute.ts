import { createRequire } from 'node:module'
import type * as Lz4 from 'lz4-napi'
import { CodecError, type CodecName, type Compute } from '../env/compute.ts'
import { Slots } from '../lib/slots.ts'
import { zlib } from './builtins.ts'
import { Lz4Decoder } from './lz4-decoder.ts'
import { checkLz4Frame } from './lz4-frame.ts'
import { compressSnappy, decompressSnappy } from './snappy.ts'
import { SnappyThread } from './snappy-thread.ts'

const require = createRequire(import.meta.url)
/** Loaded when it is used first, which in most brokers is never: batches of producers are decoded by Lz4Decoder. */
const lz4 = (): typeof Lz4 => require('lz4-napi') as typeof Lz4

/** Up to this size, Snappy costs less than a message to its thread and back. */
const SNAPPY_SYNC_BYTES = 32 * 1024
/** Jobs that are on the thread pool at a time. It has threads for devices that are waited for; so many that compute would leave the event loop no CPU. */
const JOBS_MAX = 4

/** As Compute, of one codec; a decompressor may throw anything. */
interface Codec {
  compress(data: Uint8Array, level: number | undefined): Promise<Uint8Array>
  decompress(data: Uint8Array, maxBytes: number): Promise<Uint8Array>
  compressSync(data: Uint8Array, level: number | undefined): Uint8Array
  decompressSync(data: Uint8Array, maxBytes: number): Uint8Array
}

const NONE: Codec = {
  compress: async (data) => data,
  decompress: async (data) => data,
  compressSync: (data) => data,
  decompressSync: (data) => data,
}

const GZIP: Codec = {
  compress: (data, level) => promised((done) => zlib().gzip(data, gzipOptions(level), done)),
  decompress: (data, maxBytes) => promised((done) => zlib().gunzip(data, limit(maxBytes), done)),
  compressSync: (data, level) => zlib().gzipSync(data, gzipOptions(level)),
  decompressSync: (data, maxBytes) => zlib().gunzipSync(data, limit(maxBytes)),
}

const ZSTD: Codec = {
  compress: (data, level) => promised((done) => zlib().zstdCompress(data, zstdOptions(level), done)),
  decompress: (data, maxBytes) => promised((done) => zlib().zstdDecompress(data, limit(maxBytes), done)),
  compressSync: (data, level) => zlib().zstdCompressSync(data, zstdOptions(level)),
  decompressSync: (data, maxBytes) => zlib().zstdDecompressSync(data, limit(maxBytes)),
}

/** What `start` calls back with. */
function promised(start: (done: (error: Error | null, result: Uint8Array) => void) => void): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    start((error, result) => {
      if (error === null) resolve(result)
      else reject(error)
    })
  })
}

const LZ4: Codec = {
  compress: (data) => lz4().compressFrame(data),
  decompress: (data, maxBytes) => {
    checkLz4Frame(data, maxBytes)
    return lz4().decompressFrame(data)
  },
  compressSync: (data) => lz4().compressFrameSync(buffer(data)),
  decompressSync: (data, maxBytes) => {
    checkLz4Frame(data, maxBytes)
    return lz4().decompressFrameSync(buffer(data))
  },
}

function snappyOn(thread: SnappyThread): Codec {
  return {
    compress: async (data) => (data.length <= SNAPPY_SYNC_BYTES ? compressSnappy(data) : thread.compress(data)),
    decompress: async (data, maxBytes) =>
      data.length <= SNAPPY_SYNC_BYTES ? decompressSnappy(data, maxBytes) : thread.decompress(data, maxBytes),
    compressSync: compressSnappy,
    decompressSync: decompressSnappy,
  }
}

/**
 * Compute on Node: gzip and zstd of node:zlib and lz4 of lz4-napi on libuv's thread pool, Snappy on a thread of its own. `level` holds
 * for gzip and zstd; the others' libraries have none.
 */
export class NodeCompute implements Compute {
  readonly #codecs: Record<CodecName, Codec> = {
    none: NONE,
    gzip: GZIP,
    snappy: snappyOn(new SnappyThread()),
    lz4: LZ4,
    zstd: ZSTD,
  }
  readonly #jobs = new Slots({ count: JOBS_MAX })
  /** Of those in turn, each has a job at a time: more of them would only hold more memory. */
  readonly #inTurn = new Slots({ count: JOBS_MAX })
  /** Made for the first batch. */
  #lz4: Lz4Decoder | undefined

  compress(codec: CodecName, data: Uint8Array, level?: number): Promise<Uint8Array> {
    return this.#run(codec, () => this.#codecs[codec].compress(data, level))
  }

  async decompress(codec: CodecName, data: Uint8Array, maxBytes: number): Promise<Uint8Array> {
    try {
      return within(await this.#run(codec, () => this.#codecs[codec].decompress(data, maxBytes)), maxBytes)
    } catch (error) {
      throw asCodecError(codec, error)
    }
  }

  /** What needs no thread of the pool does not wait for one. */
  #run(codec: CodecName, work: () => Promise<Uint8Array>): Promise<Uint8Array> {
    return codec === 'snappy' ? work() : this.#jobs.run(work)
  }

  inTurn<T>(work: () => Promise<T>): Promise<T> {
    return this.#inTurn.run(work)
  }

  compressSync(codec: CodecName, data: Uint8Array, level?: number): Uint8Array {
    return this.#codecs[codec].compressSync(data, level)
  }

  decompressSync(codec: CodecName, data: Uint8Array, maxBytes: number): Uint8Array {
    try {
      return within(this.#codecs[codec].decompressSync(data, maxBytes), maxBytes)
    } catch (error) {
      throw asCodecError(codec, error)
    }
  }

  decompressBriefly(codec: CodecName, data: Uint8Array, maxBytes: number): Uint8Array {
    if (codec !== 'lz4' || !Lz4Decoder.takes(data)) return this.decompressSync(codec, data, maxBytes)
    try {
      this.#lz4 ??= new Lz4Decoder()
      return this.#lz4.decode(data, maxBytes)
    } catch (error) {
      throw asCodecError(codec, error)
    }
  }
}

function gzipOptions(level: number | undefined) {
  return level === undefined ? {} : { level }
}

function zstdOptions(level: number | undefined) {
  return level === undefined ? {} : { params: { [zlib().constants.ZSTD_c_compressionLevel]: level } }
}

function limit(maxBytes: number) {
  return { maxOutputLength: Math.max(maxBytes, 1) }
}

function within(bytes: Uint8Array, maxBytes: number): Uint8Array {
  if (bytes.length > maxBytes) throw new CodecError(`${bytes.length} bytes where ${maxBytes} are allowed`)
  return bytes
}

/** lz4-napi's synchronous functions take a Buffer only. */
function buffer(data: Uint8Array): Buffer {
  return Buffer.from(data.buffer, data.byteOffset, data.byteLength)
}

function asCodecError(codec: CodecName, error: unknown): CodecError {
  if (error instanceof CodecError) return error
  return new CodecError(`${codec}: ${error instanceof Error ? error.message : String(error)}`, { cause: error })
}
