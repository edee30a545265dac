/**
 * LZ4 frames as Kafka's producers write them (independent blocks, no checksums but the header's; the frame format is that of
 * https://github.com/lz4/lz4/blob/dev/doc/lz4_Frame_format.md), decoded into memory that is used again. A native decoder makes new memory
 * for each batch, which costs V8 more than these loops.
 */
import { CodecError } from '../env/compute.ts'

const FRAME_MAGIC = 0x184d2204
/** Version 1, independent blocks, neither checksums nor content size. */
const PLAIN_FLAGS = 0x60
const HEADER_BYTES = 7
const WORD_BYTES = 4
const STORED = 0x8000_0000
const NIBBLE_MAX = 15
const MATCH_BYTES_MIN = 4
/** Longer runs are copied by a call. */
const CALL_BYTES_MIN = 64
const FIRST_BYTES = 64 * 1024

/** Decodes one frame at a time. */
export class Lz4Decoder {
  #output = new DataView(new ArrayBuffer(FIRST_BYTES))

  /** Whether `data` is a frame of the kind that this decodes. */
  takes(data: Uint8Array): boolean {
    return data.length > HEADER_BYTES && viewOf(data).getUint32(0, true) === FRAME_MAGIC && data[4] === PLAIN_FLAGS
  }

  /** The content of a frame that `takes` told of, valid until the next call. Throws CodecError, also for more than `maxBytes`. */
  decode(bytes: Uint8Array, maxBytes: number): Uint8Array {
    const data = viewOf(bytes)
    const blockBytesMax = blockBytesOf(data)
    let at = HEADER_BYTES
    let size = 0
    for (;;) {
      if (at + WORD_BYTES > data.byteLength) throw malformed('the frame has no end')
      const header = data.getUint32(at, true)
      at += WORD_BYTES
      if (header === 0) return new Uint8Array(this.#output.buffer, 0, size)
      const end = at + (header % STORED)
      if (end - at > blockBytesMax || end + WORD_BYTES > data.byteLength) throw malformed('a block that does not fit')
      const limit = Math.min(size + blockBytesMax, maxBytes)
      this.#reserve(size, limit + WORD_BYTES)
      size = (header < STORED ? decodeBlock : storeBlock)(data, at, end, this.#output, size, limit)
      at = end
    }
  }

  #reserve(used: number, needed: number): void {
    if (needed <= this.#output.byteLength) return
    const larger = new ArrayBuffer(2 ** Math.ceil(Math.log2(needed)))
    new Uint8Array(larger).set(new Uint8Array(this.#output.buffer, 0, used))
    this.#output = new DataView(larger)
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

/**
 * Both bring what is in `data` from `start` to `end` to `target` at `begin`, up to `limit` at most, and return where it ends there. Behind
 * `end` and `limit` there is a word of each, which may be read and written.
 */
type BlockReader = (
  data: DataView,
  start: number,
  end: number,
  target: DataView,
  begin: number,
  limit: number,
) => number

const storeBlock: BlockReader = (data, start, end, target, begin, limit) => {
  if (begin + end - start > limit) throw malformed('more than the bytes allowed')
  copyLong(data, start, target, begin, end - start)
  return begin + end - start
}

const decodeBlock: BlockReader = (data, start, end, target, begin, limit) => {
  let at = start
  let to = begin
  while (at < end) {
    const token = data.getUint8(at++)
    let literals = token >>> 4
    if (literals === NIBBLE_MAX) {
      for (let more = 255; more === 255 && at < end; literals += more) more = data.getUint8(at++)
    }
    if (at + literals > end || to + literals > limit) throw malformed('literals that do not fit')
    if (literals >= CALL_BYTES_MIN) copyLong(data, at, target, to, literals)
    else if (literals > 0) copyWords(data, at, target, to, literals)
    at += literals
    to += literals
    // The last sequence has literals only.
    if (at === end) return to
    const distance = data.getUint16(at, true)
    at += 2
    let length = token & NIBBLE_MAX
    if (length === NIBBLE_MAX) {
      for (let more = 255; more === 255 && at < end; length += more) more = data.getUint8(at++)
    }
    length += MATCH_BYTES_MIN
    if (distance === 0 || distance > to - begin || to + length > limit) throw malformed('a match that does not fit')
    // What is repeated may be of what this writes.
    if (distance < WORD_BYTES) repeatBytes(target, to - distance, to, length)
    else if (length < CALL_BYTES_MIN || distance < length) copyWords(target, to - distance, target, to, length)
    else copyLong(target, to - distance, target, to, length)
    to += length
  }
  throw malformed('a block is cut short')
}

/** Writes up to three bytes too many. */
function copyWords(source: DataView, from: number, target: DataView, to: number, length: number): void {
  for (let at = 0; at < length; at += WORD_BYTES) target.setUint32(to + at, source.getUint32(from + at, true), true)
}

function copyLong(source: DataView, from: number, target: DataView, to: number, length: number): void {
  new Uint8Array(target.buffer).set(new Uint8Array(source.buffer, source.byteOffset + from, length), to)
}

function repeatBytes(target: DataView, from: number, to: number, length: number): void {
  for (let at = 0; at < length; at++) target.setUint8(to + at, target.getUint8(from + at))
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
