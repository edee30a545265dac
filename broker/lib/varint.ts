/**
 * Variable-length integers: base-128 groups, least significant first. The signed ones are zigzag-coded (protobuf's encoding, which
 * KIP-98 took for records); the unsigned one is that of flexible versions (KIP-482).
 */

const GROUP = 0x7f
const MORE = 0x80
/** A 32-bit value never takes more groups than this, a 64-bit one `VARLONG_BYTES_MAX`. */
const VARINT_BYTES_MAX = 5
const VARLONG_BYTES_MAX = 10
/** The four lowest groups of a varlong are done in 32-bit arithmetic, the rest in doubles. */
const LOW_BITS = 28
const LOW_RANGE = 2 ** LOW_BITS

/** A variable-length integer that runs past the end of its buffer, or that has more groups than its type may have. */
export class VarintError extends Error {
  readonly code = 'MALFORMED_VARINT'
}

/** Bytes that `value` (0..2^32-1) takes as an unsigned varint. */
export function sizeOfUnsignedVarint(value: number): number {
  const bits = 32 - Math.clz32(value)
  return bits <= 7 ? 1 : Math.ceil(bits / 7)
}

/** Bytes that `value` (int32) takes as a zigzag varint. */
export function sizeOfVarint(value: number): number {
  return sizeOfUnsignedVarint(((value << 1) ^ (value >> 31)) >>> 0)
}

/** Bytes that `value` (an integer, |value| < 2^53) takes as a zigzag varlong. */
export function sizeOfVarlong(value: number): number {
  let rest = magnitudeOf(value)
  let size = 1
  // The lowest group holds six bits of the magnitude beside the sign.
  for (rest = Math.floor(rest / 64); rest > 0; rest = Math.floor(rest / 128)) size++
  return size
}

/** Writes `value` (0..2^32-1); returns the position behind it. */
export function writeUnsignedVarint(target: Uint8Array, position: number, value: number): number {
  let rest = value >>> 0
  let at = position
  while (rest > GROUP) {
    target[at++] = (rest & GROUP) | MORE
    rest >>>= 7
  }
  target[at++] = rest
  return at
}

/** Writes `value` (int32) in zigzag; returns the position behind it. */
export function writeVarint(target: Uint8Array, position: number, value: number): number {
  return writeUnsignedVarint(target, position, ((value << 1) ^ (value >> 31)) >>> 0)
}

/** Writes `value` (an integer, |value| < 2^53) in zigzag; returns the position behind it. */
export function writeVarlong(target: Uint8Array, position: number, value: number): number {
  const magnitude = magnitudeOf(value)
  let group = ((magnitude % 64) << 1) | (value < 0 ? 1 : 0)
  let rest = Math.floor(magnitude / 64)
  let at = position
  while (rest > 0) {
    target[at++] = group | MORE
    group = rest % 128
    rest = Math.floor(rest / 128)
  }
  target[at++] = group
  return at
}

/** What zigzag stores beside the sign: 0, 1, 2, … for 0, 1, 2, … and for -1, -2, -3, … */
function magnitudeOf(value: number): number {
  return value < 0 ? -value - 1 : value
}

/**
 * The zigzag varint at `position`, for loops that cannot afford a reader; `varintEnd` is where it ends. Past the end of `bytes` it reads
 * zeros: the caller compares positions. Throws VarintError for more than five bytes.
 */
export function varintAt(bytes: Uint8Array, position: number): number {
  const first = bytes[position] ?? 0
  if (first < MORE) return (first >>> 1) ^ -(first & 1)
  const second = bytes[position + 1] ?? 0
  if (second >= MORE) return longVarintAt(bytes, position)
  const value = (first & GROUP) | (second << 7)
  return (value >>> 1) ^ -(value & 1)
}

function longVarintAt(bytes: Uint8Array, position: number): number {
  let value = 0
  for (let group = 0; group < VARINT_BYTES_MAX; group++) {
    const byte = bytes[position + group] ?? 0
    value |= (byte & GROUP) << (group * 7)
    if (byte < MORE) return (value >>> 1) ^ -(value & 1)
  }
  throw new VarintError(`a varint of more than ${VARINT_BYTES_MAX} bytes at ${position}`)
}

/** As `varintAt`, of a varlong: exact below 2^53. Throws VarintError for more than ten bytes, and past the end. */
export function varlongAt(bytes: Uint8Array, position: number): number {
  let end = position
  while ((bytes[end] ?? 0) >= MORE) end++
  return end - position < VARINT_BYTES_MAX - 1 ? varintAt(bytes, position) : new VarintReader(bytes, position).varlong()
}

/** The position behind the variable-length integer at `position`. */
export function varintEnd(bytes: Uint8Array, position: number): number {
  let end = position
  while ((bytes[end] ?? 0) >= MORE) end++
  return end + 1
}

/** Reads variable-length integers one after the other, from `position` and never at or past `end`. Throws VarintError. */
export class VarintReader {
  readonly bytes: Uint8Array
  readonly end: number
  position: number

  constructor(bytes: Uint8Array, position = 0, end = bytes.length) {
    this.bytes = bytes
    this.position = position
    this.end = Math.min(end, bytes.length)
  }

  get remaining(): number {
    return this.end - this.position
  }

  /** 0..2^32-1; the bits that a fifth group has beyond 32 are dropped. */
  unsignedVarint(): number {
    const { bytes, end } = this
    let position = this.position
    let value = 0
    for (let shift = 0; shift < VARINT_BYTES_MAX * 7; shift += 7) {
      if (position >= end) throw pastTheEnd(end)
      const byte = bytes[position++] ?? 0
      value |= (byte & GROUP) << shift
      if (byte < MORE) {
        this.position = position
        return value >>> 0
      }
    }
    throw new VarintError(`a varint of more than ${VARINT_BYTES_MAX} bytes at ${this.position}`)
  }

  /** An int32. */
  varint(): number {
    const position = this.position
    // Most lengths, deltas and counts take one byte.
    if (position < this.end) {
      const byte = this.bytes[position] ?? 0
      if (byte < MORE) {
        this.position = position + 1
        return (byte >>> 1) ^ -(byte & 1)
      }
    }
    const value = this.unsignedVarint()
    return (value >>> 1) ^ -(value & 1)
  }

  /** An int64 as a number: exact below 2^53, rounded beyond. */
  varlong(): number {
    const { bytes, end } = this
    let position = this.position
    let low = 0
    for (let shift = 0; shift < LOW_BITS; shift += 7) {
      if (position >= end) throw pastTheEnd(end)
      const byte = bytes[position++] ?? 0
      low |= (byte & GROUP) << shift
      if (byte < MORE) {
        this.position = position
        return (low >>> 1) ^ -(low & 1)
      }
    }
    let high = 0
    let scale = 1
    for (let group = LOW_BITS / 7; group < VARLONG_BYTES_MAX; group++) {
      if (position >= end) throw pastTheEnd(end)
      const byte = bytes[position++] ?? 0
      high += (byte & GROUP) * scale
      scale *= 128
      if (byte < MORE) {
        this.position = position
        const magnitude = (low >>> 1) + high * (LOW_RANGE / 2)
        return (low & 1) === 0 ? magnitude : -magnitude - 1
      }
    }
    throw new VarintError(`a varlong of more than ${VARLONG_BYTES_MAX} bytes at ${this.position}`)
  }
}

function pastTheEnd(end: number): VarintError {
  return new VarintError(`a varint runs past the end at ${end}`)
}
