import type { CodecName } from '../../../broker/env/compute.ts'
import { NodeCompute } from '../../../broker/host/compute.ts'
import { ApiKey } from '../../../broker/protocol/api-key.ts'
import { BatchView, CRC } from '../../../broker/records/batch.ts'
import { type BatchOptions, buildBatch } from '../../../broker/records/build.ts'
import type { Script } from './script.ts'

/** The time of every record that names none: the same for both brokers. */
export const NOW = Math.floor(Date.now() / 3_600_000) * 3_600_000

const compute = new NodeCompute()
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)

export interface TestRecord {
  readonly key?: string | null
  readonly value?: string | null
  readonly timestampMs?: number
}

export interface TestBatch extends Partial<Omit<BatchOptions, 'records'>> {
  readonly records?: readonly TestRecord[]
  /** So many records alike, where `records` is left out. */
  readonly count?: number
  readonly codec?: CodecName
}

/** A batch as a producer sends it. */
export function batchOf(options: TestBatch = {}): Uint8Array {
  const { records, count = 1, ...rest } = options
  const wanted: readonly TestRecord[] =
    records ?? Array.from({ length: count }, (_, index) => ({ key: 'k', value: `value ${index}` }))
  const built = wanted.map(({ key = null, value = null, timestampMs }) => ({
    key: key === null ? null : bytes(key),
    value: value === null ? null : bytes(value),
    ...(timestampMs === undefined ? {} : { timestampMs }),
  }))
  return buildBatch({ records: built, baseTimestampMs: wanted[0]?.timestampMs ?? NOW, ...rest }, compute)
}

/** The batch with something changed, under a CRC that fits. */
export function changed(batch: Uint8Array, change: (data: DataView) => void): Uint8Array {
  const data = new DataView(batch.buffer, batch.byteOffset, batch.byteLength)
  change(data)
  data.setUint32(CRC, new BatchView(batch).computeCrc())
  return batch
}

/** Appends to partition 0 of a topic, one request a batch, and fails where that fails. */
export async function produceTo(script: Script, name: string, ...all: readonly Uint8Array[]): Promise<void> {
  for (const records of all) {
    const { responses } = await script.ask(ApiKey.Produce, 9, {
      acks: -1,
      timeoutMs: 10_000,
      topicData: [{ name, partitionData: [{ index: 0, records }] }],
    })
    const errorCode = responses[0]?.partitionResponses[0]?.errorCode
    if (errorCode !== 0) throw new Error(`${name}: error ${errorCode}`)
  }
}
