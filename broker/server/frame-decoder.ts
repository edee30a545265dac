/** A length prefix that no client of ours sends: negative, or above `socket.request.max.bytes`. */
export class FrameError extends Error {
  readonly code = 'INVALID_FRAME_SIZE'
}

const SIZE_BYTES = 4

/**
 * Cuts a byte stream into Kafka frames (int32 length, then that many bytes). A frame that lies within one chunk is a view of it; one
 * that spans chunks is joined when its last byte is there, so that memory follows what was received and not what was announced.
 */
export class FrameDecoder {
  readonly #maxFrameBytes: number
  #parts: Uint8Array[] = []
  #buffered = 0

  constructor(maxFrameBytes: number) {
    this.#maxFrameBytes = maxFrameBytes
  }

  /** Adds a chunk. Throws FrameError at the first frame that is too large, before buffering it. */
  push(chunk: Uint8Array): void {
    this.#parts.push(chunk)
    this.#buffered += chunk.length
    if (this.#buffered >= SIZE_BYTES) this.#frameSize()
  }

  /** The next whole frame without its length, or undefined until more bytes come. */
  next(): Uint8Array | undefined {
    if (this.#buffered < SIZE_BYTES) return undefined
    const size = this.#frameSize()
    const total = size + SIZE_BYTES
    if (this.#buffered < total) return undefined
    const first = this.#parts[0] as Uint8Array
    if (first.length < total) return this.#takeJoined(total)
    if (first.length === total) this.#parts.shift()
    else this.#parts[0] = first.subarray(total)
    this.#buffered -= total
    return first.subarray(SIZE_BYTES, total)
  }

  #frameSize(): number {
    let size = 0
    let part = 0
    let position = 0
    for (let index = 0; index < SIZE_BYTES; index++) {
      while (position === (this.#parts[part] as Uint8Array).length) {
        part++
        position = 0
      }
      size = (size << 8) | ((this.#parts[part] as Uint8Array)[position++] as number)
    }
    if (size < 0 || size > this.#maxFrameBytes) {
      throw new FrameError(
        `a request of ${size} bytes; allowed are 0 to ${this.#maxFrameBytes} (socket.request.max.bytes)`,
      )
    }
    return size
  }

  #takeJoined(total: number): Uint8Array {
    const joined = Buffer.allocUnsafeSlow(total)
    let filled = 0
    while (filled < total) {
      const part = this.#parts[0] as Uint8Array
      const taken = Math.min(part.length, total - filled)
      joined.set(taken === part.length ? part : part.subarray(0, taken), filled)
      filled += taken
      if (taken === part.length) this.#parts.shift()
      else this.#parts[0] = part.subarray(taken)
    }
    this.#buffered -= total
    return joined.subarray(SIZE_BYTES)
  }
}
