import type { Disk } from '../env/disk.ts'
import { PARTITION_METADATA_FILE } from './names.ts'

const VERSION = 0

/** The topic id in `partition.metadata` (KIP-516); null where a crash left the file empty, or there is none. */
export function readTopicId(disk: Disk, directory: string): string | null {
  const path = `${directory}/${PARTITION_METADATA_FILE}`
  if (!disk.exists(path)) return null
  const match = /^version: 0\ntopic_id: ([A-Za-z0-9_-]{22})$/m.exec(new TextDecoder().decode(disk.readFile(path)))
  return match?.[1] ?? null
}

/** The `partition.metadata` of a log that is in use. */
export class TopicIdFile {
  readonly #path: string
  readonly #disk: Disk
  #isSynced = true

  constructor(options: { readonly directory: string }, deps: { readonly disk: Disk }) {
    this.#path = `${options.directory}/${PARTITION_METADATA_FILE}`
    this.#disk = deps.disk
  }

  /** What was written is durable, as far as it is this file's to see to. */
  get isSynced(): boolean {
    return this.#isSynced
  }

  /** A crash before the next `sync` may leave the file empty. Throws DiskError. */
  write(topicId: string): void {
    const file = this.#disk.open(this.#path, 'openOrCreate')
    try {
      file.truncate(0)
      file.write([new TextEncoder().encode(`version: ${VERSION}\ntopic_id: ${topicId}`)], 0)
      this.#isSynced = false
    } finally {
      file.close()
    }
  }

  /** Whether there was something to sync; it is durable with its name, which is for the caller to sync. Rejects with DiskError. */
  async sync(): Promise<boolean> {
    if (this.#isSynced) return false
    const file = this.#disk.open(this.#path, 'open')
    try {
      await file.sync()
    } finally {
      file.close()
    }
    this.#isSynced = true
    return true
  }
}
