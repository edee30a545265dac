import { assert } from '../lib/assert.ts'
import type { LogFile, OpenFiles } from './open-files.ts'

/** Entries that there is memory for once there is one. */
const INITIAL_ENTRIES = 32
/** Takes the entry that a look-up in a file visits; all indexes share it, since nobody keeps an entry. */
const VISITED = new Uint8Array(16)
const VISITED_DATA = view(VISITED)

/**
 * Fixed-size entries in a file. While its segment is active they are in memory only, since a crash has them made again from the log;
 * when it is sealed they are saved, and a look-up reads the few that it visits.
 */
export class IndexFile {
  /** Holds the entry that `locate` found. */
  data = VISITED_DATA
  readonly path: string
  readonly entryBytes: number
  readonly #files: OpenFiles
  /** While sealed and saved. */
  #file: LogFile | undefined
  #memory: Uint8Array | undefined
  #entries = 0
  /** How many of the first entries the file has; -1 where what it has is worth nothing. */
  #saved = -1
  /** Nothing follows those in the file. */
  #isExact = false
  #isSealed = true
  #entriesMax = Infinity

  constructor(options: { path: string; entryBytes: number }, deps: { files: OpenFiles }) {
    this.path = options.path
    this.entryBytes = options.entryBytes
    this.#files = deps.files
  }

  get entries(): number {
    return this.#entries
  }
  /** Whether the file has all of them, and nothing else. */
  get isSaved(): boolean {
    return this.#isExact && this.#saved === this.#entries
  }
  get entriesMax(): number {
    return this.#entriesMax
  }

  /** Starts without entries, to become at most `bytesMax` large. */
  create(bytesMax: number): void {
    this.#release()
    this.#entries = 0
    this.#saved = -1
    this.#isExact = false
    this.#hold(new Uint8Array(0))
    this.#grow(bytesMax)
  }

  /** Finds what a sealed segment left, `fileBytes` large; null where it left nothing. False where that is no whole number of entries. */
  open(fileBytes: number | null): boolean {
    if (fileBytes === null) return false
    this.#entries = Math.floor(fileBytes / this.entryBytes)
    this.#saved = this.#entries
    this.#isExact = fileBytes % this.entryBytes === 0
    return this.#isExact
  }

  /** Makes a sealed index that of the active segment. Throws DiskError. */
  activate(bytesMax: number): void {
    if (this.#memory === undefined) {
      const memory = new Uint8Array(this.#entries * this.entryBytes)
      if (this.#entries > 0) this.#sealedFile().read(memory, 0)
      this.#release()
      this.#hold(memory)
    }
    this.#grow(bytesMax)
  }

  #grow(bytesMax: number): void {
    this.#isSealed = false
    this.#entriesMax = Math.max(1, this.#entries, Math.floor(bytesMax / this.entryBytes))
  }

  /** No more are added. */
  seal(): void {
    this.#isSealed = true
  }

  /** The place in `data` of entry `slot`, which must be there. */
  locate(slot: number): number {
    assert(slot >= 0 && slot < this.#entries, 'an index slot that is there')
    if (this.#memory !== undefined) return slot * this.entryBytes
    const read = this.#sealedFile().read(VISITED.subarray(0, this.entryBytes), slot * this.entryBytes)
    assert(read === this.entryBytes, `${this.path} has its entries`)
    return 0
  }

  /** Adds an entry and returns its place in `data`, to be filled at once. */
  push(): number {
    assert(this.#memory !== undefined, 'only an active index grows')
    const place = this.#entries++ * this.entryBytes
    if (place + this.entryBytes > this.#memory.length) {
      const larger = new Uint8Array(Math.max(INITIAL_ENTRIES * this.entryBytes, this.#memory.length * 2))
      larger.set(this.#memory)
      this.#hold(larger)
    }
    return place
  }

  /** Drops all entries from `count` on. */
  truncate(count: number): void {
    if (count >= this.#entries) return
    this.#entries = count
    if (this.#saved <= count) return
    this.#saved = count
    this.#isExact = false
  }

  /** Writes what a sealed index has and its file lacks; durable when it resolves. Rejects with DiskError. */
  async save(): Promise<void> {
    if (!this.#isSealed || this.#memory === undefined) return
    const { entries } = this
    if (!this.isSaved) await this.#write(this.#memory)
    // Meanwhile it may have become an active one again, or lost entries.
    if (!this.#isSealed || !this.isSaved || entries !== this.#entries) return
    this.#memory = undefined
    this.data = VISITED_DATA
  }

  async #write(memory: Uint8Array): Promise<void> {
    const entries = this.#entries
    const from = Math.max(0, this.#saved) * this.entryBytes
    const file = this.#saved < 0 ? this.#files.create(this.path) : this.#files.existing(this.path)
    try {
      if (entries * this.entryBytes > from) file.write([memory.subarray(from, entries * this.entryBytes)], from)
      if (!this.#isExact && this.#saved >= 0) file.truncate(entries * this.entryBytes)
      this.#saved = entries
      this.#isExact = true
      await file.sync()
    } finally {
      file.close()
    }
  }

  close(): void {
    this.#release()
  }

  #sealedFile(): LogFile {
    this.#file ??= this.#files.existing(this.path)
    return this.#file
  }

  #release(): void {
    this.#file?.close()
    this.#file = undefined
  }

  #hold(memory: Uint8Array): void {
    this.#memory = memory
    this.data = view(memory)
  }
}

function view(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
