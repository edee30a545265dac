import { type Disk, DiskError } from '../env/disk.ts'
import type { Random } from '../env/random.ts'
import { randomUuid } from '../lib/uuid.ts'
import { OffsetCheckpoint, type PartitionOffset, type PartitionOffsets, readOffsets } from './checkpoint-file.ts'
import { DirectoryNames } from './directory-names.ts'
import { StorageError } from './errors.ts'
import { GroupFlusher } from './flusher.ts'
import type { PartitionLog } from './log.ts'
import type { Logger } from '../telemetry/logger.ts'
import { type MetaProperties, readMetaProperties, writeMetaProperties } from './meta-properties.ts'
import {
  CLEAN_SHUTDOWN_FILE,
  HIGH_WATERMARK_FILE,
  LOCK_FILE,
  LOG_START_OFFSET_FILE,
  RECOVERY_POINT_FILE,
} from './names.ts'

const CLEAN_SHUTDOWN_VERSION = 0
/** Segments that cannot be read, with which a disk is still taken for one that works. */
const UNREADABLE_MAX = 2
/** Where no epoch is known. */
export const NO_BROKER_EPOCH = -1

export interface LogDirectoryDeps {
  readonly disk: Disk
  readonly random: Random
  readonly logger: Logger
}

/** What the checkpoint files of a log dir said at the start, by `<topic>-<partition>`. */
export interface StartOffsets {
  /** Undefined where there is no such file, or a damaged one. */
  readonly recoveryPoints: PartitionOffsets | undefined
  readonly logStartOffsets: PartitionOffsets
  readonly highWatermarks: PartitionOffsets
}

/** One of `log.dirs`: its identity, its lock, its checkpoint files. */
export class LogDirectory {
  readonly path: string
  readonly id: string
  /** Whether the last run ended with `close`. */
  readonly hadCleanShutdown: boolean
  /** Those of the logs' directories. */
  readonly names: DirectoryNames
  /** Logs that are here, or are being made here: new ones go where there are fewest. */
  logCount = 0
  /** Names of the logs that the checkpoints told of at the start. */
  toldOf: ReadonlySet<string> = new Set()
  readonly #disk: Disk
  readonly #logger: Logger
  readonly #lock: { release(): void }
  readonly #recoveryPoints: OffsetCheckpoint
  readonly #logStartOffsets: OffsetCheckpoint
  readonly #highWatermarks: OffsetCheckpoint
  #lowered: GroupFlusher | undefined
  readonly #unreadable = new Set<string>()
  #online = true
  #brokerEpochAtShutdown: number

  private constructor(path: string, id: string, lock: { release(): void }, deps: LogDirectoryDeps) {
    this.path = path
    this.id = id
    this.#disk = deps.disk
    this.#logger = deps.logger
    this.#lock = lock
    this.names = new DirectoryNames({ path }, deps)
    this.#recoveryPoints = new OffsetCheckpoint({ path: `${path}/${RECOVERY_POINT_FILE}` }, deps)
    this.#logStartOffsets = new OffsetCheckpoint({ path: `${path}/${LOG_START_OFFSET_FILE}` }, deps)
    this.#highWatermarks = new OffsetCheckpoint({ path: `${path}/${HIGH_WATERMARK_FILE}` }, deps)
    const marker = `${path}/${CLEAN_SHUTDOWN_FILE}`
    this.hadCleanShutdown = deps.disk.exists(marker)
    this.#brokerEpochAtShutdown = this.hadCleanShutdown ? epochIn(deps.disk.readFile(marker)) : NO_BROKER_EPOCH
    // From here on the shutdown is unclean until `close` says otherwise.
    deps.disk.remove(marker)
    deps.disk.syncDirectory(path)
  }

  /**
   * Takes the directory into use: made and given an id where it has none. Throws StorageError INCONSISTENT_CLUSTER_ID where it belongs to
   * another cluster or node, KAFKA_STORAGE_ERROR where another process has it, CORRUPT_FILE; DiskError.
   */
  static open(path: string, owner: { clusterId: string; nodeId: number }, deps: LogDirectoryDeps): LogDirectory {
    const { disk, random } = deps
    disk.makeDirectory(path)
    const lock = disk.lock(`${path}/${LOCK_FILE}`)
    if (lock === null) {
      throw new StorageError(
        'KAFKA_STORAGE_ERROR',
        `Failed to acquire lock on file .lock in ${path}. A Kafka instance in another process or thread is using this directory.`,
      )
    }
    try {
      const meta = readMetaProperties(disk, path)
      checkOwner(path, meta, owner)
      const id = meta?.directoryId ?? randomUuid(random)
      if (meta?.directoryId === undefined) writeMetaProperties(disk, path, { ...owner, directoryId: id })
      return new LogDirectory(path, id, lock, deps)
    } catch (error) {
      lock.release()
      throw error
    }
  }

  get online(): boolean {
    return this.#online
  }

  /** Of the last run, where that ended with `close` and all that it left is there; else -1. */
  get brokerEpochAtShutdown(): number {
    return this.#brokerEpochAtShutdown
  }

  /** A log has lost what was durable: as after a crash, nobody may count on what was acknowledged here. */
  hasLostRecords(): void {
    this.#brokerEpochAtShutdown = NO_BROKER_EPOCH
  }

