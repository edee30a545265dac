import { ZERO_UUID } from '../lib/uuid.ts'
import { SchemaError } from './error.ts'

/** Array elements in one message, over all its arrays: what bounds the memory that a frame of tiny elements turns into. */
const ELEMENTS_MAX = 1_000_000
const STRING_BYTES_MAX = 0x7fff
/** A byte that is no UTF-8 becomes a character that takes so many. */
const REPLACEMENT_BYTES = 3

/**
 * Reads primitives from a frame, each bounds-checked. A declared length is compared with the bytes that are left before anything is
 * allocated for it. Byte fields are views of the frame. Every failure is a SchemaError MALFORMED.
 */
export class Reader {
  readonly #bytes: Uint8Array
  readonly #text: Buffer
  readonly #view: DataView
  #position: number
  #end: number
  #elementsLeft: number

  constructor(bytes: Uint8Array, options: { readonly maxElements?: number } = {}) {
    this.#bytes = bytes
    this.#text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.#position = 0
    this.#end = bytes.byteLength
    this.#elementsLeft = options.maxElements ?? ELEMENTS_MAX
  }

  /** Bytes not read yet. */
  get remaining(): number {
    return this.#end - this.#position
  }

  /** Throws MALFORMED unless everything has been read. */
  end(): void {
    if (this.remaining > 0) throw malformed(`${this.remaining} bytes behind the end`)
  }

  #take(size: number): number {
    const position = this.#position
    if (size > this.#end - position) throw malformed(`${size} bytes declared, ${this.#end - position} left`)
    this.#position = position + size
    return position
  }

  int8(): number {
    return this.#view.getInt8(this.#take(1))
  }
  int16(): number {
    return this.#view.getInt16(this.#take(2))
  }
  uint16(): number {
    return this.#view.getUint16(this.#take(2))
  }
  int32(): number {
    return this.#view.getInt32(this.#take(4))
  }
  uint32(): number {
    return this.#view.getUint32(this.#take(4))
  }
  int64(): bigint {
    return this.#view.getBigInt64(this.#take(8))
  }
  float64(): number {
    return this.#view.getFloat64(this.#take(8))
  }
  bool(): boolean {
    return this.int8() !== 0
  }

  uuid(): string {
    const position = this.#take(16)
    const view = this.#view
    const isZero =
      view.getInt32(position) === 0 &&
      view.getInt32(position + 4) === 0 &&
      view.getInt32(position + 8) === 0 &&
      view.getInt32(position + 12) === 0
    return isZero ? ZERO_UUID : this.#text.toString('base64url', position, position + 16)
  }

  unsignedVarint(): number {
    let value = 0
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.#view.getUint8(this.#take(1))
      if (shift === 28 && byte > 0x0f) break
      value |= (byte & 0x7f) << shift
      if (byte < 0x80) return value >>> 0
    }
    throw malformed('a varint of more than 32 bits')
  }

  #string(length: number): string {
    if (length > STRING_BYTES_MAX) throw malformed(`a string of ${length} bytes, ${STRING_BYTES_MAX} allowed`)
    const position = this.#take(length)
    const text = this.#text.toString('utf8', position, position + length)
    // What was read can be written again: in a record, an answer, a request to another node.
    const mayGrow = REPLACEMENT_BYTES * length > STRING_BYTES_MAX
    if (mayGrow && Buffer.byteLength(text) > STRING_BYTES_MAX) throw malformed('a long string that is no UTF-8')
    return text
  }

  string(): string {
    return this.#string(notNull(this.int16()))
  }
  nullableString(): string | null {
    const length = this.int16()
    return length < 0 ? null : this.#string(length)
  }
  compactString(): string {
    return this.#string(notNull(this.unsignedVarint() - 1))
  }
  compactNullableString(): string | null {
    const length = this.unsignedVarint() - 1
    return length < 0 ? null : this.#string(length)
  }

  /** The next `length` bytes, as a view. */
  slice(length: number): Uint8Array {
    const position = this.#take(length)
    return this.#bytes.subarray(position, position + length)
  }
  bytes(): Uint8Array {
    return this.slice(notNull(this.int32()))
  }
  nullableBytes(): Uint8Array | null {
    const length = this.int32()
    return length < 0 ? null : this.slice(length)
  }
  compactBytes(): Uint8Array {
    return this.slice(notNull(this.unsignedVarint() - 1))
  }
  compactNullableBytes(): Uint8Array | null {
    const length = this.unsignedVarint() - 1
    return length < 0 ? null : this.slice(length)
  }

  /** Checks that an array of `count` elements of at least `elementBytesMin` bytes each can be there at all. */
  #count(count: number, elementBytesMin: number): number {
    if (count * elementBytesMin > this.remaining)
      throw malformed(`${count} elements declared, ${this.remaining} bytes left`)
    this.#elementsLeft -= count
    if (this.#elementsLeft < 0) throw malformed('too many array elements')
    return count
  }

  arrayCount(elementBytesMin: number): number {
    return this.#count(notNull(this.int32()), elementBytesMin)
  }
  /** -1 where the array is null. */
  nullableArrayCount(elementBytesMin: number): number {
    const count = this.int32()
    return count < 0 ? -1 : this.#count(count, elementBytesMin)
  }
  compactArrayCount(elementBytesMin: number): number {
    return this.#count(notNull(this.unsignedVarint() - 1), elementBytesMin)
  }
  compactNullableArrayCount(elementBytesMin: number): number {
    const count = this.unsignedVarint() - 1
    return count < 0 ? -1 : this.#count(count, elementBytesMin)
  }

  /** Enters a tagged field: reads its size and confines the reader to it. Returns what `leaveTag` takes. */
  enterTag(): number {
    const size = this.unsignedVarint()
    const outerEnd = this.#end
    this.#take(size)
    this.#end = this.#position
    this.#position -= size
    return outerEnd
  }
  leaveTag(outerEnd: number): void {
    if (this.#position !== this.#end) throw malformed(`${this.remaining} bytes behind the value of a tagged field`)
    this.#end = outerEnd
  }
  /** Skips what is left: of an unknown tagged field. */
  skipRest(): void {
    this.#position = this.#end
  }
  /** Skips a section of tagged fields none of which is known. */
  skipTags(): void {
    for (let left = this.unsignedVarint(); left > 0; left--) {
      this.unsignedVarint()
      this.#take(this.unsignedVarint())
    }
  }
}

function malformed(reason: string): SchemaError {
  return new SchemaError('MALFORMED', reason)
}

function notNull(length: number): number {
  if (length < 0) throw malformed('null where null is not allowed')
  return length
}
