import type { Disk } from '../env/disk.ts'
import { assert } from '../lib/assert.ts'
import type { BatchView } from '../records/batch.ts'
import type { AbortedTxn } from './aborted-txn-index.ts'
import { type EndTxnMarker, readEndTxnMarker } from './end-txn-marker.ts'
import { StorageError } from './errors.ts'
import { offsetOf, segmentPath, SNAPSHOT_SUFFIX } from './names.ts'
import {
  type AppendOrigin,
  type AppendRefusal,
  type ProducerBatch,
  ProducerEntry,
  staleEpoch,
} from './producer-entry.ts'
import { decodeProducerSnapshot, encodeProducerSnapshot } from './producer-snapshot.ts'

export type AppendCheck = { readonly duplicate: ProducerBatch } | { readonly refusal: AppendRefusal } | undefined

interface EndedTxn {
  readonly firstOffset: number
  /** The offset of the marker. */
  readonly lastOffset: number
}

/**
 * What a log knows of its idempotent and transactional producers (KIP-98), up to `endOffset`. Saved in `.snapshot` files, which a start
 * reads instead of the whole log.
 */
export class ProducerState {
  /** The state covers all offsets before this one. */
  endOffset = 0
  readonly #directory: string
  readonly #disk: Disk
  readonly #expirationMs: () => number
  readonly #entries = new Map<number, ProducerEntry>()
  /** First offsets of open transactions, and who has them open; in order of the offsets. */
  readonly #openTxns = new Map<number, number>()
  /** Where the newest snapshot is that tells of this state; the beginning of the log needs none. */
  #snapshotOffset = 0
  /** Of the files, rising; undefined until somebody has looked. */
  #snapshots: readonly number[] | undefined
  /** Ended transactions whose marker is not below the high watermark yet. */
  #endedTxns: EndedTxn[] = []

  /** `isNew`: nothing is in the directory. */
  constructor(options: { directory: string; expirationMs: () => number; isNew: boolean }, deps: { disk: Disk }) {
    this.#directory = options.directory
    if (options.isNew) this.#snapshots = []
    this.#expirationMs = options.expirationMs
    this.#disk = deps.disk
  }

  get size(): number {
    return this.#entries.size
  }
  entry(producerId: number): ProducerEntry | undefined {
    return this.#entries.get(producerId)
  }
  entries(): IterableIterator<ProducerEntry> {
    return this.#entries.values()
  }

  /** Whether a data batch with a producer id may be appended, or has been already. */
  check(view: BatchView, origin: AppendOrigin): AppendCheck {
    const entry = this.#entries.get(view.producerId)
    if (origin === 'REPLICATION') return undefined
    if (view.isControl) return this.#checkMarker(view, entry)
    const duplicate = origin === 'CLIENT' ? entry?.findDuplicate(view) : undefined
    if (duplicate !== undefined) return { duplicate }
    const refusal = (entry ?? new ProducerEntry(view.producerId)).check(view, origin)
    return refusal === undefined ? undefined : { refusal }
  }

