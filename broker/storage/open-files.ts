import { type Disk, DiskError, type File } from '../env/disk.ts'
import { assert } from '../lib/assert.ts'
import { FileClosedError } from './errors.ts'

/** Files looked at, for one that can be closed, before another is opened. */
const LOOKS_MAX = 64
/** Files that are synced at the same time, to be closed. */
const CLEANING_MAX = 8

/**
 * The files of logs: any number of them, of which few are open. One that is used opens by itself, and past `max` another is closed that
 * has not been used for long. What was written to one and not synced is synced before: what the kernel could not write back
 * it tells only to those who had the file open. So the limit may be passed for a while, when all are in use.
 */
export class OpenFiles {
  readonly #max: number
  readonly #disk: Pick<Disk, 'open'>
  readonly #onFailure: (error: DiskError) => void
  /** Open ones, those looked at longest ago first. */
  readonly #open = new Set<LogFile>()
  #cleaning = 0

  /** `onFailure` is called where a file fails while nobody uses it; whoever does so next is told as well. */
  constructor(
    options: { readonly max: number },
    deps: { readonly disk: Pick<Disk, 'open'>; readonly onFailure?: (error: DiskError) => void },
  ) {
    this.#max = options.max
    this.#disk = deps.disk
    this.#onFailure = deps.onFailure ?? (() => {})
  }

  get count(): number {
    return this.#open.size
  }

  /** A file that is there, or will be when it is first used. */
  existing(path: string): LogFile {
    return new LogFile(path, this)
  }

  /** A file without content, made where it is missing. Throws DiskError. */
  create(path: string): LogFile {
    const file = new LogFile(path, this)
    file.makeEmpty()
    return file
  }

  /** For `file`, which is not open. Throws DiskError: EMFILE where nothing can be closed for it. */
  openFor(file: LogFile, mode: 'open' | 'openOrCreate'): File {
    if (this.#open.size >= this.#max) this.#makeRoom(1)
    const opened = this.#opened(file.path, mode)
    this.#open.add(file)
    return opened
  }

  #opened(path: string, mode: 'open' | 'openOrCreate'): File {
    try {
      return this.#disk.open(path, mode)
    } catch (error) {
      const isFull = error instanceof DiskError && error.code === 'EMFILE'
      if (!isFull || this.#makeRoom(LOOKS_MAX) === 0) throw error
      return this.#disk.open(path, mode)
    }
  }

  /** Closes up to `wanted` files; returns how many. Each file is passed over once after it was used. */
  #makeRoom(wanted: number): number {
    let closed = 0
    for (let looks = Math.min(LOOKS_MAX * wanted, 2 * this.#open.size); looks > 0 && closed < wanted; looks--) {
      const [file] = this.#open
      if (file === undefined) break
      this.#open.delete(file)
      if (file.isIdle() && file.tryClose()) closed++
      else this.#open.add(file)
    }
    return closed
  }

  /** Whether one more file may be synced to be closed. */
  beginCleaning(): boolean {
    if (this.#cleaning >= CLEANING_MAX) return false
    this.#cleaning++
    return true
  }

  cleaned(file: LogFile): void {
    this.#cleaning--
    if (this.#open.size > this.#max && file.isIdle() && file.tryClose()) this.#open.delete(file)
  }

  failed(error: DiskError): void {
    this.#onFailure(error)
  }

  forget(file: LogFile): void {
    this.#open.delete(file)
  }
}

/** A file of a log, as env's File; open only while it is used, and as long as there is room. */
export class LogFile {
  readonly path: string
  readonly #files: OpenFiles
  #file: File | undefined
  /** Operations under way. */
  #users = 0
  /** Stays open until the next write. */
  #isReserved = false
  #wasUsed = false
  /** Writes and truncations by this process. */
  #changes = 0
  /** Those that are durable; -1 while nothing is known of what was found. */
  #durableChanges = -1
  /** What went wrong behind the back of whoever wrote. */
  #failure: DiskError | undefined
  #closed = false

  constructor(path: string, files: OpenFiles) {
    this.path = path
    this.#files = files
  }

  /** Opens it, or makes it, and cuts off what is in it. Throws DiskError. */
  makeEmpty(): void {
    const file = this.#opened('openOrCreate')
    if (file.size() > 0) this.truncate(0)
    // The name is for the caller to sync.
    else this.#durableChanges = this.#changes
  }

  /** Throws DiskError EMFILE now rather than from the next `write`. */
  reserve(): void {
    this.#opened()
    this.#isReserved = true
  }

  write(buffers: readonly Uint8Array[], position: number): void {
    const file = this.#opened()
    this.#changes++
    this.#isReserved = false
    file.write(buffers, position)
  }

  read(target: Uint8Array, position: number): number {
    return this.#opened().read(target, position)
  }

  readAsync(target: Uint8Array, position: number): Promise<number> {
    return this.#use((file) => file.readAsync(target, position))
  }

  readToSend(size: number, position: number): Promise<Uint8Array> {
    return this.#use((file) => file.readToSend(size, position))
  }

  truncate(size: number): void {
    const file = this.#opened()
    this.#changes++
    this.#isReserved = false
    file.truncate(size)
  }

  /** Resolves when everything written before the call is durable; at once where it is known to be. Rejects with DiskError. */
  async sync(): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure
    const changes = this.#changes
    if (this.#durableChanges === changes) return
    await this.#use((file) => file.sync())
    this.#durableChanges = Math.max(this.#durableChanges, changes)
  }

  /** For good, once nothing uses it any more. */
  close(): void {
    this.#closed = true
    if (this.#users === 0) this.#closeFile()
  }

  /** Not used since this was asked last. */
  isIdle(): boolean {
    const isIdle = !this.#wasUsed
    this.#wasUsed = false
    return isIdle
  }

  /** Closes it until it is used again; false where it is in use. One with something to sync is synced first, and has to be asked again. */
  tryClose(): boolean {
    if (this.#users > 0 || this.#isReserved) return false
    if (this.#changes > 0 && this.#durableChanges !== this.#changes) {
      void this.#clean()
      return false
    }
    try {
      this.#closeOpened()
    } catch (error) {
      this.#failed(error)
    }
    return true
  }

  async #clean(): Promise<void> {
    if (this.#failure !== undefined || !this.#files.beginCleaning()) return
    try {
      const synced = this.sync()
      this.#wasUsed = false
      await synced
    } catch (error) {
      this.#failed(error)
    }
    this.#files.cleaned(this)
  }

  /** Not the fault of whoever made this file be closed. */
  #failed(error: unknown): void {
    assert(error instanceof DiskError, 'a disk fails with a DiskError')
    this.#failure = error
    if (!this.#closed) this.#files.failed(error)
  }

  /** Files stay open while an operation on them is under way: the system may reuse their descriptors. */
  async #use<T>(operation: (file: File) => Promise<T>): Promise<T> {
    const file = this.#opened()
    this.#users++
    try {
      return await operation(file)
    } finally {
      this.#users--
      if (this.#closed && this.#users === 0) this.#closeFile()
    }
  }

  #opened(mode: 'open' | 'openOrCreate' = 'open'): File {
    if (this.#failure !== undefined) throw this.#failure
    if (this.#closed) throw new FileClosedError(this.path)
    this.#wasUsed = true
    this.#file ??= this.#files.openFor(this, mode)
    return this.#file
  }

  #closeFile(): void {
    this.#files.forget(this)
    this.#closeOpened()
  }

  /** The descriptor is gone in any case. */
  #closeOpened(): void {
    const file = this.#file
    this.#file = undefined
    file?.close()
  }
}
