/**
 * What an LZ4 frame (https://github.com/lz4/lz4/blob/dev/doc/lz4_Frame_format.md) claims to hold, from its block headers alone: the native
 * decoder takes no limit, so a frame is measured before it is decoded. Kafka's reader takes independent blocks and one frame only.
 */
import { CodecError } from '../env/compute.ts'

const FRAME_MAGIC = 0x184d2204
const MAGIC_BYTES = 4
const WORD_BYTES = 4
const CONTENT_SIZE_BYTES = 8
const VERSION = 1
const INDEPENDENT = 0x20
const BLOCK_CHECKSUM = 0x10
const CONTENT_SIZE = 0x08
const DICTIONARY_OR_RESERVED = 0x03
const STORED = 0x8000_0000
/** No sequence makes more than this of one byte. */
const EXPANSION_MAX = 255

/** Throws CodecError unless `data` is one frame that Kafka accepts and that holds no more than `maxBytes`. */
export function checkLz4Frame(data: Uint8Array, maxBytes: number): void {
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength)
  if (data.length < MAGIC_BYTES + 3 || view.getUint32(0, true) !== FRAME_MAGIC) throw new CodecError('lz4: no frame')
  const flags = view.getUint8(MAGIC_BYTES)
  const descriptor = view.getUint8(MAGIC_BYTES + 1)
  const sizeId = descriptor >>> 4
  if (flags >>> 6 !== VERSION || sizeId < 4 || sizeId > 7 || (flags & DICTIONARY_OR_RESERVED) !== 0) {
    throw new CodecError(`lz4: unsupported frame header ${flags} ${descriptor}`)
  }
  if ((flags & INDEPENDENT) === 0) throw new CodecError('lz4: blocks that depend on each other are not supported')
  let position = MAGIC_BYTES + 3
  if ((flags & CONTENT_SIZE) !== 0) {
    if (position + CONTENT_SIZE_BYTES > data.length) throw new CodecError('lz4: the header is cut short')
    const size = view.getBigUint64(MAGIC_BYTES + 2, true)
    if (size > BigInt(maxBytes)) throw new CodecError(`lz4: ${size} bytes where ${maxBytes} are allowed`)
    position += CONTENT_SIZE_BYTES
  }
  const trailer = (flags & BLOCK_CHECKSUM) === 0 ? 0 : WORD_BYTES
  checkBlocks(view, position, { blockBytesMax: 2 ** (8 + 2 * sizeId), trailer, maxBytes })
}

function checkBlocks(
  view: DataView,
  start: number,
  limits: { blockBytesMax: number; trailer: number; maxBytes: number },
): void {
  let position = start
  let total = 0
  while (position + WORD_BYTES <= view.byteLength) {
    const word = view.getUint32(position, true)
    if (word === 0) return
    const size = word % STORED
    position += WORD_BYTES
    if (size > limits.blockBytesMax || size > view.byteLength - position)
      throw new CodecError(`lz4: a block of ${size} bytes`)
    const bound = word >= STORED ? size : Math.min(limits.blockBytesMax, size * EXPANSION_MAX)
    // The bound is rough for a last block that is not full: only where it would refuse, the block is measured.
    total += total + bound <= limits.maxBytes ? bound : measure(view, position, size, word >= STORED)
    if (total > limits.maxBytes) throw new CodecError(`lz4: more than the ${limits.maxBytes} bytes allowed`)
    position += size + limits.trailer
  }
  throw new CodecError('lz4: the frame has no end')
}

/** Bytes that the block decodes to, by the lengths of its sequences. */
function measure(view: DataView, start: number, size: number, stored: boolean): number {
  if (stored) return size
  const end = start + size
  let position = start
  let total = 0
  const length = (nibble: number): number => {
    let sum = nibble
    if (nibble < 15) return sum
    for (let byte = 255; byte === 255; sum += byte) {
      if (position >= end) throw new CodecError('lz4: a block is cut short')
      byte = view.getUint8(position++)
    }
    return sum
  }
  while (position < end) {
    const token = view.getUint8(position++)
    const literals = length(token >>> 4)
    total += literals
    position += literals
    // The last sequence has literals only.
    if (position >= end) break
    position += 2
    total += length(token & 15) + 4
  }
  return total
}
