import type { PartitionLog } from '../storage/log.ts'
import type { OpenedLog } from './metadata-log.ts'
import type { RaftDeps } from './raft-types.ts'
import { expiredSnapshots, type SnapshotRetention, type StoredSnapshot } from './retention.ts'
import { encodeSnapshot, type Snapshot, snapshotName, writeSnapshotFile } from './snapshot-file.ts'

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

  /** Encodes at once, so that `records` may read what changes later; rejects with DiskError. One at a time. */
  async create(snapshot: Omit<Snapshot, 'records'> & { readonly records: Iterable<Uint8Array> }): Promise<void> {
    const { disk, clock, logger } = this.#deps
    const { id } = snapshot
    const newest = this.#snapshots.at(-1)
    if (newest !== undefined && newest.id.endOffset >= id.endOffset) return
    const chunks = encodeSnapshot(snapshot, clock.wallMs())
    const sizeInBytes = await writeSnapshotFile(disk, this.#options.directory, id, chunks)
    this.#snapshots.push({ id, sizeInBytes, timestampMs: clock.wallMs() })
    logger.info({ ...id, sizeInBytes }, 'Wrote a snapshot of the metadata')
    this.#clean()
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
