import type { Disk } from '../env/disk.ts'
import { StorageError } from './errors.ts'

const VERSION = '0'
const ENCODER = new TextEncoder()
const DECODER = new TextDecoder()

/**
 * Kafka's checkpoint files: a line with the version, a line with the number of entries, a line for each. Replaced in one step, without
 * blocking, and left alone where `isWanted` does not hold any more; only the name is for the caller to sync. Rejects with DiskError.
 */
export async function writeCheckpoint(
  disk: Disk,
  path: string,
  lines: readonly string[],
  isWanted: () => boolean = () => true,
): Promise<void> {
  const temporary = `${path}.tmp`
  const file = disk.open(temporary, 'openOrCreate')
  try {
    file.truncate(0)
    file.write([encode(lines)], 0)
    await file.sync()
  } finally {
    file.close()
  }
  if (isWanted()) disk.rename(temporary, path)
}

function encode(lines: readonly string[]): Uint8Array {
  return ENCODER.encode([VERSION, String(lines.length), ...lines, ''].join('\n'))
}

/** The entries' lines; undefined where the file is missing. Throws StorageError CORRUPT_FILE. */
export function readCheckpoint(disk: Disk, path: string): string[] | undefined {
  if (!disk.exists(path)) return undefined
  const [version, count, ...lines] = DECODER.decode(disk.readFile(path)).split('\n')
  if (version !== VERSION) throw new StorageError('CORRUPT_FILE', `${path}: version ${version} is not ${VERSION}`)
  const entries = lines.filter((line) => line !== '')
  if (entries.length !== Number(count)) {
    throw new StorageError('CORRUPT_FILE', `${path}: ${count} entries expected, ${entries.length} found`)
  }
  return entries
}

export interface PartitionOffset {
  readonly topic: string
  readonly partition: number
  readonly offset: number
}

/** Offsets by `<topic>-<partition>`. */
export type PartitionOffsets = ReadonlyMap<string, number>

/** Undefined where the file is missing. Throws StorageError CORRUPT_FILE. */
export function readOffsets(disk: Disk, path: string): PartitionOffsets | undefined {
  const lines = readCheckpoint(disk, path)
  if (lines === undefined) return undefined
  const offsets = new Map<string, number>()
  for (const line of lines) {
    const match = /^(\S+) (\d+) (\d+)$/.exec(line)
    if (match === null) throw new StorageError('CORRUPT_FILE', `${path}: malformed line '${line}'`)
    offsets.set(`${match[1]}-${match[2]}`, Number(match[3]))
  }
  return offsets
}

/** One checkpoint file of offsets, written again and again without blocking, and only where something has changed. */
export class OffsetCheckpoint {
  readonly #path: string
  readonly #disk: Disk
  #written: string | undefined
  #queue: Promise<void> = Promise.resolve()

  constructor(options: { path: string }, deps: { disk: Disk }) {
    this.#path = options.path
    this.#disk = deps.disk
  }

  /** Replaces the file in one step, after earlier calls; its content is durable when this resolves. Rejects with DiskError. */
  write(entries: readonly PartitionOffset[]): Promise<void> {
    const lines = entries.map(({ topic, partition, offset }) => `${topic} ${partition} ${offset}`)
    const write = (): Promise<void> => this.#replace(lines)
    this.#queue = this.#queue.then(write, write)
    return this.#queue
  }

  async #replace(lines: readonly string[]): Promise<void> {
    const text = lines.join('\n')
    if (text === this.#written) return
    await writeCheckpoint(this.#disk, this.#path, lines)
    this.#written = text
  }
}