  #checkMarker(view: BatchView, entry: ProducerEntry | undefined): AppendCheck {
    const marker = readEndTxnMarker(view)
    if (marker === undefined || entry === undefined) return undefined
    if (view.producerEpoch < entry.epoch) return { refusal: staleEpoch(entry, view.producerEpoch) }
    if (marker.coordinatorEpoch >= entry.coordinatorEpoch) return undefined
    const message = `Coordinator epoch ${marker.coordinatorEpoch} for producer ${entry.producerId} is behind ${entry.coordinatorEpoch}`
    return { refusal: { error: 'TRANSACTION_COORDINATOR_FENCED', message } }
  }

  /** Takes in a batch with a producer id, as it is in the log; returns the transaction that it aborts. */
  append(view: BatchView): AbortedTxn | undefined {
    const { producerId } = view
    let entry = this.#entries.get(producerId)
    if (entry === undefined) {
      entry = new ProducerEntry(producerId)
      this.#entries.set(producerId, entry)
    }
    if (view.isControl) {
      // What is known to be synced is read without a look at its CRC; a damaged batch is the readers' to find.
      const marker = view.computeCrc() === view.crc ? readEndTxnMarker(view) : undefined
      return marker === undefined ? undefined : this.#endTxn(entry, marker, view)
    }
    entry.append(view)
    if (view.isTransactional && entry.currentTxnFirstOffset === undefined) {
      entry.currentTxnFirstOffset = view.baseOffset
      this.#openTxns.set(view.baseOffset, producerId)
    }
    return undefined
  }

  #endTxn(entry: ProducerEntry, marker: EndTxnMarker, view: BatchView): AbortedTxn | undefined {
    const firstOffset = entry.currentTxnFirstOffset
    const lastOffset = view.baseOffset
    entry.raiseEpoch(view.producerEpoch)
    entry.coordinatorEpoch = marker.coordinatorEpoch
    entry.lastTimestampMs = view.maxTimestamp
    entry.currentTxnFirstOffset = undefined
    if (firstOffset === undefined) return undefined
    this.#openTxns.delete(firstOffset)
    this.#endedTxns.push({ firstOffset, lastOffset })
    if (!marker.isAbort) return undefined
    const lastStableOffset = this.#firstOpenOffset() ?? lastOffset + 1
    return { producerId: entry.producerId, firstOffset, lastOffset, lastStableOffset }
  }

  #firstOpenOffset(): number | undefined {
    for (const firstOffset of this.#openTxns.keys()) return firstOffset
    return undefined
  }

  /** The offset below which every transaction has ended, for readers that see offsets below `highWatermark`. */
  lastStableOffset(highWatermark: number): number {
    // After a truncation what lies behind the snapshot is not known until it has been replayed.
    const known = Math.min(highWatermark, this.endOffset)
    // Nearly always: this is asked for each partition of each Fetch.
    if (this.#openTxns.size === 0 && this.#endedTxns.length === 0) return known
    let stable = Math.min(known, this.#firstOpenOffset() ?? known)
    for (const { firstOffset } of this.#endedTxns) stable = Math.min(stable, firstOffset)
    return stable
  }

  /** Ended transactions whose marker is below `highWatermark` are stable from now on. */
  onHighWatermark(highWatermark: number): void {
    if (this.#endedTxns.length === 0) return
    this.#endedTxns = this.#endedTxns.filter(({ lastOffset }) => lastOffset >= highWatermark)
  }

  /** Records before `logStartOffset` are gone. */
  onLogStartOffset(logStartOffset: number): void {
    this.#endedTxns = this.#endedTxns.filter(({ lastOffset }) => lastOffset >= logStartOffset)
  }

  /** Forgets producers that have been silent for `producer.id.expiration.ms`, unless a transaction is open. */
  removeExpired(nowMs: number): void {
    const expirationMs = this.#expirationMs()
    for (const { producerId, currentTxnFirstOffset, lastTimestampMs } of this.#entries.values()) {
      if (currentTxnFirstOffset !== undefined || nowMs - lastTimestampMs < expirationMs) continue
      this.#entries.delete(producerId)
    }
  }

  /** Forgets everything; the state begins at `offset`. */
  reset(offset: number): void {
    this.#entries.clear()
    this.#openTxns.clear()
    this.#endedTxns = []
    this.endOffset = offset
    this.#snapshotOffset = offset
  }

  /** Remembers what `other` does of the same records: snapshots have only the last batch of each producer, and earlier ones may be sent again. */
  takeOver(other: ProducerState): void {
    assert(other.endOffset === this.endOffset, 'both tell of the same records')
    for (const [producerId, entry] of other.#entries) this.#entries.set(producerId, entry)
  }

  /**
   * Starts from the newest good snapshot in [`logStartOffset`, `offset`]; the log from `endOffset` on is to be replayed. Who has been silent for
   * long is there until `removeExpired`: for how long may be set in the metadata log, which a broker does not know yet when it starts.
   */
  reload(logStartOffset: number, offset: number): void {
    this.reset(logStartOffset)
    for (const snapshotOffset of this.snapshotOffsets().toReversed()) {
      if (snapshotOffset > offset || snapshotOffset < logStartOffset) continue
      const loaded = this.#read(snapshotOffset)
      if (loaded === undefined) continue
      for (const entry of loaded) this.#add(entry)
      this.endOffset = snapshotOffset
      this.#snapshotOffset = snapshotOffset
      return
    }
  }

  #add(entry: ProducerEntry): void {
    this.#entries.set(entry.producerId, entry)
    if (entry.currentTxnFirstOffset !== undefined) this.#openTxns.set(entry.currentTxnFirstOffset, entry.producerId)
  }

  /** A damaged snapshot is no loss: an older one and the log give the same. */
  #read(offset: number): ProducerEntry[] | undefined {
    const path = this.#snapshotPath(offset)
    try {
      const loaded = decodeProducerSnapshot(this.#disk.readFile(path), path)
      return loaded.sort((a, b) => (a.currentTxnFirstOffset ?? 0) - (b.currentTxnFirstOffset ?? 0))
    } catch (error) {
      if (!(error instanceof StorageError)) throw error
      this.removeSnapshots((snapshotOffset) => snapshotOffset === offset)
      return undefined
    }
  }

  /** Offsets of the snapshot files, rising. */
  snapshotOffsets(): readonly number[] {
    this.#snapshots ??= this.#disk
      .list(this.#directory)
      .map(({ name }) => offsetOf(name, SNAPSHOT_SUFFIX))
      .filter((offset) => offset !== undefined)
      .sort((a, b) => a - b)
    return this.#snapshots
  }

  /** Saves the state as of `endOffset`, unless it is saved. Not synced: a snapshot that a crash damages fails its CRC. Throws DiskError. */
  takeSnapshot(): void {
    if (this.endOffset <= this.#snapshotOffset) return
    const others = this.snapshotOffsets().filter((offset) => offset !== this.endOffset)
    const file = this.#disk.open(this.#snapshotPath(this.endOffset), 'openOrCreate')
    try {
      file.truncate(0)
      file.write([encodeProducerSnapshot(this.#entries.values())], 0)
    } finally {
      file.close()
    }
    this.#snapshotOffset = this.endOffset
    this.#snapshots = [...others, this.endOffset].sort((a, b) => a - b)
  }

  /** Throws DiskError. */
  removeSnapshots(which: (offset: number) => boolean): void {
    const gone = new Set(this.snapshotOffsets().filter(which))
    if (gone.size === 0) return
    for (const offset of gone) this.#disk.remove(this.#snapshotPath(offset))
    this.#snapshots = this.snapshotOffsets().filter((offset) => !gone.has(offset))
  }

  #snapshotPath(offset: number): string {
    return segmentPath(this.#directory, offset, SNAPSHOT_SUFFIX)
  }
}
