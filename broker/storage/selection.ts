import { BatchView, HEADER_BYTES } from '../records/batch.ts'

export interface ReadRequest {
  readonly offset: number
  readonly maxBytes: number
  /** Only batches that end before it. */
  readonly limitOffset: number
  /** The first batch is given even where it is larger than `maxBytes` (KIP-74). */
  readonly minOneBatch: boolean
}

/** Whether a batch is what was written, as far as it tells by itself. */
export type Verify = (view: BatchView) => boolean
export const TRUST: Verify = () => true

/** Consecutive batches, in a buffer, of a segment. */
export interface Found {
  readonly bytes: Uint8Array
  /** Where the first of them begins, if it leaves no gap; -1 where that is not known. */
  readonly expectedOffset: number
  /** How much of the file there is from the start of the buffer on. */
  readonly bytesLeft: number
  readonly verify: Verify
}

export interface Selection {
  /** Where the selected batches begin and end; equal where there are none. */
  readonly start: number
  readonly end: number
  readonly baseOffset: number
  /** The batches ended because the buffer did. */
  readonly atEnd: boolean
  /** The batch at `end` is wanted, and not whole or too large: its size, as far as known. */
  readonly wantedBytes: number
  /** The batch at `end` is not what was written. */
  readonly isDamaged: boolean
  /** How many batches are good before the first that was selected, or where none was, of all. */
  readonly goodBefore: number
  /** Behind the last of them; where there is none, what was expected. */
  readonly nextOffset: number
  /** The batch at `end` is wanted, as far as can be told. */
  readonly hasMore: boolean
}

/** What the selected batches end before: a damaged batch, one that is too large, the limit of offsets, or what is not in the buffer. */
type End = 'damage' | 'size' | 'limit' | 'buffer'

/**
 * Picks from consecutive batches those that answer `request`, from the first that reaches behind its offset, as many as `room` bytes allow. A
 * batch behind a gap counts once the one behind it goes on: where the offset of a batch is wrong, that looks like a gap.
 */
export function select(found: Found, request: ReadRequest, room: number, minOneBatch: boolean): Selection {
  return new Selector(found, request, room, minOneBatch).run()
}

/** Where one `select` has come to: of a batch that it passes nothing is allocated. */
class Selector {
  readonly #found: Found
  readonly #request: ReadRequest
  readonly #room: number
  readonly #minOneBatch: boolean
  readonly #view: BatchView
  /** Where the batch begins that is looked at. */
  #at = 0
  /** Where the first one begins that is selected; -1 before that is found. */
  #start = -1
  #baseOffset: number
  #nextOffset: number
  #goodBefore = 0
  /** Where the last batch begins, if it left a gap, and what was expected there; else -1. */
  #gapAt = -1
  #gapOffset = -1

  constructor(found: Found, request: ReadRequest, room: number, minOneBatch: boolean) {
    this.#found = found
    this.#request = request
    this.#room = room
    this.#minOneBatch = minOneBatch
    this.#view = new BatchView(found.bytes)
    this.#baseOffset = request.offset
    this.#nextOffset = found.expectedOffset
  }

  run(): Selection {
    const { length } = this.#found.bytes
    while (this.#at + HEADER_BYTES <= length) {
      const { baseOffset, lastOffsetDelta, sizeInBytes } = this.#view.at(this.#at)
      const lastOffset = baseOffset + lastOffsetDelta
      const isWhole = this.#at + sizeInBytes <= length
      if (!this.#isGood(baseOffset, sizeInBytes, isWhole)) {
        this.#backToGap()
        return this.#selected('damage')
      }
      const end = this.#endBefore(lastOffset, sizeInBytes, isWhole)
      if (end !== undefined) return this.#selected(end, end === 'size' ? sizeInBytes : 0)
      if (!isWhole) return this.#selected('buffer', sizeInBytes)
      this.#pass(baseOffset, lastOffset, sizeInBytes)
    }
    const wantedBytes = HEADER_BYTES + (this.#gapAt < 0 ? 0 : this.#at - this.#gapAt)
    if (this.#at < this.#found.bytesLeft) this.#backToGap()
    return this.#selected('buffer', wantedBytes)
  }

  /** Also of what is passed over, or not given yet: an offset that is wrong would hide records, or all that follow. */
  #isGood(baseOffset: number, sizeInBytes: number, isWhole: boolean): boolean {
    const { bytesLeft, verify } = this.#found
    if (sizeInBytes < HEADER_BYTES || this.#at + sizeInBytes > bytesLeft) return false
    return verify === TRUST || (baseOffset >= this.#nextOffset && (!isWhole || verify(this.#view)))
  }

  /** Why the batch is not selected, if it is behind the offset. */
  #endBefore(lastOffset: number, sizeInBytes: number, isWhole: boolean): 'size' | 'limit' | undefined {
    const { offset, limitOffset } = this.#request
    if (this.#start < 0 && lastOffset < offset) return undefined
    const taken = this.#start < 0 ? 0 : this.#at - this.#start
    const fits = taken + sizeInBytes <= this.#room || (this.#minOneBatch && taken === 0)
    const isOutside = lastOffset >= limitOffset
    // Of what cannot be checked yet the offset may be wrong.
    const isBeyond = isOutside && (isWhole || this.#found.verify === TRUST || taken > 0)
    if (fits && !isBeyond) return undefined
    return isOutside ? 'limit' : 'size'
  }

  #pass(baseOffset: number, lastOffset: number, sizeInBytes: number): void {
    if (this.#start < 0) {
      if (lastOffset < this.#request.offset) this.#goodBefore++
      else {
        this.#start = this.#at
        this.#baseOffset = baseOffset
      }
    }
    const isGap = this.#found.verify !== TRUST && this.#nextOffset >= 0 && baseOffset > this.#nextOffset
    this.#gapAt = isGap ? this.#at : -1
    if (isGap) this.#gapOffset = this.#nextOffset
    this.#nextOffset = lastOffset + 1
    this.#at += sizeInBytes
  }

  #backToGap(): void {
    if (this.#gapAt < 0) return
    this.#at = this.#gapAt
    this.#nextOffset = this.#gapOffset
    if (this.#start < 0) this.#goodBefore--
  }

  #selected(end: End, wantedBytes = 0): Selection {
    return {
      start: this.#start < 0 ? this.#at : this.#start,
      end: this.#at,
      baseOffset: this.#baseOffset,
      atEnd: end === 'buffer',
      wantedBytes,
      isDamaged: end === 'damage',
      goodBefore: this.#goodBefore,
      nextOffset: this.#nextOffset,
      hasMore: end !== 'limit' && this.#nextOffset < this.#request.limitOffset,
    }
  }
}
