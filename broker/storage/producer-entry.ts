import type { BatchView } from '../records/batch.ts'
import type { AppendError } from './errors.ts'

export const NO_PRODUCER_EPOCH = -1
export const NO_SEQUENCE = -1
const SEQUENCES = 0x8000_0000
/** Kafka's limit of requests in flight for which an idempotent producer keeps its order. */
const BATCHES_KEPT = 5

/** One remembered batch; its first sequence and offset are `offsetDelta` before the last. */
export interface ProducerBatch {
  readonly lastSequence: number
  readonly lastOffset: number
  readonly offsetDelta: number
  readonly timestampMs: number
}

/** Who wrote a batch: clients are held to their sequence numbers, coordinators to their epochs, replication to neither. */
export type AppendOrigin = 'CLIENT' | 'COORDINATOR' | 'REPLICATION'

export interface AppendRefusal {
  readonly error: AppendError
  readonly message: string
}

/** `sequence` + `delta`, which starts again at 0 behind 2^31-1. */
export function addToSequence(sequence: number, delta: number): number {
  return (sequence + delta) % SEQUENCES
}

/** What a log remembers of one producer (KIP-98). */
export class ProducerEntry {
  readonly producerId: number
  epoch = NO_PRODUCER_EPOCH
  coordinatorEpoch = -1
  lastTimestampMs = -1
  /** The first offset of the open transaction; undefined where there is none. */
  currentTxnFirstOffset: number | undefined
  batches: ProducerBatch[] = []

  constructor(producerId: number) {
    this.producerId = producerId
  }

  get lastSequence(): number {
    return this.batches.at(-1)?.lastSequence ?? NO_SEQUENCE
  }

  /** The remembered batch that `view` is a repetition of. */
  findDuplicate(view: BatchView): ProducerBatch | undefined {
    if (view.producerEpoch !== this.epoch) return undefined
    const first = view.baseSequence
    const last = addToSequence(first, view.lastOffsetDelta)
    return this.batches.find((batch) => batch.lastSequence === last && firstSequence(batch) === first)
  }

  /** Why this data batch may not be appended; undefined where it may. */
  check(view: BatchView, origin: AppendOrigin): AppendRefusal | undefined {
    if (view.producerEpoch < this.epoch) return staleEpoch(this, view.producerEpoch)
    if (origin === 'CLIENT') {
      const refusal = this.#checkSequence(view)
      if (refusal !== undefined) return refusal
    }
    if (this.currentTxnFirstOffset === undefined || view.isTransactional) return undefined
    return {
      error: 'INVALID_TXN_STATE',
      message: `Expected transactional write from producer with id ${this.producerId}`,
    }
  }

  #checkSequence(view: BatchView): AppendRefusal | undefined {
    const sequence = view.baseSequence
    if (this.epoch === NO_PRODUCER_EPOCH) return undefined
    if (view.producerEpoch !== this.epoch) {
      return sequence === 0
        ? undefined
        : outOfOrder(`Invalid sequence number for new epoch of producer ${this.producerId}: ${sequence} (request)`)
    }
    // Forgotten batches (retention, DeleteRecords) leave the epoch known and the sequence not: it then has to start at 0.
    const expected = this.lastSequence === NO_SEQUENCE ? 0 : addToSequence(this.lastSequence, 1)
    if (sequence === expected) return undefined
    return outOfOrder(
      `Out of order sequence number for producer ${this.producerId}: ${sequence} (incoming seq. number), ${this.lastSequence} (current end sequence number)`,
    )
  }

  /** Takes a data batch in, as it is in the log. */
  append(view: BatchView): void {
    this.raiseEpoch(view.producerEpoch)
    const { lastOffsetDelta, maxTimestamp } = view
    const sequence = view.baseSequence
    const lastSequence = sequence === NO_SEQUENCE ? NO_SEQUENCE : addToSequence(sequence, lastOffsetDelta)
    if (this.batches.length === BATCHES_KEPT) this.batches.shift()
    this.batches.push({
      lastSequence,
      lastOffset: view.lastOffset,
      offsetDelta: lastOffsetDelta,
      timestampMs: maxTimestamp,
    })
    this.lastTimestampMs = maxTimestamp
  }

  /** A new epoch has sequence numbers of its own. */
  raiseEpoch(epoch: number): void {
    if (epoch === this.epoch) return
    this.epoch = epoch
    this.batches = []
  }
}

export function firstSequence({ lastSequence, offsetDelta }: ProducerBatch): number {
  return lastSequence === NO_SEQUENCE ? NO_SEQUENCE : (lastSequence - offsetDelta + SEQUENCES) % SEQUENCES
}

export function staleEpoch(entry: ProducerEntry, epoch: number): AppendRefusal {
  return {
    error: 'INVALID_PRODUCER_EPOCH',
    message: `Epoch of producer ${entry.producerId} is ${epoch}, which is smaller than the last seen epoch ${entry.epoch}`,
  }
}

function outOfOrder(message: string): AppendRefusal {
  return { error: 'OUT_OF_ORDER_SEQUENCE_NUMBER', message }
}
