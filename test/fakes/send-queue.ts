/** What was written to a connection and has not arrived yet. */
export class SendQueue {
  readonly #buffers: Uint8Array[] = []
  #bytes = 0

  get bytes(): number {
    return this.#bytes
  }

  push(buffer: Uint8Array): void {
    if (buffer.length === 0) return
    this.#buffers.push(buffer)
    this.#bytes += buffer.length
  }

  clear(): void {
    this.#buffers.length = 0
    this.#bytes = 0
  }

  /** Moves the first bytes to `target`, as many as it holds; there must be so many. Their writer may use its buffers again. */
  take(target: Uint8Array): void {
    let taken = 0
    for (let filled = 0; filled < target.length;) {
      const first = this.#buffers[taken] ?? new Uint8Array(0)
      const part = first.subarray(0, target.length - filled)
      target.set(part, filled)
      filled += part.length
      if (part.length === first.length) taken++
      else this.#buffers[taken] = first.subarray(part.length)
    }
    this.#buffers.splice(0, taken)
    this.#bytes -= target.length
  }
}
