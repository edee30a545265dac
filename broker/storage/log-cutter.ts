import type { Clock } from '../env/clock.ts'
import { type Disk, DiskError } from '../env/disk.ts'
import { assert } from '../lib/assert.ts'
import type { DelayedRemoval } from './delayed-removal.ts'
import { isTooManyFiles } from './errors.ts'
import type { LogWriter } from './log-writer.ts'
import { patiently } from './patience.ts'
import type { ProducerState } from './producer-state.ts'
import { cutOf, findEnd, reactivate, replayProducers } from './replay.ts'
import type { LogSegment } from './segment.ts'
import type { LogSegments } from './segments.ts'

export interface LogCutterDeps {
  readonly disk: Disk
  readonly clock: Clock
  readonly segments: LogSegments
  readonly writer: LogWriter
  readonly producers: ProducerState
  readonly removal: DelayedRemoval
}

/**
 * Takes records away from a log. What needs a file descriptor comes first, or is tried until there is one: a log that is cut in part would
 * go on with a hole, or have the rest of it back after a crash.
 */
export class LogCutter {
  readonly #directory: string
  readonly #deps: LogCutterDeps

  /** `directory` is the log's. */
  constructor(options: { readonly directory: string }, deps: LogCutterDeps) {
    this.#directory = options.directory
    this.#deps = deps
  }

  /** Gives up whole segments; one has to stay, or to come. Throws DiskError, but not for want of a descriptor. */
  discard(gone: readonly LogSegment[]): void {
    const { segments, producers, writer, removal } = this.#deps
    const paths = gone.flatMap((segment) => segment.markDeleted())
    segments.remove(gone)
    const bases = new Set(gone.map(({ baseOffset }) => baseOffset))
    producers.removeSnapshots((offset) => bases.has(offset))
    if (paths.length > 0) removal.remove(paths, writer.config.fileDeleteDelayMs)
  }

  /**
   * Cuts at `asked`, which is in the log, or before that: at damage, where a batch begins that reaches to it, where a gap does. `cut` is told where, as soon as nothing leads back. Rejects with DiskError:
   * where it is EMFILE, nothing has changed.
   */
  async truncateTo(asked: number, logStartOffset: number, cut: (offset: number) => void): Promise<void> {
    const { segments, writer, clock } = this.#deps
    writer.writeStaged()
    const segment = segments.at(segments.indexFor(asked))
    assert(segment !== undefined, 'the offset is in the log')
    // Where all of the segment goes it need not be read, which may be why.
    const isWhole = asked === segment.baseOffset
    const { position, offset } = isWhole
      ? { position: 0, offset: asked }
      : await cutOf(segment, asked, writer.logEndOffset)
    segment.reserve()
    // The last first: a crash in the midst of it leaves no hole.
    const behind = segments.list().filter(({ baseOffset }) => baseOffset > segment.baseOffset)
    this.discard(behind.toReversed())
    segment.cutAt(position)
    cut(offset)
    await patiently(clock, () => this.#reopen(segment, offset, Math.min(logStartOffset, offset)))
  }

  /** Makes the segment the active one, with all that belongs to an end at `offset`. */
  async #reopen(segment: LogSegment, offset: number, logStartOffset: number): Promise<void> {
    const { segments, producers, disk } = this.#deps
    segment.forgetFrom(offset)
    await findEnd(segment)
    await reactivate(segment)
    producers.removeSnapshots((snapshotOffset) => snapshotOffset > offset)
    producers.reload(logStartOffset, offset)
    await replayProducers(segments, producers, offset)
    // What was cut off must not come back, after a crash, behind batches that take its place.
    await disk.syncDirectoryAsync(this.#directory)
    await segment.sync()
  }

  /** Drops all records; the next one is to get `offset`. Throws DiskError: where it is EMFILE, nothing has changed. */
  startAt(offset: number): void {
    const { segments, writer, producers } = this.#deps
    // Its descriptor is that of the next one.
    segments.active.reserve()
    this.discard(segments.list())
    try {
      segments.push(writer.newSegment(offset))
    } catch (error) {
      if (!(error instanceof DiskError) || !isTooManyFiles(error)) throw error
      // Somebody was still reading. There is no log without a segment.
      throw new DiskError('OTHER', error.path, error.message, error)
    }
    producers.removeSnapshots(() => true)
    this.#syncNames()
  }

  /** Where there is no descriptor for it, the next sync of the log does it. */
  #syncNames(): void {
    try {
      this.#deps.disk.syncDirectory(this.#directory)
    } catch (error) {
      if (!isTooManyFiles(error)) throw error
    }
  }
}
