import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { BatchView } from '../../../broker/records/batch.ts'
import type { LogConfig } from '../../../broker/storage/log-config.ts'
import type { PartitionLog } from '../../../broker/storage/log.ts'
import { scanBatches } from '../../../broker/storage/scan.ts'
import { append, batchOf, DIRECTORY, LogBed, readAll } from './fixture.ts'

const CONFIG = { segmentBytes: 700, indexIntervalBytes: 150, segmentIndexBytes: 480 }
const PRODUCER = 11

type Step =
  | { readonly kind: 'append'; readonly batches: number; readonly bytes: number }
  | { readonly kind: 'flush' | 'roll' | 'retention' | 'producer' }
  | { readonly kind: 'truncate'; readonly back: number }

const steps = fc.array(
  fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({
        kind: fc.constant('append' as const),
        batches: fc.integer({ min: 1, max: 4 }),
        bytes: fc.integer({ min: 0, max: 300 }),
      }),
    },
    { weight: 2, arbitrary: fc.constant({ kind: 'producer' as const }) },
    { weight: 2, arbitrary: fc.constant({ kind: 'flush' as const }) },
    { weight: 1, arbitrary: fc.constant({ kind: 'roll' as const }) },
    { weight: 1, arbitrary: fc.constant({ kind: 'retention' as const }) },
    {
      weight: 1,
      arbitrary: fc.record({ kind: fc.constant('truncate' as const), back: fc.integer({ min: 1, max: 6 }) }),
    },
  ),
  { minLength: 1, maxLength: 40 },
)

/** Drives one log and knows what it must hold. */
class Driver {
  readonly bed: LogBed
  log!: PartitionLog
  /** The value at each offset; those before the log's start included. */
  values: string[] = []
  /** Everything below survives a power loss. */
  durable = 0
  sequence = 0
  epoch = 0
  retainedFrom = 0
  #serial = 0
  #recoveryPoint = 0

  readonly #config: Partial<LogConfig>

  constructor(seed: number, options: { readonly preallocate: boolean }) {
    this.#config = { ...CONFIG, ...options }
    this.bed = new LogBed({ seed })
    // Files are closed and opened again all the time.
    this.bed.openFilesMax = 2
  }

  async open(): Promise<void> {
    this.log = await this.bed.open(this.#config, { recoveryPoint: this.#recoveryPoint })
  }

  async step(step: Step): Promise<void> {
    if (step.kind === 'append') this.#append(step.batches, step.bytes)
    else if (step.kind === 'producer') this.#produce()
    else if (step.kind === 'roll') this.log.roll()
    else if (step.kind === 'flush') await this.#flush()
    else if (step.kind === 'truncate') await this.#truncate(step.back)
    else this.#retain()
  }

  #append(batches: number, bytes: number): void {
    for (let i = 0; i < batches; i++) {
      const value = `${this.#serial++}:${'x'.repeat(bytes)}`
      this.log.appendAsLeader(batchOf({ values: [value] }), this.epoch)
      this.values.push(value)
    }
    this.log.writeStaged()
  }

