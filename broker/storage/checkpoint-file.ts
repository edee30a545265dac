import type { Disk } from '../env/disk.ts'
import { StorageError } from './errors.ts'

const VERSION = '0'
const ENCODER = new TextEncoder()
const DECODER = new TextDecoder()

/**
 * Kafka's checkpoint files: a line with the version, a line with the number of entries, a line for each. Replaced in one step and
 * durable on return.
 */
export function writeCheckpoint(disk: Disk, path: string, lines: readonly string[]): void {
  disk.replaceFile(path, ENCODER.encode([VERSION, String(lines.length), ...lines, ''].join('\n')))
}

/** The entries' lines; none where the file is missing. Throws StorageError CORRUPT_FILE. */
export function readCheckpoint(disk: Disk, path: string): string[] {
  if (!disk.exists(path)) return []
  const [version, count, ...lines] = DECODER.decode(disk.readFile(path)).split('\n')
  if (version !== VERSION) throw new StorageError('CORRUPT_FILE', `${path}: version ${version} is not ${VERSION}`)
  const entries = lines.filter((line) => line !== '')
  if (entries.length !== Number(count)) {
    throw new StorageError('CORRUPT_FILE', `${path}: ${count} entries expected, ${entries.length} found`)
  }
  return entries
}

/** Offsets by `<topic>-<partition>`. */
export type PartitionOffsets = Map<string, number>

export interface PartitionOffset {
  readonly topic: string
  readonly partition: number
  readonly offset: number
}

export function writeOffsetCheckpoint(disk: Disk, path: string, entries: readonly PartitionOffset[]): void {
  writeCheckpoint(
    disk,
    path,
    entries.map(({ topic, partition, offset }) => `${topic} ${partition} ${offset}`),
  )
}

/** Throws StorageError CORRUPT_FILE. */
export function readOffsetCheckpoint(disk: Disk, path: string): PartitionOffsets {
  const offsets: PartitionOffsets = new Map()
  for (const line of readCheckpoint(disk, path)) {
    const match = /^(\S+) (\d+) (\d+)$/.exec(line)
    if (match === null) throw new StorageError('CORRUPT_FILE', `${path}: malformed line '${line}'`)
    offsets.set(`${match[1]}-${match[2]}`, Number(match[3]))
  }
  return offsets
}
