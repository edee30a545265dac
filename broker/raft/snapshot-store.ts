import type { PartitionLog } from '../storage/log.ts'
import type { OpenedLog } from './metadata-log.ts'
import type { RaftDeps } from './raft-types.ts'
import { expiredSnapshots, type SnapshotRetention, type StoredSnapshot } from './retention.ts'
import { encodeSnapshot, type Snapshot, type SnapshotId, snapshotName, writeSnapshotFile } from './snapshot-file.ts'

interface SnapshotStoreOptions {
  readonly directory: string
  readonly retention: SnapshotRetention
}

/** The snapshots beside the metadata log, and the log's older part, which they replace. */
export class SnapshotStore {
  readonly #options: SnapshotStoreOptions
  readonly #deps: Pick<RaftDeps, 'disk' | 'clock' | 'logger'>
  readonly #log: PartitionLog
  readonly #snapshots: StoredSnapshot[]

  constructor(options: SnapshotStoreOptions, deps: Pick<RaftDeps, 'disk' | 'clock' | 'logger'>, opened: OpenedLog) {
    this.#options = options
    this.#deps = deps
    this.#log = opened.log
    this.#snapshots = [...opened.snapshots]
  }

  get directory(): string {
    return this.#options.directory
  }
  get newest(): StoredSnapshot | undefined {
    return this.#snapshots.at(-1)
  }
  get oldest(): StoredSnapshot | undefined {
    return this.#snapshots[0]
  }

  /** Up to `maxBytes` of the file from `position`, and its size; undefined where there is no such snapshot. Rejects with DiskError. */
  async read(id: SnapshotId, position: number, maxBytes: number) {
    const stored = this.#snapshots.find(
      ({ id: { endOffset, epoch } }) => endOffset === id.endOffset && epoch === id.epoch,
    )
    if (stored === undefined) return undefined
    const file = this.#deps.disk.open(this.pathOf(id), 'read')
    try {
      const size = file.size()
      const bytes = new Uint8Array(Math.max(0, Math.min(maxBytes, size - position)))
      const read = await file.readAsync(bytes, position)
      return { size, bytes: bytes.subarray(0, read) }
    } finally {
      file.close()
    }
  }

  pathOf(id: SnapshotId): string {
    return `${this.#options.directory}/${snapshotName(id)}`
  }

  /** A snapshot from elsewhere is there, and the log begins anew behind it: all older ones are of no use. */
  replaceAll(id: SnapshotId, sizeInBytes: number): void {
    const { disk, clock } = this.#deps
    for (const { id: old } of this.#snapshots.splice(0)) {
      if (this.pathOf(old) !== this.pathOf(id)) disk.remove(this.pathOf(old))
    }
    this.#snapshots.push({ id, sizeInBytes, timestampMs: clock.wallMs() })
  }

  /** Encodes at once, so that `records` may read what changes later; rejects with DiskError. One at a time. */
  async create(snapshot: Omit<Snapshot, 'records'> & { readonly records: Iterable<Uint8Array> }): Promise<void> {
    const { disk, clock, logger } = this.#deps
    const { id } = snapshot
    if (this.#isCovered(id)) return
    const chunks = encodeSnapshot(snapshot, clock.wallMs())
    const sizeInBytes = await writeSnapshotFile(disk, this.#options.directory, id, chunks)
    if (this.#isCovered(id)) {
      // Meanwhile one of the leader's has taken the log's place.
      if (!this.#snapshots.some((stored) => this.pathOf(stored.id) === this.pathOf(id))) disk.remove(this.pathOf(id))
      return
    }
    this.#snapshots.push({ id, sizeInBytes, timestampMs: clock.wallMs() })
    logger.info({ ...id, sizeInBytes }, 'Wrote a snapshot of the metadata')
    this.#clean()
  }

  #isCovered({ endOffset }: SnapshotId): boolean {
    return (this.newest?.id.endOffset ?? -1) >= endOffset
  }

  #clean(): void {
    const { disk, clock } = this.#deps
    const nowMs = clock.wallMs()
    const count = expiredSnapshots(this.#snapshots, this.#log.sizeInBytes(), this.#options.retention, nowMs)
    for (const { id } of this.#snapshots.splice(0, count)) disk.remove(`${this.#options.directory}/${snapshotName(id)}`)
    const oldest = this.#snapshots[0]
    // The log is kept from the oldest snapshot on: a follower that fetches it goes on from there.
    if (count === 0 || oldest === undefined) return
    this.#log.incrementLogStartOffset(oldest.id.endOffset)
    this.#log.deleteOldSegments(nowMs)
  }
}
