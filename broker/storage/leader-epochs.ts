import type { Disk } from '../env/disk.ts'
import { readCheckpoint, writeCheckpoint } from './checkpoint-file.ts'
import { StorageError } from './errors.ts'

export const UNDEFINED_EPOCH = -1
export const UNDEFINED_OFFSET = -1

export interface EpochEntry {
  readonly epoch: number
  readonly startOffset: number
}

/** The end of an epoch; both are -1 where it cannot be told. */
export interface EpochEnd {
  readonly epoch: number
  readonly endOffset: number
}

function isBehind({ epoch, startOffset }: EpochEntry, before: EpochEntry | undefined): boolean {
  return before === undefined || (epoch > before.epoch && startOffset > before.startOffset)
}

/**
 * Which leader epoch wrote which offsets (KIP-101, KIP-279). Kept in `leader-epoch-checkpoint`, which is written before the recovery
 * point passes an entry: what lies behind the recovery point is found again in the batches.
 */
export class LeaderEpochCache {
  readonly #path: string
  readonly #disk: Disk
  #entries: EpochEntry[] = []
  #changes = 0
  /** Those that are in the checkpoint. */
  #persisted = 0
  #isClosed = false

  constructor(options: { path: string }, deps: { disk: Disk }) {
    this.#path = options.path
    this.#disk = deps.disk
  }

  /** Reads the checkpoint. Throws StorageError CORRUPT_FILE. */
  load(): void {
    const lines = readCheckpoint(this.#disk, this.#path) ?? []
    this.#entries = lines.map((line) => {
      const match = /^(\d+) (\d+)$/.exec(line)
      if (match === null) throw new StorageError('CORRUPT_FILE', `${this.#path}: malformed line '${line}'`)
      return { epoch: Number(match[1]), startOffset: Number(match[2]) }
    })
    if (this.#entries.every((entry, index) => isBehind(entry, this.#entries[index - 1]))) return
    this.#entries = []
    throw new StorageError('CORRUPT_FILE', `${this.#path}: epochs or offsets that do not rise`)
  }

  /** The checkpoint is up to date. */
  get isPersisted(): boolean {
    return this.#changes === this.#persisted
  }

  /**
   * Writes the checkpoint where it is not up to date with the call; whether it did. Nobody else may meanwhile. It is durable with its name,
   * which is for the caller to sync. Rejects with DiskError.
   */
  async persist(): Promise<boolean> {
    if (this.isPersisted || this.#isClosed) return false
    const changes = this.#changes
    const lines = this.#entries.map(({ epoch, startOffset }) => `${epoch} ${startOffset}`)
    await writeCheckpoint(this.#disk, this.#path, lines, () => !this.#isClosed)
    this.#persisted = changes
    return true
  }

  /** Writes nothing any more: the directory may be gone, or another log's. */
  close(): void {
    this.#isClosed = true
  }

  get entries(): readonly EpochEntry[] {
    return this.#entries
  }
  /** -1 while there is none. */
  get latestEpoch(): number {
    return this.#entries.at(-1)?.epoch ?? UNDEFINED_EPOCH
  }

  /** `startOffset` is of `epoch`. Entries that contradict it are of leaders whose records are gone, or that wrote none, and go. */
  assign(epoch: number, startOffset: number): void {
    const before = this.#entries.filter((entry) =>
      entry.epoch === epoch ? entry.startOffset <= startOffset : entry.epoch < epoch && entry.startOffset < startOffset,
    )
    const goesOn = before.at(-1)?.epoch === epoch
    if (goesOn && before.length === this.#entries.length) return
    this.#entries = goesOn ? before : [...before, { epoch, startOffset }]
    this.#changes++
  }

  /** The epoch of the record at `offset`; -1 where unknown. */
  epochFor(offset: number): number {
    return this.#entries.findLast(({ startOffset }) => startOffset <= offset)?.epoch ?? UNDEFINED_EPOCH
  }

  /**
   * The largest epoch up to `epoch` that this log has, and the offset behind its last record: the start of the next epoch, or
   * `logEndOffset` for the latest. For an epoch before the first one, the start of the first.
   */
  endOffsetFor(epoch: number, logEndOffset: number): EpochEnd {
    if (epoch === UNDEFINED_EPOCH) return { epoch: UNDEFINED_EPOCH, endOffset: UNDEFINED_OFFSET }
    if (epoch === this.latestEpoch) return { epoch, endOffset: logEndOffset }
    const next = this.#entries.find((entry) => entry.epoch > epoch)
    if (next === undefined) return { epoch: UNDEFINED_EPOCH, endOffset: UNDEFINED_OFFSET }
    const floor = this.#entries.findLast((entry) => entry.epoch <= epoch)
    return { epoch: floor?.epoch ?? epoch, endOffset: next.startOffset }
  }

  /** Drops the epochs that begin at `endOffset` or later. */
  truncateFromEnd(endOffset: number): void {
    const latest = this.#entries.at(-1)
    if (latest === undefined || latest.startOffset < endOffset) return
    this.#entries = this.#entries.filter(({ startOffset }) => startOffset < endOffset)
    this.#changes++
  }

  /** Drops what ended before `startOffset`; the epoch of `startOffset` now begins there. */
  truncateFromStart(startOffset: number): void {
    const at = this.#entries.findLastIndex((entry) => entry.startOffset <= startOffset)
    const first = this.#entries[at]
    if (first === undefined || (at === 0 && first.startOffset === startOffset)) return
    this.#entries = [{ epoch: first.epoch, startOffset }, ...this.#entries.slice(at + 1)]
    this.#changes++
  }

  clear(): void {
    if (this.#entries.length === 0) return
    this.#entries = []
    this.#changes++
  }
}
