/**
 * LZ4 frames as Kafka's producers write them (independent blocks, no checksums but the header's; the frame format is that of
 * https://github.com/lz4/lz4/blob/dev/doc/lz4_Frame_format.md), decoded into memory that is used again. lz4-napi makes new memory for each
 * batch, which costs V8 more than the decoding.
 */
import { CodecError } from '../env/compute.ts'
import { LZ4_BLOCK } from './lz4-block.ts'

const FRAME_MAGIC = 0x184d2204
/** Version 1, independent blocks, neither checksums nor content size. */
const PLAIN_FLAGS = 0x60
const HEADER_BYTES = 7
const WORD_BYTES = 4
const STORED = 0x8000_0000
/** What lies behind the input and behind the output, and may be read and written with them. */
const SLACK_BYTES = 16
const PAGE_BYTES = 64 * 1024

/** What `lz4-block.wat` exports. */
interface BlockDecoder {
  readonly memory: { readonly buffer: ArrayBuffer; grow(pages: number): void }
  decode(at: number, end: number, to: number, limit: number): number
}

/** What is used here of a global that TypeScript knows in browsers only. */
interface WebAssemblyApi {
  readonly Module: new (bytes: Uint8Array) => object
  readonly Instance: new (module: object) => { readonly exports: unknown }
}

/** Decodes one frame at a time: the frame lies at the start of a WebAssembly memory, and its content behind it. */
export class Lz4Decoder {
  readonly #block: BlockDecoder
  #memory: Uint8Array

  constructor() {
    const { Module, Instance } = Reflect.get(globalThis, 'WebAssembly') as WebAssemblyApi
    this.#block = new Instance(new Module(LZ4_BLOCK)).exports as BlockDecoder
    this.#memory = new Uint8Array(this.#block.memory.buffer)
  }

  /** Whether `data` is a frame of the kind that a decoder takes. */
  static takes(data: Uint8Array): boolean {
    return data.length > HEADER_BYTES && viewOf(data).getUint32(0, true) === FRAME_MAGIC && data[4] === PLAIN_FLAGS
  }

  /** The content of a frame that `takes` told of, valid until the next call. Throws CodecError, also for more than `maxBytes`. */
  decode(bytes: Uint8Array, maxBytes: number): Uint8Array {
    const data = viewOf(bytes)
    const blockBytesMax = blockBytesOf(data)
    const start = bytes.length + SLACK_BYTES
    this.#reserve(start)
    this.#memory.set(bytes)
    let at = HEADER_BYTES
    let to = start
    for (;;) {
      if (at + WORD_BYTES > bytes.length) throw malformed('the frame has no end')
      const header = data.getUint32(at, true)
      at += WORD_BYTES
      if (header === 0) return this.#memory.subarray(start, to)
      const end = at + (header % STORED)
      if (end - at > blockBytesMax || end + WORD_BYTES > bytes.length) throw malformed('a block that does not fit')
      const limit = Math.min(to + blockBytesMax, start + maxBytes)
      this.#reserve(limit + SLACK_BYTES)
      to = header < STORED ? this.#block.decode(at, end, to, limit) : this.#store(at, end, to, limit)
      if (to < 0) throw malformed('a block that is none, or of more than the bytes allowed')
      at = end
    }
  }

  #store(at: number, end: number, to: number, limit: number): number {
    if (to + end - at > limit) return -1
    this.#memory.copyWithin(to, at, end)
    return to + end - at
  }

  #reserve(bytes: number): void {
    const missing = bytes - this.#memory.length
    if (missing <= 0) return
    this.#block.memory.grow(Math.ceil(missing / PAGE_BYTES))
    this.#memory = new Uint8Array(this.#block.memory.buffer)
  }
}

function viewOf(data: Uint8Array): DataView {
  return new DataView(data.buffer, data.byteOffset, data.byteLength)
}

/** The largest block, from the header, whose checksum is looked at as in Apache Kafka. */
function blockBytesOf(data: DataView): number {
  const descriptor = data.getUint8(5)
  const sizeId = descriptor >>> 4
  if (sizeId < 4 || sizeId > 7 || (descriptor & 0x8f) !== 0) throw malformed(`a block descriptor ${descriptor}`)
  if (data.getUint8(6) !== headerChecksum(PLAIN_FLAGS, descriptor))
    throw malformed('the checksum of the header does not match')
  return 2 ** (8 + 2 * sizeId)
}

/** The second byte of the xxHash32 of two bytes. */
function headerChecksum(first: number, second: number): number {
  let hash = 374_761_393 + 2
  for (const byte of [first, second]) {
    hash = (hash + Math.imul(byte, 374_761_393)) | 0
    hash = Math.imul((hash << 11) | (hash >>> 21), -1_640_531_535)
  }
  hash = Math.imul(hash ^ (hash >>> 15), -2_048_144_777)
  hash = Math.imul(hash ^ (hash >>> 13), -1_028_477_379)
  return ((hash ^ (hash >>> 16)) >>> 8) & 0xff
}

function malformed(message: string): CodecError {
  return new CodecError(`lz4: ${message}`)
}
