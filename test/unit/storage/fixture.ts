import type { CodecName, Compute } from '../../../broker/env/compute.ts'
import { DiskError } from '../../../broker/env/disk.ts'
import { type BatchOptions, buildBatch } from '../../../broker/records/build.ts'
import type { BatchView } from '../../../broker/records/batch.ts'
import { batches, readRecords } from '../../../broker/records/read.ts'
import { DEFAULT_LOG_CONFIG, type LogConfig } from '../../../broker/storage/log-config.ts'
import type { LogSlice } from '../../../broker/storage/read.ts'
import { PartitionLog, type PartitionLogOptions } from '../../../broker/storage/log.ts'
import { DirectoryNames } from '../../../broker/storage/directory-names.ts'
import { OpenFiles } from '../../../broker/storage/open-files.ts'
import { TailCache } from '../../../broker/storage/tail-cache.ts'
import { SimClock } from '../../fakes/clock.ts'
import { SimDisk } from '../../fakes/disk.ts'
import { silentLogger } from '../../fakes/logger.ts'
import { SimRandom } from '../../fakes/random.ts'

export const DIRECTORY = '/data/orders-0'

/** Index files are given their full size: that of production would fill the simulated disk. */
export const TEST_CONFIG: LogConfig = { ...DEFAULT_LOG_CONFIG, segmentIndexBytes: 12_000 }

/** Records here are not compressed. */
export const NO_COMPUTE: Compute = {
  compress: refuse,
  decompress: refuse,
  compressSync: refuse,
  decompressSync: refuse,
  decompressBriefly: refuse,
  inTurn: (work) => work(),
}

function refuse(codec: CodecName): never {
  throw new Error(`nothing is compressed in this test, not with ${codec}`)
}

/** One log on a simulated disk, and what happened to it. */
export class LogBed {
  readonly clock: SimClock
  readonly disk: SimDisk
  readonly random: SimRandom
  readonly failures: DiskError[] = []
  staged: PartitionLog[] = []
  /** 0: every read goes to the files. */
  cacheBytes = 0
  openFilesMax = 100

  constructor(options: { seed?: number; capacityBytes?: number } = {}) {
    this.clock = new SimClock()
    this.random = new SimRandom(options.seed ?? 1)
    const capacity = options.capacityBytes === undefined ? {} : { capacityBytes: options.capacityBytes }
    this.disk = new SimDisk(capacity, { random: this.random.fork(), clock: this.clock })
    this.disk.makeDirectory('/data')
    this.disk.syncDirectory('/')
  }

  /** The disk for this process only: what it was about to do when it was killed is not done. */
  #processDisk(): SimDisk {
    const { process } = this.disk
    return new Proxy(this.disk, {
      get: (disk, key): unknown => {
        if (disk.process !== process) throw new DiskError('EIO', DIRECTORY, 'the process is gone')
        const member: unknown = Reflect.get(disk, key, disk)
        return typeof member === 'function' ? (member.bind(disk) as unknown) : member
      },
    })
  }

  open(config: Partial<LogConfig> = {}, options: Partial<PartitionLogOptions> = {}): Promise<PartitionLog> {
    const disk = this.#processDisk()
    return PartitionLog.open(
      {
        directory: DIRECTORY,
        topic: 'orders',
        partition: 0,
        topicId: null,
        config: { ...TEST_CONFIG, ...config },
        recoveryPoint: 0,
        logStartOffset: 0,
        hadCleanShutdown: false,
        producerIdExpirationMs: () => 86_400_000,
        ...options,
      },
      {
        disk,
        files: new OpenFiles({ max: this.openFilesMax }, { disk }),
        parentNames: new DirectoryNames({ path: '/data' }, { disk }),
        clock: this.clock,
        random: this.random,
        compute: NO_COMPUTE,
        logger: silentLogger(),
        tailCache: new TailCache({ budgetBytes: this.cacheBytes }),
        onStaged: (log) => this.staged.push(log),
        onFailure: (error) => this.failures.push(error),
      },
    )
  }
}

export interface TestBatch extends Partial<BatchOptions> {
  /** The records' values, as text. */
  readonly values?: readonly string[]
}

export function batchOf(options: TestBatch = {}): Uint8Array {
  const { values = ['a'], ...rest } = options
  const records = values.map((value) => ({ key: null, value: new TextEncoder().encode(value) }))
  return buildBatch({ records, baseTimestampMs: 1_700_000_000_000, ...rest })
}

/** Appends one batch as the leader of epoch 0 and writes it. */
export function append(log: PartitionLog, options: TestBatch = {}, leaderEpoch = 0): void {
  const result = log.appendAsLeader(batchOf(options), leaderEpoch)
  if (!result.ok) throw new Error(`${result.error}: ${result.message}`)
  log.writeStaged()
}

export function views(slice: LogSlice): BatchView[] {
  return slice.buffers.flatMap((bytes) => [...batches(bytes, { torn: 'throw' })])
}

export function valuesOf(slice: LogSlice): string[] {
  return views(slice).flatMap((view) =>
    [...readRecords(view, NO_COMPUTE)].map(({ value }) => new TextDecoder().decode(value ?? undefined)),
  )
}

/** All values of the log, read in slices of at most `maxBytes`. */
export async function readAll(log: PartitionLog, maxBytes = 1 << 20): Promise<string[]> {
  const values: string[] = []
  for (let offset = log.logStartOffset; offset < log.logEndOffset;) {
    const slice = await log.read(offset, maxBytes, Infinity, true)
    const last = views(slice).at(-1)
    if (last === undefined) break
    values.push(...valuesOf(slice))
    offset = last.nextOffset
  }
  return values
}
