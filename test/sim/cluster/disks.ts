import type { Compute } from '../../../broker/env/compute.ts'
import { MetadataDelta } from '../../../broker/metadata/delta.ts'
import { MetadataImage } from '../../../broker/metadata/image.ts'
import { snapshotRecords } from '../../../broker/metadata/snapshot-records.ts'
import { decodeMetadataRecord, type MetadataRecord } from '../../../broker/protocol/metadata-record.ts'
import { decodeSnapshot, snapshotName } from '../../../broker/raft/snapshot-file.ts'
import type { BatchView } from '../../../broker/records/batch.ts'
import { MalformedBatchError } from '../../../broker/records/record.ts'
import { batches, readRecords } from '../../../broker/records/read.ts'
import { METADATA_LOG_DIRECTORY } from '../../../broker/storage/names.ts'
import type { SimDisk } from '../../fakes/disk.ts'
import { hold } from '../history.ts'

export const LOG_DIRS = ['/disk/a', '/disk/b'] as const
const [METADATA_DIR] = LOG_DIRS

export interface NamedDisk {
  readonly name: string
  readonly disk: SimDisk
}

/** The batches in a log's segments, in order; up to where it is damaged, if that is so. */
function* logBatches(disk: SimDisk, directory: string, isRotten = false): Generator<BatchView> {
  const segments = disk.files(directory).filter(({ path }) => path.endsWith('.log'))
  let next = startOf(disk, directory)
  for (const path of segments.map((segment) => segment.path).toSorted()) {
    try {
      for (const batch of batches(disk.readFile(path))) {
        const isDamaged = batch.computeCrc() !== batch.crc || batch.baseOffset !== next
        if (isRotten && isDamaged) return
        next = batch.nextOffset
        yield batch
      }
    } catch (error) {
      if (isRotten && error instanceof MalformedBatchError) return
      throw error
    }
  }
}

/** What the name of its first segment says. */
function startOf(disk: SimDisk, directory: string): number {
  const names = disk.files(directory).flatMap(({ path }) => /(\d{20})\.log$/.exec(path)?.[1] ?? [])
  return Math.min(...names.map(Number))
}

function contentOf(batch: BatchView): string {
  return Buffer.from(batch.bytes.subarray(batch.start, batch.start + batch.sizeInBytes)).toString('base64')
}

/** What clients know of a partition: everything from `trimmedEnd` up to `endOffset` is to be there. */
export interface Committed {
  readonly trimmedEnd: number
  readonly endOffset: number
}

/**
 * Each replica has every batch that was committed, and the same as the others; but for damage to the one on `rotten` that nobody has come
 * across yet.
 */
export function checkReplicas(
  partition: string,
  { trimmedEnd, endOffset }: Committed,
  replicas: readonly NamedDisk[],
  rotten: string | undefined,
): void {
  const known = new Map<number, string>()
  for (const { name, disk } of replicas.toSorted((a, b) => Number(a.name === rotten) - Number(b.name === rotten))) {
    const directories = LOG_DIRS.map((path) => `${path}/${partition}`).filter((path) => disk.exists(path))
    const [directory] = directories
    hold(directory !== undefined, `${name} has no replica of ${partition}`)
    hold(directories.length === 1, `${name} has a replica of ${partition} in each log dir`)
    let next = startOf(disk, directory)
    hold(next <= trimmedEnd, `${name}: ${partition} begins at ${next}, up to ${trimmedEnd} was deleted`)
    for (const batch of logBatches(disk, directory, name === rotten)) {
      if (batch.baseOffset >= endOffset) break
      hold(batch.baseOffset === next, `${name}: ${partition} has ${batch.baseOffset} where ${next} should follow`)
      next = batch.nextOffset
      // What was deleted nobody compares any more: a follower may still have what a leader before wrote there.
      if (next <= trimmedEnd) continue
      const content = contentOf(batch)
      const other = known.get(batch.baseOffset)
      hold(
        other === undefined || other === content,
        `${name}: the batch of ${partition} at ${batch.baseOffset} is not that of the other replicas`,
      )
      known.set(batch.baseOffset, content)
    }
    hold(next >= endOffset || name === rotten, `${name}: ${partition} ends at ${next}, committed is ${endOffset}`)
  }
}

/** Logs hold the same at the same offsets, as far as all have it for certain; and all come to one image. */
export function checkMetadata(endOffset: number, nodes: readonly NamedDisk[], compute: Compute): void {
  const known = new Map<number, string>()
  const images = new Map<string, string>()
  for (const { name, disk } of nodes) {
    const directory = `${METADATA_DIR}/${METADATA_LOG_DIRECTORY}`
    const log = [...logBatches(disk, directory)].filter(({ nextOffset }) => nextOffset <= endOffset)
    for (const batch of log) {
      const content = contentOf(batch)
      const other = known.get(batch.baseOffset)
      hold(
        other === undefined || other === content,
        `${name}: metadata at ${batch.baseOffset} is not that of the others`,
      )
      known.set(batch.baseOffset, content)
    }
    images.set(name, imageText(disk, directory, log, endOffset, compute))
  }
  const [[first, expected] = ['', ''], ...others] = images
  for (const [name, text] of others) {
    hold(text === expected, `metadata at ${endOffset} differs:\n${first}: ${expected}\n${name}: ${text}`)
  }
}

/** The image that the newest snapshot and the log behind it come to: its records, sorted. */
function imageText(
  disk: SimDisk,
  directory: string,
  log: readonly BatchView[],
  endOffset: number,
  compute: Compute,
): string {
  const delta = new MetadataDelta(MetadataImage.EMPTY)
  const start = replaySnapshot(disk, directory, endOffset, delta, compute)
  let transaction: MetadataRecord[] | undefined
  for (const batch of log) {
    if (batch.baseOffset < start || batch.isControl) continue
    for (const { value } of readRecords(batch, compute)) {
      const record = decodeMetadataRecord(value ?? new Uint8Array(0))
      if (record.type === 'BeginTransactionRecord') transaction = []
      else if (record.type === 'AbortTransactionRecord') transaction = undefined
      else if (record.type === 'EndTransactionRecord') {
        for (const held of transaction ?? []) delta.replay(held)
        transaction = undefined
      } else if (transaction === undefined) delta.replay(record)
      else transaction.push(record)
    }
  }
  const image = delta.finish({ offset: endOffset - 1, epoch: 0, timestampMs: 0 })
  const records = [...snapshotRecords(image)].map((record) => Buffer.from(record).toString('base64'))
  return records.toSorted().join(' ')
}

function replaySnapshot(
  disk: SimDisk,
  directory: string,
  endOffset: number,
  delta: MetadataDelta,
  compute: Compute,
): number {
  const names = disk.list(directory).map(({ name }) => /^(\d{20})-(\d{10})\.checkpoint$/.exec(name))
  const ids = names.flatMap((match) =>
    match === null ? [] : [{ endOffset: Number(match[1]), epoch: Number(match[2]) }],
  )
  const newest = ids.filter((id) => id.endOffset <= endOffset).toSorted((a, b) => b.endOffset - a.endOffset)[0]
  if (newest === undefined) return 0
  const { records } = decodeSnapshot(newest, disk.readFile(`${directory}/${snapshotName(newest)}`), compute)
  for (const record of records) delta.replay(decodeMetadataRecord(record))
  return newest.endOffset
}
