import type { Clock } from '../env/clock.ts'
import { decodeMetadataRecord, type MetadataRecord } from '../protocol/metadata-record.ts'
import type { CommittedBatch, RaftListener } from '../raft/raft-types.ts'
import type { Snapshot } from '../raft/snapshot-file.ts'
import type { Logger } from '../telemetry/logger.ts'
import { MetadataDelta } from './delta.ts'
import { MetadataImage, type Provenance } from './image.ts'
import { removalRecords } from './removal-records.ts'
import { snapshotRecords } from './snapshot-records.ts'

/** Is told of each new image, in order, with what is new in it. Must not throw. */
export type MetadataPublisher = (delta: MetadataDelta, image: MetadataImage) => void

/** Where snapshots go; RaftNode has it. */
export interface SnapshotWriter {
  createSnapshot(
    id: { readonly endOffset: number; readonly epoch: number },
    lastContainedLogTimestampMs: number,
    records: Iterable<Uint8Array>,
  ): Promise<void>
}

export interface LoaderOptions {
  /** metadata.log.max.record.bytes.between.snapshots. */
  readonly snapshotAfterBytes: number
  /** metadata.log.max.snapshot.interval.ms; 0: time alone makes no snapshot. */
  readonly snapshotAfterMs: number
}

export interface LoaderDeps {
  readonly snapshots: SnapshotWriter
  readonly clock: Clock
  readonly logger: Logger
}

/**
 * Turns what the quorum commits into images, one for each delivery, and hands them to the publishers. Records of a transaction (KIP-868)
 * appear together, when it ends, or not at all. Nothing is published before the log has been read to where a leader's epoch begins:
 * nobody acts on a past that the rest of the log may have undone.
 */
export class MetadataLoader implements RaftListener {
  readonly #options: LoaderOptions
  readonly #deps: LoaderDeps
  readonly #publishers: MetadataPublisher[] = []
  #image = MetadataImage.EMPTY
  #delta = new MetadataDelta(MetadataImage.EMPTY)
  #provenance = MetadataImage.EMPTY.provenance
  /** The records of the open transaction. */
  #transaction: MetadataRecord[] | null = null
  #isCaughtUp = false
  #bytesSinceSnapshot = 0
  #lastSnapshotMs: number
  #isWritingSnapshot = false

  constructor(options: LoaderOptions, deps: LoaderDeps) {
    this.#options = options
    this.#deps = deps
    this.#lastSnapshotMs = deps.clock.monotonicMs()
  }

  /** The last image that was published. */
  get image(): MetadataImage {
    return this.#image
  }

  get isInTransaction(): boolean {
    return this.#transaction !== null
  }

  /** Publishers are told in the order in which they subscribed. */
  subscribe(publisher: MetadataPublisher): void {
    this.#publishers.push(publisher)
  }

  onSnapshot({ id, lastContainedLogTimestampMs, records }: Snapshot): void {
    const whole = records.map((record) => decodeMetadataRecord(record))
    // Publishers are told of what is not there any more as well: a replica of a topic that is gone is not to stay.
    this.#delta = new MetadataDelta(this.#image)
    for (const record of removalRecords(this.#image, whole)) this.#delta.replay(record)
    for (const record of whole) this.#delta.replay(record)
    this.#transaction = null
    this.#provenance = { offset: id.endOffset - 1, epoch: id.epoch, timestampMs: lastContainedLogTimestampMs }
    this.#bytesSinceSnapshot = 0
    if (this.#isCaughtUp) this.#publish()
  }

  onCommit(batches: readonly CommittedBatch[]): void {
    for (const batch of batches) {
      for (const record of batch.records) this.#apply(decodeMetadataRecord(record))
      this.#bytesSinceSnapshot += batch.sizeInBytes
      if (this.#transaction === null) this.#provenance = provenanceOf(batch)
    }
    if (this.#isCaughtUp) this.#publish()
  }

  onLeaderChange(): void {
    if (this.#isCaughtUp) return
    this.#isCaughtUp = true
    this.#publish()
  }

  #apply(record: MetadataRecord): void {
    switch (record.type) {
      case 'BeginTransactionRecord':
        this.#transaction = []
        return
      case 'EndTransactionRecord':
        for (const held of this.#transaction ?? []) this.#delta.replay(held)
        this.#transaction = null
        return
      case 'AbortTransactionRecord':
        this.#transaction = null
        return
      default:
        if (this.#transaction === null) this.#delta.replay(record)
        else this.#transaction.push(record)
    }
  }

  #publish(): void {
    if (this.#provenance.offset === this.#image.provenance.offset) return
    const delta = this.#delta
    const image = delta.finish(this.#provenance)
    this.#image = image
    this.#delta = new MetadataDelta(image)
    for (const publish of this.#publishers) publish(delta, image)
    if (this.#isSnapshotDue()) void this.#writeSnapshot(image)
  }

  #isSnapshotDue(): boolean {
    const { snapshotAfterBytes, snapshotAfterMs } = this.#options
    if (this.#isWritingSnapshot || this.#bytesSinceSnapshot === 0) return false
    const ageMs = this.#deps.clock.monotonicMs() - this.#lastSnapshotMs
    return this.#bytesSinceSnapshot >= snapshotAfterBytes || (snapshotAfterMs > 0 && ageMs >= snapshotAfterMs)
  }

  async #writeSnapshot(image: MetadataImage): Promise<void> {
    const { snapshots, clock, logger } = this.#deps
    const { offset, epoch, timestampMs } = image.provenance
    this.#isWritingSnapshot = true
    this.#bytesSinceSnapshot = 0
    this.#lastSnapshotMs = clock.monotonicMs()
    try {
      await snapshots.createSnapshot({ endOffset: offset + 1, epoch }, timestampMs, snapshotRecords(image))
    } catch (error) {
      logger.error({ err: error }, 'A snapshot of the metadata could not be written')
    } finally {
      this.#isWritingSnapshot = false
    }
  }
}

function provenanceOf({ lastOffset, epoch, appendTimestampMs }: CommittedBatch): Provenance {
  return { offset: lastOffset, epoch, timestampMs: appendTimestampMs }
}
