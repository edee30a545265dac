/**
 * Snappy as Kafka has it: the framing of snappy-java (a 16-byte header, then blocks with their lengths), which Java and librdkafka
 * write, or one raw block, which others send. Compression is snappyjs; the decoder is ours since that one's may loop without end and
 * returns short results on malformed input.
 * The block format: https://github.com/google/snappy/blob/main/format_description.txt
 */
import { createRequire } from 'node:module'
import type * as Snappy from 'snappyjs'
import { CodecError } from '../env/compute.ts'

const require = createRequire(import.meta.url)
/** Loaded when it is used first. */
const snappy = (): typeof Snappy => require('snappyjs') as typeof Snappy

/** 0x82 "SNAPPY" 0x00, version 1, oldest compatible version 1. */
const FRAME_HEADER = Uint8Array.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0, 0, 0, 0, 1, 0, 0, 0, 1])
const MAGIC_BYTES = 8
const LENGTH_BYTES = 4
/** What snappy-java cuts its input into. */
const BLOCK_BYTES = 32 * 1024

/** Frames `data` as snappy-java does. */
export function compressSnappy(data: Uint8Array): Uint8Array {
  const parts: Uint8Array[] = [FRAME_HEADER]
  for (let start = 0; start < data.length; start += BLOCK_BYTES) {
    const block = snappy().compress(plainView(data.subarray(start, start + BLOCK_BYTES)))
    const length = new Uint8Array(LENGTH_BYTES)
    new DataView(length.buffer).setUint32(0, block.length)
    parts.push(length, block)
  }
  return Buffer.concat(parts)
}

/** Throws CodecError when `data` is malformed or holds more than `maxBytes`. */
export function decompressSnappy(data: Uint8Array, maxBytes: number): Uint8Array {
  if (!isFramed(data, 0)) return decodeBlock(data, maxBytes)
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength)
  const parts: Uint8Array[] = []
  let total = 0
  let position = 0
  while (position < data.length) {
    // Streams may follow each other: each begins with the header.
    if (isFramed(data, position)) {
      position += FRAME_HEADER.length
      continue
    }
    if (position + LENGTH_BYTES > data.length) throw new CodecError('snappy: a block length is cut short')
    const length = view.getUint32(position)
    position += LENGTH_BYTES
    if (length > data.length - position) throw new CodecError(`snappy: a block of ${length} bytes is cut short`)
    const part = decodeBlock(data.subarray(position, position + length), maxBytes - total)
    parts.push(part)
    total += part.length
    position += length
  }
  if (position > data.length) throw new CodecError('snappy: the header is cut short')
  return parts.length === 1 && parts[0] !== undefined ? parts[0] : Buffer.concat(parts)
}

function isFramed(data: Uint8Array, position: number): boolean {
  for (let index = 0; index < MAGIC_BYTES; index++) {
    if (data[position + index] !== FRAME_HEADER[index]) return false
  }
  return true
}

/** snappyjs treats a Buffer, a subclass, in a slower way. */
function plainView(data: Uint8Array): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
}

function decodeBlock(data: Uint8Array, maxBytes: number): Uint8Array {
  const { length, position } = readLength(data)
  if (length > maxBytes) throw new CodecError(`snappy: a block of ${length} bytes where ${maxBytes} are allowed`)
  // No element of the format makes more than 64 bytes of its two or more: a longer claim must not allocate.
  if (length > data.length * 64) throw new CodecError(`snappy: ${data.length} bytes cannot hold ${length}`)
  const target = new Uint8Array(length)
  const written = decodeElements(data, position, target)
  if (written !== length) throw new CodecError(`snappy: ${written} bytes where ${length} were announced`)
  return target
}

function readLength(data: Uint8Array): { length: number; position: number } {
  let length = 0
  for (let position = 0; position < 5; position++) {
    const byte = data[position]
    if (byte === undefined) break
    length += (byte & 0x7f) * 2 ** (7 * position)
    if (byte < 0x80) return { length, position: position + 1 }
  }
  throw new CodecError('snappy: no length')
}

/** Decodes the elements from `start`; returns the bytes written. */
function decodeElements(data: Uint8Array, start: number, target: Uint8Array): number {
  let position = start
  let written = 0
  while (position < data.length) {
    const tag = data[position++] ?? 0
    const kind = tag & 3
    let length = (tag >>> 2) + 1
    if (kind === 0) {
      const extra = length > 60 ? length - 60 : 0
      if (extra > 0) length = littleEndian(data, position, extra) + 1
      position += extra
      if (length > data.length - position || length > target.length - written) throw malformed(position)
      copyLiteral(data, position, target, written, length)
      position += length
    } else {
      const extra = kind === 3 ? 4 : kind
      let distance = littleEndian(data, position, extra)
      if (kind === 1) {
        distance |= (tag >>> 5) << 8
        length = ((tag >>> 2) & 7) + 4
      }
      position += extra
      if (distance === 0 || distance > written || length > target.length - written) throw malformed(position)
      for (let from = written - distance, end = from + length, to = written; from < end;)
        target[to++] = target[from++] ?? 0
    }
    written += length
  }
  return written
}

function copyLiteral(data: Uint8Array, position: number, target: Uint8Array, written: number, length: number): void {
  if (length > 32) {
    target.set(data.subarray(position, position + length), written)
    return
  }
  for (let index = 0; index < length; index++) target[written + index] = data[position + index] ?? 0
}

/** `size` bytes (1 to 4), least significant first. */
function littleEndian(data: Uint8Array, position: number, size: number): number {
  if (position + size > data.length) throw malformed(position)
  let value = 0
  for (let index = size - 1; index >= 0; index--) value = value * 256 + (data[position + index] ?? 0)
  return value
}

function malformed(position: number): CodecError {
  return new CodecError(`snappy: malformed at byte ${position}`)
}
