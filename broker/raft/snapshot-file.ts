import type { Compute } from '../env/compute.ts'
import type { Disk } from '../env/disk.ts'
import { buildBatch } from '../records/build.ts'
import { batches, readRecords } from '../records/read.ts'
import {
  controlBatch,
  kraftVersion,
  kraftVoters,
  readControlRecords,
  snapshotFooter,
  snapshotHeader,
} from './control-records.ts'
import type { Voter } from './voters.ts'

/** A snapshot has what the log has below `endOffset`; `epoch` is that of the last record in it. KIP-630. */
export interface SnapshotId {
  readonly endOffset: number
  readonly epoch: number
}

/** A snapshot, or bootstrap.checkpoint, which has the same format. */
export interface Snapshot {
  readonly id: SnapshotId
  readonly lastContainedLogTimestampMs: number
  /** Undefined where the snapshot says nothing: the voters are static. */
  readonly kraftVersion: number | undefined
  readonly voters: readonly Voter[] | undefined
  /** Encoded metadata records. */
  readonly records: readonly Uint8Array[]
}

/** A snapshot that is cut short, or damaged. */
export class SnapshotError extends Error {
  readonly code = 'CORRUPT_SNAPSHOT'
}

const SUFFIX = '.checkpoint'
const PART_SUFFIX = '.checkpoint.part'
const NAME = /^(\d{20})-(\d{10})\.checkpoint$/
/** A batch is closed once it holds this much: batches in the metadata log stay below 8 MiB. */
const BATCH_BYTES = 512 * 1024

export function snapshotName({ endOffset, epoch }: SnapshotId): string {
  return `${String(endOffset).padStart(20, '0')}-${String(epoch).padStart(10, '0')}${SUFFIX}`
}

/** The snapshots in `directory`, oldest first; removes those that were being written at a crash. */
export function listSnapshots(disk: Disk, directory: string): SnapshotId[] {
  const ids: SnapshotId[] = []
  for (const { name } of disk.list(directory)) {
    if (name.endsWith(PART_SUFFIX)) disk.remove(`${directory}/${name}`)
    const match = NAME.exec(name)
    if (match !== null) ids.push({ endOffset: Number(match[1]), epoch: Number(match[2]) })
  }
  return ids.toSorted((a, b) => a.endOffset - b.endOffset || a.epoch - b.epoch)
}

/** The bytes of a snapshot, in chunks. Its batches count their offsets from 0. */
export function encodeSnapshot(
  snapshot: Omit<Snapshot, 'records'> & { readonly records: Iterable<Uint8Array> },
  timestampMs: number,
): Uint8Array[] {
  const { id, lastContainedLogTimestampMs, voters, kraftVersion: version } = snapshot
  const { epoch } = id
  const header = [snapshotHeader(lastContainedLogTimestampMs)]
  if (version !== undefined && version > 0) {
    header.push(kraftVersion(version))
    if (voters !== undefined) header.push(kraftVoters(voters))
  }
  const chunks = [controlBatch(header, { baseOffset: 0, epoch, timestampMs })]
  let offset = header.length
  const push = (values: readonly Uint8Array[]) => {
    const records = values.map((value) => ({ key: null, value }))
    chunks.push(buildBatch({ records, baseOffset: offset, leaderEpoch: epoch, baseTimestampMs: timestampMs }))
    offset += values.length
  }
  for (const values of grouped(snapshot.records)) push(values)
  chunks.push(controlBatch([snapshotFooter()], { baseOffset: offset, epoch, timestampMs }))
  return chunks
}

function* grouped(records: Iterable<Uint8Array>): Generator<Uint8Array[]> {
  let group: Uint8Array[] = []
  let bytes = 0
  for (const record of records) {
    group.push(record)
    bytes += record.length
    if (bytes < BATCH_BYTES) continue
    yield group
    group = []
    bytes = 0
  }
  if (group.length > 0) yield group
}

/** Throws SnapshotError where the header, the footer or a whole batch is missing. */
export function decodeSnapshot(id: SnapshotId, bytes: Uint8Array, compute: Pick<Compute, 'decompressSync'>): Snapshot {
  const records: Uint8Array[] = []
  const control = []
  try {
    for (const view of batches(bytes, { torn: 'throw' })) {
      if (view.crc !== view.computeCrc()) throw new SnapshotError(`${snapshotName(id)}: a batch has the wrong CRC`)
      const isControl = view.isControl
      for (const record of readRecords(view, compute)) {
        if (isControl) control.push(record)
        else if (record.value !== null) records.push(record.value)
      }
    }
  } catch (cause) {
    if (cause instanceof SnapshotError) throw cause
    throw new SnapshotError(`${snapshotName(id)} is damaged`, { cause })
  }
  const { lastContainedLogTimestampMs, kraftVersion: version, voters, hasFooter } = readControlRecords(control)
  if (lastContainedLogTimestampMs === undefined || !hasFooter) {
    throw new SnapshotError(`${snapshotName(id)} has no header or no footer`)
  }
  return { id, lastContainedLogTimestampMs, kraftVersion: version, voters, records }
}

/** Writes a snapshot that readers see whole or not at all; durable when it resolves. Rejects with DiskError. */
export async function writeSnapshotFile(
  disk: Disk,
  directory: string,
  id: SnapshotId,
  chunks: readonly Uint8Array[],
): Promise<number> {
  const path = `${directory}/${snapshotName(id)}`
  const part = `${path}.part`
  disk.remove(part)
  const file = disk.open(part, 'create')
  try {
    file.write(chunks, 0)
    await file.sync()
  } finally {
    file.close()
  }
  disk.rename(part, path)
  disk.syncDirectory(directory)
  return chunks.reduce((sum, { length }) => sum + length, 0)
}
