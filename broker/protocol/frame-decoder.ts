const LENGTH_BYTES = 4

/** A length that no frame of a peer may have: the stream cannot be followed any further. */
export class FrameLengthError extends Error {
  readonly code = 'INVALID_FRAME_LENGTH'
}

/**
 * Cuts a byte stream into frames: an int32 length, then that many bytes. A frame that lies in one chunk is a view of it; one that spans
 * chunks is joined once its last byte is there, so that memory follows what was received and not what was announced.
 */
export class FrameDecoder {
  readonly #maxFrameBytes: number
  #chunks: Uint8Array[] = []
  #buffered = 0
  /** Of the frame that is being received; undefined until its length is known. */
  #length: number | undefined

  constructor(maxFrameBytes: number) {
    this.#maxFrameBytes = maxFrameBytes
  }

  push(chunk: Uint8Array): void {
    if (chunk.length === 0) return
    this.#chunks.push(chunk)
    this.#buffered += chunk.length
  }

  /** The next whole frame, without its length; undefined until more has been pushed. Throws FrameLengthError. */
  next(): Uint8Array | undefined {
    if (this.#length === undefined) {
      if (this.#buffered < LENGTH_BYTES) return undefined
      const head = this.#take(LENGTH_BYTES)
      const length = new DataView(head.buffer, head.byteOffset, LENGTH_BYTES).getInt32(0)
      if (length < 0 || length > this.#maxFrameBytes) {
        throw new FrameLengthError(`a frame of ${length} bytes, ${this.#maxFrameBytes} allowed`)
      }
      this.#length = length
    }
    if (this.#buffered < this.#length) return undefined
    const frame = this.#take(this.#length)
    this.#length = undefined
    return frame
  }

  /** The next `size` bytes, which are there. */
  #take(size: number): Uint8Array {
    this.#buffered -= size
    const first = this.#chunks[0]
    if (first === undefined || first.length <= size) return this.#takeChunks(size)
    this.#chunks[0] = first.subarray(size)
    return first.subarray(0, size)
  }

  #takeChunks(size: number): Uint8Array {
    const taken: Uint8Array[] = []
    let left = size
    let count = 0
    for (const chunk of this.#chunks) {
      if (left < chunk.length) break
      taken.push(chunk)
      left -= chunk.length
      count++
    }
    this.#chunks.splice(0, count)
    const rest = this.#chunks[0]
    if (left > 0 && rest !== undefined) {
      taken.push(rest.subarray(0, left))
      this.#chunks[0] = rest.subarray(left)
    }
    const only = taken[0]
    return only !== undefined && taken.length === 1 ? only : Buffer.concat(taken, size)
  }
}
