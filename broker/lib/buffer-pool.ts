/** Smaller ones take plain memory: giving it back would cost as much. */
const POOLED_BYTES_MIN = 4 * 1024
const POOLED_BYTES_MAX = 4 * 1024 * 1024
/** What is kept for the next ones, by the buffers' sizes. */
const FREE_BYTES_MAX = 16 * 1024 * 1024

/**
 * Buffers that are used again and again, for bytes on their way from or to a socket: V8 counts each new one as garbage to come, and
 * collects the whole heap every 64 MiB of them. A buffer that is never given back is left to the garbage collector.
 */
export class BufferPool {
  /** By the power of two that they hold. */
  readonly #free = new Map<number, ArrayBuffer[]>()
  readonly #lent = new WeakSet<ArrayBufferLike>()
  #freeBytes = 0

  /** `size` bytes of arbitrary content. */
  take(size: number): Uint8Array {
    if (size < POOLED_BYTES_MIN) return Buffer.allocUnsafe(size)
    if (size > POOLED_BYTES_MAX) return Buffer.allocUnsafeSlow(size)
    const capacity = 2 ** (32 - Math.clz32(size - 1))
    const memory = this.#free.get(capacity)?.pop()
    if (memory === undefined) return this.#lend(Buffer.allocUnsafeSlow(capacity).buffer, size)
    this.#freeBytes -= capacity
    return this.#lend(memory, size)
  }

  #lend(memory: ArrayBuffer, size: number): Uint8Array {
    this.#lent.add(memory)
    return Buffer.from(memory, 0, size)
  }

  /** Whether `bytes` lie in a buffer that `giveBack` takes. */
  isLent(bytes: Uint8Array): boolean {
    return bytes.buffer.byteLength >= POOLED_BYTES_MIN && this.#lent.has(bytes.buffer)
  }

  /** Nobody looks at the buffer that holds `bytes` any more. What is not lent is left alone. */
  giveBack(bytes: Uint8Array): void {
    const memory = bytes.buffer
    if (!this.#lent.delete(memory) || !(memory instanceof ArrayBuffer)) return
    const capacity = memory.byteLength
    if (this.#freeBytes + capacity > FREE_BYTES_MAX) return
    this.#freeBytes += capacity
    const free = this.#free.get(capacity)
    if (free === undefined) this.#free.set(capacity, [memory])
    else free.push(memory)
  }
}
