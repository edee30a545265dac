const LENGTH_BYTES = 4
/** What a frame gets at once of its announced length; then as much again as has been received. */
const FIRST_BYTES_MAX = 1024 * 1024
/** Less than this is received together with what comes behind it, and copied. */
const DIRECT_BYTES_MIN = 16 * 1024
/** So many frames are cut at a time. One of no bytes takes 300 bytes of memory: a read of 64 KiB would become 5 MiB. */
const FRAMES_MAX = 16
const NOTHING = new Uint8Array()

/** A length that no frame of a peer may have: the stream cannot be followed any further. */
export class FrameLengthError extends Error {
  readonly code = 'INVALID_FRAME_LENGTH'
}

/** The first bytes of a handshake, or of an alert, of TLS 1.x. */
function looksLikeTls(length: number): boolean {
  const start = length >>> 16
  return start === 0x16_03 || start === 0x15_03
}

/** Where frames get their memory: a pool, or new memory each time. */
export interface FrameMemory {
  /** `size` bytes of arbitrary content. */
  take(size: number): Uint8Array
  /** Whether `giveBack` takes these. */
  isLent(bytes: Uint8Array): boolean
  giveBack(bytes: Uint8Array): void
}

const NEW_MEMORY: FrameMemory = { take: (size) => Buffer.allocUnsafe(size), isLent: () => false, giveBack: () => {} }

/**
 * Cuts a byte stream into frames: an int32 length, then that many bytes. Each frame has memory of its own, which is the reader's; what
 * it grows to follows what was received and not what was announced.
 */
export class FrameDecoder {
  /** Of frames whose length has not been read yet. */
  maxFrameBytes: number
  readonly #memory: FrameMemory
  readonly #frames: Uint8Array[] = []
  /** What was pushed and has not been cut yet. There is no frame begun before it. */
  #rest: Uint8Array = NOTHING
  /** Of the length of the next frame: its bytes so far, and their value. */
  #lengthBytes = 0
  #length = 0
  /** The frame that is being received, which may have to grow to `#length`. */
  #frame: Uint8Array | undefined
  #filled = 0
  #failure: FrameLengthError | undefined

  constructor(maxFrameBytes: number, memory = NEW_MEMORY) {
    this.maxFrameBytes = maxFrameBytes
    this.#memory = memory
  }

  /** Takes what the stream brought; `chunk` may change afterwards. */
  push(chunk: Uint8Array): void {
    if (this.#rest.length > 0) {
      this.#rest = Buffer.concat([this.#rest, chunk])
      return
    }
    const end = this.#cut(chunk)
    if (end < chunk.length && this.#failure === undefined) this.#rest = Uint8Array.from(chunk.subarray(end))
  }

  /** Returns the position in `chunk` behind what was cut. */
  #cut(chunk: Uint8Array): number {
    let at = 0
    while (at < chunk.length && this.#failure === undefined && this.#frames.length < FRAMES_MAX) {
      at = this.#frame === undefined ? this.#readLength(chunk, at) : this.#fill(this.#frame, chunk, at)
    }
    return at
  }

  /** Where the next bytes of the stream may be received, so that `push` has nothing to copy; undefined where it makes no difference. */
  space(): Uint8Array | undefined {
    if (this.#frame === undefined || this.#frame.length - this.#filled < DIRECT_BYTES_MIN) return undefined
    return this.#frame.subarray(this.#filled)
  }

  /** The next whole frame, without its length; undefined until more has been pushed. Throws FrameLengthError. */
  next(): Uint8Array | undefined {
    if (this.#frames.length === 0 && this.#rest.length > 0) this.#rest = this.#rest.subarray(this.#cut(this.#rest))
    const frame = this.#frames.shift()
    if (frame === undefined && this.#failure !== undefined) throw this.#failure
    return frame
  }

  #readLength(chunk: Uint8Array, start: number): number {
    let at = start
    while (at < chunk.length && this.#lengthBytes < LENGTH_BYTES) {
      this.#length = (this.#length << 8) | (chunk[at++] as number)
      this.#lengthBytes++
    }
    if (this.#lengthBytes === LENGTH_BYTES) this.#begin(this.#length)
    return at
  }

  #begin(length: number): void {
    if (length < 0 || length > this.maxFrameBytes) {
      const hint = looksLikeTls(length) ? ': it looks like TLS, which this listener does not speak' : ''
      this.#failure = new FrameLengthError(`a frame of ${length} bytes, ${this.maxFrameBytes} allowed${hint}`)
      return
    }
    this.#frame = this.#memory.take(Math.min(length, FIRST_BYTES_MAX))
    this.#filled = 0
    if (length === 0) this.#end(this.#frame)
  }

  /** Returns the position in `chunk` behind what belongs to the frame. */
  #fill(frame: Uint8Array, chunk: Uint8Array, at: number): number {
    const end = Math.min(chunk.length, at + frame.length - this.#filled)
    const isInPlace = chunk.buffer === frame.buffer && chunk.byteOffset + at === frame.byteOffset + this.#filled
    if (!isInPlace) frame.set(at === 0 && end === chunk.length ? chunk : chunk.subarray(at, end), this.#filled)
    this.#filled += end - at
    if (this.#filled === this.#length) this.#end(frame)
    else if (this.#filled === frame.length) this.#grow(frame)
    return end
  }

  #grow(frame: Uint8Array): void {
    this.#frame = this.#memory.take(Math.min(this.#length, 2 * frame.length))
    this.#frame.set(frame)
    this.#memory.giveBack(frame)
  }

  #end(frame: Uint8Array): void {
    this.#frames.push(frame)
    this.#frame = undefined
    this.#length = 0
    this.#lengthBytes = 0
  }
}
