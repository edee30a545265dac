import type { BatchView } from '../records/batch.ts'
import { controlType } from '../records/control.ts'
import { readRecords } from '../records/read.ts'
import { assert } from '../lib/assert.ts'

/** Of the value: version int16, coordinator epoch int32. */
const COORDINATOR_EPOCH_POSITION = 2
const VALUE_BYTES = 6

/** The end of a transaction, as its coordinator wrote it (KIP-98). */
export interface EndTxnMarker {
  readonly isAbort: boolean
  readonly coordinatorEpoch: number
}

/** The marker in a control batch; undefined where it is another kind of control record. Throws MalformedBatchError. */
export function readEndTxnMarker(view: BatchView): EndTxnMarker | undefined {
  for (const { key, value } of readRecords(view, { decompressSync: refuseCompressed })) {
    const type = controlType(key)
    if ((type !== 'ABORT' && type !== 'COMMIT') || value === null || value.length < VALUE_BYTES) return undefined
    const data = new DataView(value.buffer, value.byteOffset, value.byteLength)
    return { isAbort: type === 'ABORT', coordinatorEpoch: data.getInt32(COORDINATOR_EPOCH_POSITION) }
  }
  return undefined
}

function refuseCompressed(): Uint8Array {
  assert(false, 'control batches are not compressed')
}