  #produce(): void {
    const value = `p${this.#serial++}`
    append(
      this.log,
      { values: [value], producerId: PRODUCER, producerEpoch: this.epoch, baseSequence: this.sequence++ },
      this.epoch,
    )
    this.values.push(value)
  }

  async #flush(): Promise<void> {
    await this.log.flush()
    this.durable = this.log.logEndOffset
    this.#recoveryPoint = this.log.notedRecoveryPoint
  }

  async #truncate(back: number): Promise<void> {
    const offset = Math.max(this.log.logStartOffset, this.log.logEndOffset - back)
    this.durable = Math.min(this.durable, offset)
    await this.log.truncateTo(offset)
    this.#recoveryPoint = Math.min(this.#recoveryPoint, this.log.notedRecoveryPoint)
    this.values.length = offset
    this.newEpoch()
  }

  #retain(): void {
    this.log.updateHighWatermark(Math.floor(this.log.logEndOffset / 2))
    this.log.updateConfig({ ...this.log.config, retentionBytes: 1500 })
    this.log.deleteOldSegments(this.bed.clock.wallMs())
    this.retainedFrom = Math.max(this.retainedFrom, this.log.logStartOffset)
  }

  /** As a leader begins; producers begin anew with it, which keeps the test's own book simple. */
  newEpoch(): void {
    this.epoch++
    this.sequence = 0
  }

  /** Compares what a start finds with what must, and may, be there. */
  async check(mustHave: number): Promise<void> {
    const { log } = this
    expect(log.logEndOffset).toBeGreaterThanOrEqual(mustHave)
    expect(log.logEndOffset).toBeLessThanOrEqual(this.values.length)
    expect(await readAll(log, 400)).toEqual(this.values.slice(log.logStartOffset, log.logEndOffset))
    for (let offset = log.logStartOffset; offset < log.logEndOffset; offset++) {
      const slice = await log.read(offset, 1, Infinity, true)
      expect(slice.baseOffset).toBe(offset)
    }
    await this.#checkEpochs()
    this.values.length = log.logEndOffset
    this.newEpoch()
  }

  /** The epoch cache and the producers agree with the batches. */
  async #checkEpochs(): Promise<void> {
    const { log } = this
    let lastSequence: number | undefined
    for (let offset = log.logStartOffset; offset < log.logEndOffset; offset++) {
      const slice = await log.read(offset, 1, Infinity, true)
      const view = new BatchView(slice.buffers[0] ?? new Uint8Array())
      // Retention that a crash undid has taken the epochs of what is there again.
      if (offset >= this.retainedFrom) expect(log.leaderEpochs.epochFor(offset)).toBe(view.partitionLeaderEpoch)
      if (view.producerId === PRODUCER) lastSequence = view.baseSequence
    }
    if (lastSequence !== undefined) expect(log.producers.entry(PRODUCER)?.lastSequence).toBe(lastSequence)
    expect(log.leaderEpochs.entries.filter(({ startOffset }) => startOffset > log.logEndOffset)).toEqual([])
  }
}

describe('whatever a log was doing', () => {
  test('a power loss costs nothing that was synced, and leaves whole batches only', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 1e9 }),
        fc.boolean(),
        fc.array(steps, { minLength: 1, maxLength: 4 }),
        async (seed, preallocate, runs) => {
          const driver = new Driver(seed, { preallocate })
          await driver.open()
          for (const run of runs) {
            for (const step of run) await driver.step(step)
            driver.bed.disk.losePower()
            await driver.open()
            await driver.check(driver.durable)
            driver.durable = Math.min(driver.durable, driver.log.logEndOffset)
          }
        },
      ),
      { numRuns: 150 },
    )
  })

  test('kill -9 costs nothing that was written', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 1e9 }),
        fc.boolean(),
        fc.array(steps, { minLength: 1, maxLength: 4 }),
        async (seed, preallocate, runs) => {
          const driver = new Driver(seed, { preallocate })
          await driver.open()
          for (const run of runs) {
            for (const step of run) await driver.step(step)
            driver.bed.disk.killProcess()
            await driver.open()
            await driver.check(driver.values.length)
          }
        },
      ),
      { numRuns: 100 },
    )
  })

  test('a failure of any one operation of the disk loses nothing acknowledged and synced', async () => {
    const operations = ['write', 'sync', 'truncate', 'open', 'rename', 'remove'] as const
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 1e9 }),
        steps,
        fc.integer({ min: 0, max: 60 }),
        fc.constantFrom(...operations),
        async (seed, run, at, failing) => {
          const driver = new Driver(seed, { preallocate: false })
          await driver.open()
          let count = 0
          driver.bed.disk.fault = (operation) => (operation === failing && count++ === at ? 'EIO' : undefined)
          for (const step of run) {
            try {
              await driver.step(step)
            } catch {
              break
            }
            if (driver.log.isFailed) break
          }
          const acknowledged = driver.log.acknowledgeableOffset
          driver.bed.disk.fault = undefined
          driver.bed.disk.killProcess()
          await driver.open()
          const { log } = driver
          expect(log.logEndOffset).toBeGreaterThanOrEqual(Math.min(acknowledged, driver.durable))
          await expectWhole(driver.bed, log)
        },
      ),
      { numRuns: 200 },
    )
  })
})

/** Every `.log` file is whole batches to its end. */
async function expectWhole(bed: LogBed, log: PartitionLog): Promise<void> {
  for (const baseOffset of log.segmentBaseOffsets) {
    const path = `${DIRECTORY}/${String(baseOffset).padStart(20, '0')}.log`
    const file = bed.disk.open(path, 'read')
    let next = baseOffset
    const end = await scanBatches(
      { read: (target, position) => file.readAsync(target, position) },
      { from: 0, to: file.size() },
      (view) => {
        expect(view.baseOffset).toBe(next)
        expect(view.computeCrc()).toBe(view.crc)
        next = view.nextOffset
        return true
      },
    )
    expect(end).toBe(file.size())
  }
}
