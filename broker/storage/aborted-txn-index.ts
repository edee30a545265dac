import type { Disk } from '../env/disk.ts'

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

/**
 * The aborted transactions whose marker is in one segment. In memory; the file is there only where there are any, from when the segment
 * is sealed: a crash before has them found again in the log.
 */
export class AbortedTxnIndex {
  readonly #path: string
  readonly #baseOffset: number
  readonly #disk: Disk
  #entries: AbortedTxn[] = []
  #isSaved = true

  constructor(options: { path: string; baseOffset: number }, deps: { disk: Disk }) {
    this.#path = options.path
    this.#baseOffset = options.baseOffset
    this.#disk = deps.disk
  }

  get entries(): readonly AbortedTxn[] {
    return this.#entries
  }

  get isSaved(): boolean {
    return this.#isSaved
  }

  /** Reads the file, where there is one. False where it cannot be what it should. */
  load(): boolean {
    if (!this.#disk.exists(this.#path)) return true
    const bytes = this.#disk.readFile(this.#path)
    if (bytes.length % ENTRY_BYTES !== 0) return false
    const data = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    for (let at = 0; at < bytes.length; at += ENTRY_BYTES) {
      const txn = {
        producerId: Number(data.getBigInt64(at + 2)),
        firstOffset: Number(data.getBigInt64(at + 10)),
        lastOffset: Number(data.getBigInt64(at + 18)),
        lastStableOffset: Number(data.getBigInt64(at + 26)),
      }
      if (data.getInt16(at) !== VERSION || !this.#isPossible(txn)) return false
      this.#entries.push(txn)
    }
    return true
  }

  /** Markers are in the segment, in order, and end something. */
  #isPossible({ producerId, firstOffset, lastOffset }: AbortedTxn): boolean {
    const before = this.#entries.at(-1)?.lastOffset ?? this.#baseOffset - 1
    return producerId >= 0 && firstOffset >= 0 && firstOffset < lastOffset && lastOffset > before
  }

  append(txn: AbortedTxn): void {
    this.#entries.push(txn)
    this.#isSaved = false
  }

  /** Drops the entries whose marker is at `offset` or later. */
  truncateTo(offset: number): void {
    const kept = this.#entries.filter(({ lastOffset }) => lastOffset < offset)
    if (kept.length === this.#entries.length) return
    this.#entries = kept
    this.#isSaved = false
  }

  /** Throws DiskError. */
  clear(): void {
    this.#entries = []
    this.#isSaved = true
    if (this.#disk.exists(this.#path)) this.#disk.remove(this.#path)
  }

  /** Brings the file up to date; durable when it resolves. Rejects with DiskError. */
  async save(): Promise<void> {
    if (this.#isSaved) return
    const bytes = encode(this.#entries)
    const file = this.#disk.open(this.#path, 'openOrCreate')
    try {
      file.truncate(0)
      file.write([bytes], 0)
      this.#isSaved = true
      await file.sync()
    } finally {
      file.close()
    }
  }
}

function encode(entries: readonly AbortedTxn[]): Uint8Array {
  const bytes = new Uint8Array(entries.length * ENTRY_BYTES)
  const data = new DataView(bytes.buffer)
  entries.forEach((txn, index) => {
    const at = index * ENTRY_BYTES
    data.setInt16(at, VERSION)
    data.setBigInt64(at + 2, BigInt(txn.producerId))
    data.setBigInt64(at + 10, BigInt(txn.firstOffset))
    data.setBigInt64(at + 18, BigInt(txn.lastOffset))
    data.setBigInt64(at + 26, BigInt(txn.lastStableOffset))
  })
  return bytes
}
