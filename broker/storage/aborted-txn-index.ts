import type { Disk, File } from '../env/disk.ts'

/** version int16, producer id, first offset, last offset, last stable offset: int64 each. */
const VERSION = 0
const ENTRY_BYTES = 34

/** An aborted transaction; a read_committed consumer drops its records. */
export interface AbortedTxn {
  readonly producerId: number
  readonly firstOffset: number
  /** The offset of the abort marker. */
  readonly lastOffset: number
  /** The last stable offset once this transaction was over. */
  readonly lastStableOffset: number
}

/** The aborted transactions whose marker is in one segment. The file is there only where there are any. */
export class AbortedTxnIndex {
  readonly #path: string
  readonly #disk: Disk
  #file: File | undefined
  #entries: AbortedTxn[] = []
  #written = 0

  constructor(options: { path: string }, deps: { disk: Disk }) {
    this.#path = options.path
    this.#disk = deps.disk
  }

  get entries(): readonly AbortedTxn[] {
    return this.#entries
  }

  /** Reads the file, where there is one. False where it cannot be what it should. */
  load(): boolean {
    if (!this.#disk.exists(this.#path)) return true
    const bytes = this.#disk.readFile(this.#path)
    if (bytes.length % ENTRY_BYTES !== 0) return false
    const data = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    for (let at = 0; at < bytes.length; at += ENTRY_BYTES) {
      if (data.getInt16(at) !== VERSION) return false
      this.#entries.push({
        producerId: Number(data.getBigInt64(at + 2)),
        firstOffset: Number(data.getBigInt64(at + 10)),
        lastOffset: Number(data.getBigInt64(at + 18)),
        lastStableOffset: Number(data.getBigInt64(at + 26)),
      })
    }
    this.#written = this.#entries.length
    return true
  }

  append(txn: AbortedTxn): void {
    this.#entries.push(txn)
  }

  /** Writes the entries added since. */
  write(): void {
    if (this.#written === this.#entries.length) return
    const added = this.#entries.slice(this.#written)
    const bytes = new Uint8Array(added.length * ENTRY_BYTES)
    const data = new DataView(bytes.buffer)
    added.forEach((txn, index) => {
      const at = index * ENTRY_BYTES
      data.setInt16(at, VERSION)
      data.setBigInt64(at + 2, BigInt(txn.producerId))
      data.setBigInt64(at + 10, BigInt(txn.firstOffset))
      data.setBigInt64(at + 18, BigInt(txn.lastOffset))
      data.setBigInt64(at + 26, BigInt(txn.lastStableOffset))
    })
    this.#file ??= this.#disk.open(this.#path, 'openOrCreate')
    this.#file.write([bytes], this.#written * ENTRY_BYTES)
    this.#written = this.#entries.length
  }

  /** Drops the entries whose marker is at `offset` or later. */
  truncateTo(offset: number): void {
    const kept = this.#entries.filter(({ lastOffset }) => lastOffset < offset)
    if (kept.length === this.#entries.length) return
    this.#entries = kept
    this.#written = Math.min(this.#written, kept.length)
    this.#file ??= this.#disk.open(this.#path, 'openOrCreate')
    this.#file.truncate(this.#written * ENTRY_BYTES)
  }

  clear(): void {
    this.close()
    this.#entries = []
    this.#written = 0
    this.#disk.remove(this.#path)
  }

  async sync(): Promise<void> {
    await this.#file?.sync()
  }

  close(): void {
    this.#file?.close()
    this.#file = undefined
  }
}
