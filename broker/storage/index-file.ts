import { assert } from '../lib/assert.ts'
import type { Disk, File } from '../env/disk.ts'

const INITIAL_ENTRIES = 32

/**
 * Fixed-size entries in a file. While its segment is active the entries are in memory as well and the file has its full size, as
 * Kafka's memory-mapped indexes do; when sealed the file is cut to its entries and a look-up reads the few that it visits.
 */
export class IndexFile {
  /** Holds the entry that `locate` found. */
  data: DataView
  readonly path: string
  readonly entryBytes: number
  readonly #disk: Disk
  readonly #scratch: DataView
  #file: File | undefined
  #memory: Uint8Array | undefined
  #entries = 0
  #written = 0
  #entriesMax = Infinity

  constructor(options: { path: string; entryBytes: number }, deps: { disk: Disk }) {
    this.path = options.path
    this.entryBytes = options.entryBytes
    this.#disk = deps.disk
    this.#scratch = new DataView(new ArrayBuffer(options.entryBytes))
    this.data = this.#scratch
  }

  get entries(): number {
    return this.#entries
  }
  get entriesMax(): number {
    return this.#entriesMax
  }

  /** Starts without entries, at full size. */
  create(bytesMax: number): void {
    this.#file ??= this.#disk.open(this.path, 'openOrCreate')
    this.#file.truncate(0)
    this.#entries = 0
    this.#written = 0
    this.#memory = new Uint8Array(INITIAL_ENTRIES * this.entryBytes)
    this.data = view(this.#memory)
    this.#reserve(bytesMax)
  }

  /** Opens what a sealed segment left. False where it is missing or is no whole number of entries. */
  open(): boolean {
    if (!this.#disk.exists(this.path)) return false
    const size = this.#opened().size()
    this.#entries = Math.floor(size / this.entryBytes)
    this.#written = this.#entries
    return size % this.entryBytes === 0
  }

  /** Makes a sealed index that of the active segment. */
  activate(bytesMax: number): void {
    if (this.#memory !== undefined) return
    const memory = new Uint8Array(Math.max(this.#entries, INITIAL_ENTRIES) * this.entryBytes)
    this.#opened().read(memory.subarray(0, this.#entries * this.entryBytes), 0)
    this.#memory = memory
    this.data = view(memory)
    this.#reserve(bytesMax)
  }

  #reserve(bytesMax: number): void {
    this.#entriesMax = Math.max(1, this.#entries, Math.floor(bytesMax / this.entryBytes))
    this.#opened().truncate(this.#entriesMax * this.entryBytes)
  }

  /** Cuts the file to its entries; no more are added. */
  seal(): void {
    if (this.#memory === undefined) return
    this.write()
    this.#opened().truncate(this.#entries * this.entryBytes)
    this.#memory = undefined
    this.data = this.#scratch
  }

  /** The place in `data` of entry `slot`, which must be there. */
  locate(slot: number): number {
    assert(slot >= 0 && slot < this.#entries, 'an index slot that is there')
    if (this.#memory !== undefined) return slot * this.entryBytes
    const read = this.#opened().read(bytesOf(this.#scratch), slot * this.entryBytes)
    assert(read === this.entryBytes, `${this.path} has its entries`)
    return 0
  }

  /** Adds an entry and returns its place in `data`, to be filled at once. */
  push(): number {
    assert(this.#memory !== undefined, 'only an active index grows')
    const place = this.#entries++ * this.entryBytes
    if (place + this.entryBytes > this.#memory.length) {
      const larger = new Uint8Array(this.#memory.length * 2)
      larger.set(this.#memory)
      this.#memory = larger
      this.data = view(larger)
    }
    return place
  }

  /** Writes the entries added since. */
  write(): void {
    if (this.#memory === undefined || this.#written === this.#entries) return
    const start = this.#written * this.entryBytes
    this.#opened().write([this.#memory.subarray(start, this.#entries * this.entryBytes)], start)
    this.#written = this.#entries
  }

  /** Drops all entries from `count` on. */
  truncate(count: number): void {
    if (count >= this.#entries) return
    const file = this.#opened()
    file.truncate(count * this.entryBytes)
    this.#entries = count
    this.#written = Math.min(this.#written, count)
    // Zeros again behind the entries: readers stop at the first empty one.
    if (this.#memory !== undefined) file.truncate(this.#entriesMax * this.entryBytes)
  }

  sync(): Promise<void> {
    return this.#opened().sync()
  }

  close(): void {
    this.#file?.close()
    this.#file = undefined
  }

  #opened(): File {
    this.#file ??= this.#disk.open(this.path, 'open')
    return this.#file
  }
}

function view(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

function bytesOf(data: DataView): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
}
