import type { Disk } from '../env/disk.ts'
import { Slots } from '../lib/slots.ts'
import { GroupFlusher } from './flusher.ts'

/** Directories below one whose names are made durable at the same time: each has a file open meanwhile. */
const BELOW_MAX = 4

/** Makes the names in a directory durable: one sync for all that came before it, whoever asks first. */
export class DirectoryNames {
  readonly #path: string
  readonly #disk: Disk
  readonly #flusher = new GroupFlusher(() => this.#sync())
  readonly #below = new Slots({ count: BELOW_MAX })
  #changes = 0
  #synced = 0

  constructor(options: { readonly path: string }, deps: { readonly disk: Disk }) {
    this.#path = options.path
    this.#disk = deps.disk
  }

  /** A name has come, or was found and may not be durable. Gives what `sync` is to be asked for. */
  changed(): number {
    return ++this.#changes
  }

  /** Whether the name is durable that `change` was given for. */
  isSynced(change: number): boolean {
    return change <= this.#synced
  }

  /** When it resolves the name is durable that `change` was given for. Rejects with DiskError. */
  async sync(change: number): Promise<void> {
    if (!this.isSynced(change)) await this.#flusher.flush()
  }

  async #sync(): Promise<void> {
    const changes = this.#changes
    if (this.isSynced(changes)) return
    await this.#disk.syncDirectoryAsync(this.#path)
    this.#synced = changes
  }

  /** Calls `work`, which makes names durable in a directory in this one, when it is its turn. */
  below<T>(work: () => Promise<T>): Promise<T> {
    return this.#below.run(work)
  }
}
