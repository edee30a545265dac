import type { Disk } from '../env/disk.ts'

/** Makes the names in a directory durable: one sync for all that came before it, whoever asks first. */
export class DirectoryNames {
  readonly #path: string
  readonly #disk: Disk
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

  /** On return the name is durable that `change` was given for. Throws DiskError. */
  sync(change: number): void {
    if (change <= this.#synced) return
    const changes = this.#changes
    this.#disk.syncDirectory(this.#path)
    this.#synced = changes
  }
}
