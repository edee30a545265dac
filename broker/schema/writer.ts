import { SchemaError } from './error.ts'
import type { RecordsInput } from './fields.ts'

const INITIAL_BYTES = 512
/** A chunk this full is handed over and a new one begun, rather than grown by copying. */
const CHUNK_BYTES = 64 * 1024
/** Byte fields from this size on go out by reference; copying a shorter one costs less than another buffer in the writev. */
const BY_REFERENCE_BYTES = 1024
const STRING_BYTES_MAX = 0x7fff
const ASCII_LOOP_MAX = 48
const UUID_CHARS = 22

/** Writes primitives into chunks that grow; long byte fields become chunks by reference, and so must not change until they are sent. */
export class Writer {
  readonly #done: Uint8Array[] = []
  #doneBytes = 0
  #chunk: Buffer
  #view: DataView
  /** Of what is in `#chunk` and not in `#done`. */
  #start = 0
  #position = 0
  /** Sized sections that are open: inside them everything stays in one chunk, so that the size can be put in front. */
  #sized = 0

  constructor(initialBytes = INITIAL_BYTES) {
    this.#chunk = Buffer.allocUnsafe(initialBytes)
    this.#view = viewOf(this.#chunk)
  }

  /** Bytes written so far. */
  get length(): number {
    return this.#doneBytes + this.#position - this.#start
  }

  /** Everything written, in order. The writer is used up. */
  chunks(): Uint8Array[] {
    this.#flush()
    return this.#done
  }

  /** Everything written as one array. The writer is used up. */
  concat(): Uint8Array {
    const chunks = this.chunks()
    const only = chunks[0]
    if (only !== undefined && chunks.length === 1) return only
    return Buffer.concat(chunks)
  }

  #flush(): void {
    if (this.#position === this.#start) return
    this.#done.push(this.#chunk.subarray(this.#start, this.#position))
    this.#doneBytes += this.#position - this.#start
    this.#start = this.#position
  }