  /** A sealed segment here cannot be read: whether only that is lost. Where it is one of several, the disk has failed. */
  isTolerable(path: string): boolean {
    if (!this.#unreadable.has(path)) this.#logger.error({ path }, 'a segment cannot be read')
    this.#unreadable.add(path)
    return this.#unreadable.size <= UNREADABLE_MAX
  }

  /** A damaged checkpoint costs a longer recovery, no data. */
  startOffsets(): StartOffsets {
    const recoveryPoints = this.#read(RECOVERY_POINT_FILE)
    const logStartOffsets: PartitionOffsets = this.#read(LOG_START_OFFSET_FILE) ?? new Map()
    const highWatermarks: PartitionOffsets = this.#read(HIGH_WATERMARK_FILE) ?? new Map()
    this.toldOf = new Set([...(recoveryPoints?.keys() ?? []), ...logStartOffsets.keys(), ...highWatermarks.keys()])
    return { recoveryPoints, logStartOffsets, highWatermarks }
  }

  #read(name: string): PartitionOffsets | undefined {
    try {
      return readOffsets(this.#disk, `${this.path}/${name}`)
    } catch (error) {
      if (!(error instanceof StorageError)) throw error
      this.#logger.warn({ err: error }, 'a checkpoint is damaged: its offsets start at 0')
      return undefined
    }
  }

  /** Of logs that are in this directory. Rejects with DiskError. */
  writeRecoveryPoints(logs: readonly PartitionLog[]): Promise<void> {
    return this.#recoveryPoints.write(logs.map((log) => entry(log, log.notedRecoveryPoint)))
  }

  writeLogStartOffsets(logs: readonly PartitionLog[]): Promise<void> {
    // Where the first segment begins needs no note.
    const moved = logs.filter((log) => log.logStartOffset > (log.segmentBaseOffsets[0] ?? 0))
    return this.#logStartOffsets.write(moved.map((log) => entry(log, log.logStartOffset)))
  }

  writeHighWatermarks(logs: readonly PartitionLog[]): Promise<void> {
    return this.#highWatermarks.write(logs.map((log) => entry(log, log.highWatermark)))
  }

  /** What becomes less where a log is cut, of those that `logs` gives then, always the same; durable when it resolves. Rejects with DiskError. */
  writeLowered(logs: () => readonly PartitionLog[]): Promise<void> {
    this.#lowered ??= new GroupFlusher(async () => {
      await this.writeRecoveryPoints(logs())
      await this.writeLogStartOffsets(logs())
      await this.#disk.syncDirectoryAsync(this.path)
    })
    return this.#lowered.flush()
  }

  /** All three. */
  async writeOffsets(logs: readonly PartitionLog[]): Promise<void> {
    await this.writeRecoveryPoints(logs)
    await this.writeLogStartOffsets(logs)
    await this.writeHighWatermarks(logs)
  }

  /** Nothing is written here any more. */
  fail(): void {
    this.#online = false
    this.#releaseLock()
  }

  /** Marks the shutdown clean: every log is closed and the checkpoints are written. */
  close(brokerEpoch: number): void {
    // Who has not joined the cluster has acknowledged nothing, and has all that the run before it had.
    const epoch = brokerEpoch === NO_BROKER_EPOCH ? this.#brokerEpochAtShutdown : brokerEpoch
    const marker = JSON.stringify({ version: CLEAN_SHUTDOWN_VERSION, brokerEpoch: epoch })
    this.#disk.replaceFile(`${this.path}/${CLEAN_SHUTDOWN_FILE}`, new TextEncoder().encode(marker))
    this.#releaseLock()
  }

  #releaseLock(): void {
    try {
      this.#lock.release()
    } catch (error) {
      if (!(error instanceof DiskError)) throw error
    }
  }
}

function entry({ topic, partition }: PartitionLog, offset: number): PartitionOffset {
  return { topic, partition, offset }
}

/** Throws StorageError INCONSISTENT_CLUSTER_ID where a log dir that was formatted belongs to another cluster or node. */
export function checkOwner(
  path: string,
  meta: MetaProperties | null,
  owner: { clusterId: string; nodeId: number },
): void {
  if (meta === null) return
  const { clusterId, nodeId } = meta
  if (clusterId !== owner.clusterId) {
    throw new StorageError(
      'INCONSISTENT_CLUSTER_ID',
      `Invalid cluster.id in ${path}: expected ${owner.clusterId}, found ${clusterId}`,
    )
  }
  if (nodeId !== owner.nodeId) {
    throw new StorageError(
      'INCONSISTENT_CLUSTER_ID',
      `Stored node id ${nodeId} in ${path} is not node.id ${owner.nodeId}`,
    )
  }
}

function epochIn(marker: Uint8Array): number {
  try {
    const content: unknown = JSON.parse(new TextDecoder().decode(marker))
    if (typeof content !== 'object' || content === null || !('brokerEpoch' in content)) return NO_BROKER_EPOCH
    return typeof content.brokerEpoch === 'number' ? content.brokerEpoch : NO_BROKER_EPOCH
  } catch {
    return NO_BROKER_EPOCH
  }
}