  #reserve(size: number): number {
    const position = this.#position
    if (position + size > this.#chunk.length) {
      this.#grow(size)
      return this.#reserve(size)
    }
    this.#position = position + size
    return position
  }

  #grow(size: number): void {
    if (this.#sized === 0 && this.#position - this.#start >= CHUNK_BYTES) this.#flush()
    const pending = this.#position - this.#start
    const next = Buffer.allocUnsafe(Math.max(pending + size, Math.min(2 * this.#chunk.length, pending + CHUNK_BYTES)))
    this.#chunk.copy(next, 0, this.#start, this.#position)
    this.#chunk = next
    this.#view = viewOf(next)
    this.#start = 0
    this.#position = pending
  }

  int8(value: number): void {
    if ((value << 24) >> 24 !== value) throw outOfRange(value)
    const position = this.#reserve(1)
    this.#view.setInt8(position, value)
  }
  int16(value: number): void {
    if ((value << 16) >> 16 !== value) throw outOfRange(value)
    const position = this.#reserve(2)
    this.#view.setInt16(position, value)
  }
  uint16(value: number): void {
    if ((value & 0xffff) !== value) throw outOfRange(value)
    const position = this.#reserve(2)
    this.#view.setUint16(position, value)
  }
  int32(value: number): void {
    if ((value | 0) !== value) throw outOfRange(value)
    const position = this.#reserve(4)
    this.#view.setInt32(position, value)
  }
  uint32(value: number): void {
    if (value >>> 0 !== value) throw outOfRange(value)
    const position = this.#reserve(4)
    this.#view.setUint32(position, value)
  }
  int64(value: bigint): void {
    const position = this.#reserve(8)
    this.#view.setBigInt64(position, value)
  }
  float64(value: number): void {
    const position = this.#reserve(8)
    this.#view.setFloat64(position, value)
  }
  bool(value: boolean): void {
    this.int8(value ? 1 : 0)
  }

  uuid(value: string): void {
    const position = this.#reserve(16)
    if (value.length !== UUID_CHARS || this.#chunk.write(value, position, 16, 'base64url') !== 16) {
      throw unencodable(`not a uuid: ${value}`)
    }
  }

  unsignedVarint(value: number): void {
    let position = this.#reserve(varintBytes(value))
    let rest = value
    for (; rest >= 0x80; rest >>>= 7) this.#chunk[position++] = (rest & 0x7f) | 0x80
    this.#chunk[position] = rest
  }

  string(value: string): void {
    const size = utf8Bytes(value)
    this.int16(size)
    this.#utf8(value, size)
  }
  nullableString(value: string | null): void {
    if (value === null) this.int16(-1)
    else this.string(value)
  }
  compactString(value: string): void {
    const size = utf8Bytes(value)
    this.unsignedVarint(size + 1)
    this.#utf8(value, size)
  }
  compactNullableString(value: string | null): void {
    if (value === null) this.unsignedVarint(0)
    else this.compactString(value)
  }

  #utf8(value: string, size: number): void {
    const position = this.#reserve(size)
    const chunk = this.#chunk
    if (size === value.length && size <= ASCII_LOOP_MAX) {
      for (let i = 0; i < size; i++) chunk[position + i] = value.charCodeAt(i)
    } else {
      chunk.write(value, position, size, 'utf8')
    }
  }

  /** Bytes without a length in front. */
  raw(value: Uint8Array): void {
    if (value.length >= BY_REFERENCE_BYTES && this.#sized === 0) {
      this.#flush()
      this.#done.push(value)
      this.#doneBytes += value.length
      return
    }
    const position = this.#reserve(value.length)
    this.#chunk.set(value, position)
  }

  #rawAll(value: RecordsInput): void {
    if (value instanceof Uint8Array) this.raw(value)
    else for (const chunk of value) this.raw(chunk)
  }

  bytes(value: RecordsInput): void {
    this.int32(totalBytes(value))
    this.#rawAll(value)
  }
  nullableBytes(value: RecordsInput | null): void {
    if (value === null) this.int32(-1)
    else this.bytes(value)
  }
  compactBytes(value: RecordsInput): void {
    this.unsignedVarint(totalBytes(value) + 1)
    this.#rawAll(value)
  }
  compactNullableBytes(value: RecordsInput | null): void {
    if (value === null) this.unsignedVarint(0)
    else this.compactBytes(value)
  }

  arrayCount(count: number): void {
    this.int32(count)
  }
  compactArrayCount(count: number): void {
    this.unsignedVarint(count + 1)
  }
  nullArray(): void {
    this.int32(-1)
  }
  compactNullArray(): void {
    this.unsignedVarint(0)
  }

  /** Opens the value of a tagged field, whose size goes in front of it. Returns what `leaveTag` takes. */
  enterTag(tag: number): number {
    this.unsignedVarint(tag)
    const sizeAt = this.#reserve(1)
    this.#sized++
    return sizeAt - this.#start
  }
  leaveTag(mark: number): void {
    const sizeAt = this.#start + mark
    const size = this.#position - sizeAt - 1
    const more = varintBytes(size) - 1
    if (more > 0) {
      this.#reserve(more)
      const moved = this.#start + mark + 1
      this.#chunk.copyWithin(moved + more, moved, moved + size)
    }
    const end = this.#position
    this.#position = this.#start + mark
    this.unsignedVarint(size)
    this.#position = end
    this.#sized--
  }
}

function viewOf(chunk: Buffer): DataView {
  return new DataView(chunk.buffer, chunk.byteOffset, chunk.length)
}

function varintBytes(value: number): number {
  if (value < 0x80) return 1
  if (value < 0x4000) return 2
  if (value < 0x20_0000) return 3
  return value < 0x1000_0000 ? 4 : 5
}

function utf8Bytes(value: string): number {
  const size = Buffer.byteLength(value, 'utf8')
  if (size > STRING_BYTES_MAX) throw unencodable(`a string of ${size} bytes, ${STRING_BYTES_MAX} allowed`)
  return size
}

/** As much of a string as goes onto the wire, in whole characters. */
export function cutToFit(value: string | null): string | null {
  if (value === null || Buffer.byteLength(value, 'utf8') <= STRING_BYTES_MAX) return value
  const bytes = Buffer.from(value, 'utf8')
  let end = STRING_BYTES_MAX
  while (isContinuation(bytes[end])) end--
  return bytes.toString('utf8', 0, end)
}

/** Of the bytes of a character all but the first are 10xxxxxx (RFC 3629). */
function isContinuation(byte = 0): boolean {
  return (byte & 0xc0) === 0x80
}

function totalBytes(value: RecordsInput): number {
  if (value instanceof Uint8Array) return value.length
  let size = 0
  for (const chunk of value) size += chunk.length
  return size
}

function unencodable(reason: string): SchemaError {
  return new SchemaError('UNENCODABLE', reason)
}

function outOfRange(value: number): SchemaError {
  return unencodable(`${value} is out of range`)
}
