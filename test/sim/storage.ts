import type { File } from '../../broker/env/disk.ts'
import type { Env } from '../../broker/env/env.ts'
import { randomUuid } from '../../broker/lib/uuid.ts'
import { buildBatch } from '../../broker/records/build.ts'
import { batches, readRecords } from '../../broker/records/read.ts'
import { DamagedBatchError } from '../../broker/storage/errors.ts'
import { LogManager } from '../../broker/storage/log-manager.ts'
import type { PartitionLog } from '../../broker/storage/log.ts'
import { SimWorld } from '../fakes/env.ts'
import type { SimMachine } from '../fakes/env.ts'
import { silentLogger } from '../fakes/logger.ts'
import type { SimRandom } from '../fakes/random.ts'
import { hold, PartitionHistory } from './history.ts'
import type { AppendedBatch } from './history.ts'
import type { Simulation, Trace } from './simulation.ts'
import { damage, damageEnd } from './storage-damage.ts'
import { type StorageHost, StorageLives, tryToRoll } from './storage-lives.ts'
import { FOLLOWED, LOG_DIRS, OPTIONS, TOPICS } from './storage-options.ts'

const STEPS = 250
const PRODUCERS = 3

/** The log manager alone: appends, reads, deletions, and crashes of the process and of the machine in between. */
export const storageSimulation: Simulation = {
  name: 'storage',
  seedsInTests: 20,
  run: (seed, trace) => new StorageRun(seed, trace).run(),
}

class StorageRun implements StorageHost {
  readonly trace: Trace
  readonly world: SimWorld
  readonly #machine: SimMachine
  readonly random: SimRandom
  readonly #histories = new Map(Object.keys(TOPICS).map((topic) => [topic, new PartitionHistory(topic)]))
  #env: Env
  manager!: LogManager
  readonly #topicIds = new Map<string, string>()
  readonly #lives: StorageLives
  #nextValue = 0

  constructor(seed: number, trace: Trace) {
    this.trace = trace
    this.world = new SimWorld({ seed, disk: { syncMsMax: 5, openFilesMax: 24 } })
    trace.nowMs = () => this.world.clock.monotonicMs()
    this.random = this.world.random.fork()
    this.#machine = this.world.machine('node')
    for (const path of LOG_DIRS) this.#machine.disk.makeDirectory(path)
    for (const path of ['/', '/disk']) this.#machine.disk.syncDirectory(path)
    this.#env = this.#machine.start()
    this.#lives = new StorageLives(this)
    for (const topic of this.#histories.keys()) this.renew(topic)
  }

  reopen(logDirs: readonly string[]): Promise<void> {
    this.#machine.kill()
    this.#env = this.#machine.start()
    return this.#load(logDirs)
  }

  renew(topic: string): void {
    this.#topicIds.set(topic, randomUuid(this.random))
    this.#histories.set(topic, new PartitionHistory(topic))
  }

  make(topic: string): Promise<PartitionLog> {
    const { id } = this.random.pick(this.manager.directories().filter(({ online }) => online))
    const topicId = this.#topicIds.get(topic) ?? null
    const config = TOPICS[topic] ?? OPTIONS.defaults
    return this.world.clock.runFor(this.manager.getOrCreate(topic, 0, topicId, config, true, id ?? undefined))
  }

  async run(): Promise<void> {
    await this.#open()
    for (let step = 0; step < STEPS; step++) await this.#step()
    await this.#restart()
    await this.#readEverything()
    if (this.random.chance(0.5)) await this.#loseEnds()
    else await this.#damage()
  }

  async #step(): Promise<void> {
    const dice = this.random.below(100)
    const topic = this.random.pick([...this.#histories.keys()])
    const log = this.#log(topic)
    if (dice < 60) this.append(topic, log)
    else if (dice < 64) this.#repeat(topic, log)
    else if (dice < 70) await this.#readSome(topic, log)
    else if (dice < 73) log.roll()
    else if (dice < 76) await this.#flush(topic, log)
    else if (dice < 78) this.#deleteRecords(topic, log)
    else if (dice < 80) await this.crash('kill')
    else if (dice < 82) await this.crash('power')
    else if (dice < 83) await this.#restart()
    else if (dice < 84) await this.#breakDirectory(log.parentDirectory)
    else if (dice < 85) await this.world.clock.run(this.random.between(300, 1500))
    else if (dice < 87) await this.#starve()
    else if (dice < 88) await this.#cut(this.#log(FOLLOWED))
    else if (dice < 89) await this.#lives.step(topic, log)
    else await this.world.clock.run(this.random.fraction() * 6)
    for (const name of this.#histories.keys()) this.#acknowledge(name)
  }

  async #open(): Promise<void> {
    await this.#load(LOG_DIRS)
    // What the broker finds in the metadata log, and what its administrator gives up.
    const isStray = ({ topic, topicId }: PartitionLog) => topicId !== null && topicId !== this.#topicIds.get(topic)
    await this.world.clock.runFor(this.manager.setAsideStrays(isStray))
    for (const future of this.manager.futures()) await this.world.clock.runFor(this.manager.deleteFuture(future))
    for (const topic of this.#histories.keys()) await this.make(topic)
  }

  async #load(logDirs: readonly string[]): Promise<void> {
    const { clock, disk, random, compute } = this.#env
    const deps = { clock, disk, random, compute, logger: silentLogger() }
    this.manager = await this.world.clock.runFor(LogManager.open({ ...OPTIONS, logDirs }, deps))
  }

  #log(topic: string): PartitionLog {
    const log = this.manager.get(topic, 0)
    hold(log !== undefined, `${topic}: the log is gone`)
    return log
  }

  #history(topic: string): PartitionHistory {
    const history = this.#histories.get(topic)
    hold(history !== undefined, `${topic}: no such topic`)
    return history
  }

  append(topic: string, log: PartitionLog): void {
    if (topic === FOLLOWED) this.#follow(log)
    else this.#lead(topic, log)
  }

  #lead(topic: string, log: PartitionLog): void {
    const producerId = this.random.below(PRODUCERS + 1) - 1
    const last = this.#history(topic).lastBatches().get(producerId)
    const values = Array.from({ length: this.random.between(1, 20) }, () => `${topic}-${this.#nextValue++}`)
    const isIdempotent = producerId >= 0
    const batch = {
      values,
      producerId,
      producerEpoch: isIdempotent ? 0 : -1,
      baseSequence: isIdempotent ? (last === undefined ? 0 : last.baseSequence + last.values.length) : -1,
    }
    const result = log.appendAsLeader(this.#bytes(batch), 0)
    if (!result.ok && this.#machine.disk.fault !== undefined) return
    hold(result.ok, `${topic}: an append was refused: ${result.ok ? '' : result.message}`)
    hold(!result.duplicate, `${topic}: a new batch was taken for a duplicate`)
    this.#history(topic).appended({ ...batch, baseOffset: result.baseOffset })
    this.trace.note(`append ${topic} ${result.baseOffset}-${result.lastOffset}`)
  }

  /** Batches as a leader gives them, now and then with a gap before one. */
  #follow(log: PartitionLog): void {
    const given: AppendedBatch[] = []
    let offset = log.logEndOffset
    for (let count = this.random.between(1, 3); count > 0; count--) {
      const baseOffset = offset + (this.random.chance(0.3) ? this.random.between(1, 30) : 0)
      const values = Array.from({ length: this.random.between(1, 10) }, () => `${FOLLOWED}-${this.#nextValue++}`)
      given.push({ values, baseOffset, producerId: -1, producerEpoch: -1, baseSequence: -1 })
      offset = baseOffset + values.length
    }
    const result = log.appendAsFollower(Buffer.concat(given.map((batch) => this.#bytes(batch))))
    if (!result.ok && this.#machine.disk.fault !== undefined) return
    hold(result.ok, `${FOLLOWED}: what the leader gave was refused: ${result.ok ? '' : result.message}`)
    for (const batch of given) this.#history(FOLLOWED).replicated(batch)
    this.trace.note(`append ${FOLLOWED} ${given.map(({ baseOffset }) => baseOffset).join()}-${offset - 1}`)
  }

  /** The leader says where the log differs from its own, which may be before what was deleted. What is left ends where a batch does. */
  async #cut(log: PartitionLog): Promise<void> {
    const history = this.#history(FOLLOWED)
    const [first = 0] = log.segmentBaseOffsets
    const asked = this.random.between(Math.max(first, log.logStartOffset - 50), log.logEndOffset)
    const end = history.endBefore(asked)
    if (end < first) return
    await this.world.clock.runFor(log.truncateTo(asked))
    hold(log.logEndOffset === end, `${FOLLOWED}: cut at ${asked}, and ends at ${log.logEndOffset}, not ${end}`)
    history.cut(end)
    this.trace.note(`cut ${FOLLOWED} ${asked}: ${end}`)
  }

  /** An idempotent producer that had no answer sends its last batch again. */
  #repeat(topic: string, log: PartitionLog): void {
    // Of batches below the log's start a recovery knows nothing, in Kafka either.
    const last = topic === FOLLOWED ? [] : [...this.#history(topic).lastBatches().values()]
    const sent = last.filter(({ baseOffset }) => baseOffset >= log.logStartOffset)
    if (sent.length === 0) return
    const batch = this.random.pick(sent)
    const result = log.appendAsLeader(this.#bytes(batch), 0)
    hold(result.ok && result.duplicate, `${topic}: a repeated batch was not recognized`)
    hold(result.baseOffset === batch.baseOffset, `${topic}: a repeated batch got another offset`)
    this.trace.note(`repeat ${topic} ${batch.baseOffset}`)
  }

  #bytes({ values, ...producer }: Omit<AppendedBatch, 'baseOffset'>): Uint8Array {
    const records = values.map((value) => ({ key: null, value: Buffer.from(value) }))
    return buildBatch({ records, baseTimestampMs: this.world.clock.wallMs(), ...producer })
  }

  /** What the log calls acknowledgeable a producer may have been told. */
  #acknowledge(topic: string): void {
    const log = this.manager.get(topic, 0)
    if (log === undefined) return
    log.updateHighWatermark(log.acknowledgeableOffset)
    if (log.config.flushMessages === 1) this.#history(topic).acknowledge(log.acknowledgeableOffset)
  }

  async #flush(topic: string, log: PartitionLog): Promise<void> {
    const { endOffset } = this.#history(topic)
    await this.world.clock.runFor(log.flush())
    this.#history(topic).acknowledge(endOffset)
    this.trace.note(`flush ${topic} ${endOffset}`)
  }

  #deleteRecords(topic: string, log: PartitionLog): void {
    const offset = this.random.between(log.logStartOffset, log.highWatermark)
    log.incrementLogStartOffset(offset)
    this.#history(topic).deletedBefore(offset)
    this.trace.note(`delete ${topic} ${offset}`)
  }

  async #readSome(topic: string, log: PartitionLog): Promise<void> {
    const offset = this.random.between(log.logStartOffset, log.logEndOffset)
    const maxBytes = this.random.between(1, 3000)
    const next = await this.#read(topic, log, offset, maxBytes)
    this.trace.note(`read ${topic} ${offset}-${next}`)
  }

  /** Checks what one read gives; returns the offset behind it. */
  async #read(topic: string, log: PartitionLog, offset: number, maxBytes: number): Promise<number> {
    const found = log.read(offset, maxBytes, Infinity, true)
    const slice = found instanceof Promise ? await this.world.clock.runFor(found) : found
    const history = this.#history(topic)
    let next = offset
    let due = history.nextFrom(offset)
    for (const view of slice.buffers.flatMap((buffer) => [...batches(buffer, { torn: 'throw' })])) {
      hold(view.computeCrc() === view.crc, `${topic}: a batch at ${view.baseOffset} is corrupt`)
      for (const record of readRecords(view, this.#env.compute)) {
        history.check(record.offset, Buffer.from(record.value ?? []).toString())
        if (record.offset < offset) continue
        hold(record.offset === due, `${topic}: ${record.offset} is read where ${due} should be`)
        due = history.nextFrom(due + 1)
      }
      next = view.nextOffset
    }
    return next
  }

  async #readEverything(): Promise<void> {
    for (const topic of this.#histories.keys()) await this.#readAll(topic)
  }

  async #readAll(topic: string): Promise<void> {
    const log = this.#log(topic)
    for (let offset = log.logStartOffset; offset < log.logEndOffset;) {
      const next = await this.#read(topic, log, offset, 5000)
      hold(next > offset, `${topic}: nothing to read at ${offset}, before the end ${log.logEndOffset}`)
      offset = next
    }
  }

  async crash(kind: 'kill' | 'power'): Promise<void> {
    const mustHave = new Map([...this.#histories.keys()].map((topic) => [topic, this.#mustSurvive(topic, kind)]))
    if (kind === 'power') this.#machine.losePower()
    else this.#machine.kill()
    this.#env = this.#machine.start()
    await this.#open()
    const bounds: string[] = []
    for (const [topic, history] of this.#histories) {
      const { logStartOffset, logEndOffset } = this.#log(topic)
      bounds.push(`${topic} ${logStartOffset}-${logEndOffset}`)
      history.recovered(logStartOffset, logEndOffset, mustHave.get(topic))
    }
    this.trace.note(`${kind}: ${bounds.join(', ')}`)
    await this.#readEverything()
  }

  /** A killed process leaves what it has written in the page cache; a power loss takes all that was not synced. */
  #mustSurvive(topic: string, kind: 'kill' | 'power'): number {
    const { acknowledged } = this.#history(topic)
    if (kind === 'power') return acknowledged
    const log = this.manager.get(topic, 0)
    return log !== undefined && log.config.flushMessages > 10 ? log.acknowledgeableOffset : acknowledged
  }

  /** One log dir fails under load; the logs of the other go on, and nothing acknowledged is lost when the disk is back. */
  async #breakDirectory(path: string): Promise<void> {
    const operation = this.random.pick(['sync', 'write'] as const)
    const failing = (name: string, of: string) => name === operation && of.startsWith(`${path}/`)
    this.#machine.disk.fault = (name, of) => (failing(name, of) ? 'EIO' : undefined)
    for (const topic of this.#histories.keys()) {
      const log = this.manager.get(topic, 0)
      if (log !== undefined) this.append(topic, log)
    }
    await this.world.clock.run(10)
    const online = [...this.#histories.keys()].filter((topic) => this.manager.get(topic, 0) !== undefined)
    for (const topic of online) {
      hold(
        !this.#log(topic).directory.startsWith(`${path}/`) || operation === 'sync',
        `${topic}: writes failed, yet it is online`,
      )
      this.#acknowledge(topic)
    }
    this.trace.note(`${operation} fails in ${path}, online: ${online.join()}`)
    this.#machine.disk.fault = undefined
    await this.crash('power')
  }

  /** Others take all descriptors that are left: what is refused then is refused as a whole, and all goes on when they give them back. */
  async #starve(): Promise<void> {
    const { disk } = this.#machine
    const taken: File[] = []
    while (disk.openFiles < disk.openFilesMax) taken.push(disk.open('/socket', 'openOrCreate'))
    disk.fault = () => undefined
    for (let count = this.random.between(1, 12); count > 0; count--) {
      const topic = this.random.pick([...this.#histories.keys()])
      if (this.random.chance(0.2)) tryToRoll(this.#log(topic))
      else this.append(topic, this.#log(topic))
      if (this.random.chance(0.3)) await this.world.clock.run(this.random.fraction() * 6)
    }
    disk.fault = undefined
    this.trace.note(`${taken.length} descriptors were missing`)
    for (const file of taken) file.close()
  }

  /** The last sectors of logs go bad that were closed in order: none ends behind what was appended, or within a batch, and nothing damaged is read. */
  async #loseEnds(): Promise<void> {
    const { disk } = this.#machine
    const directories = [...this.#histories.keys()].map((topic) => this.#log(topic).directory)
    await this.world.clock.runFor(this.manager.shutdown())
    for (const directory of directories) damageEnd(disk, directory)
    this.#machine.kill()
    this.#env = this.#machine.start()
    await this.#open()
    for (const [topic, history] of this.#histories) {
      const { logStartOffset, logEndOffset } = this.#log(topic)
      history.recovered(logStartOffset, logEndOffset, 0)
      await this.#readAll(topic).catch((error: unknown) => {
        if (!(error instanceof DamagedBatchError)) throw error
        this.trace.note(`${topic}: ${error.message}`)
      })
    }
  }

  /** Something goes bad in each log that is closed, or was cut off: nothing damaged is read, nothing is passed over, and what is sound before it is there. */
  async #damage(): Promise<void> {
    const { disk } = this.#machine
    const kind = this.random.pick(['shutdown', 'kill', 'power'] as const)
    if (kind === 'shutdown') await this.#shutdown()
    const logs = [...this.#histories.keys()].map((topic) => {
      const mustHave = this.#mustSurvive(topic, kind === 'power' ? 'power' : 'kill')
      return { topic, mustHave, directory: this.#log(topic).directory }
    })
    if (kind === 'power') this.#machine.losePower()
    else this.#machine.kill()
    const hasCrashed = kind !== 'shutdown'
    const damaged = logs.map(({ directory, ...log }) => ({
      ...log,
      soundTo: damage(disk, directory, this.random, { hasCrashed, hasGaps: log.topic === FOLLOWED }),
    }))
    this.#env = this.#machine.start()
    await this.#open()
    for (const { topic, mustHave, soundTo } of damaged) {
      const { logStartOffset, logEndOffset } = this.#log(topic)
      this.trace.note(`${kind}: ${topic} is sound to ${soundTo}, ${logStartOffset}-${logEndOffset}`)
      this.#history(topic).recovered(logStartOffset, logEndOffset, Math.min(mustHave, soundTo))
      await this.#readDamaged(topic, soundTo)
    }
  }

  async #readDamaged(topic: string, soundTo: number): Promise<void> {
    const [log, history] = [this.#log(topic), this.#history(topic)]
    for (let offset = log.logStartOffset; offset < log.logEndOffset; offset += this.random.between(1, 20)) {
      try {
        const next = await this.#read(topic, log, offset, this.random.between(1, 3000))
        hold(next > offset, `${topic}: nothing to read at ${offset}, before the end ${log.logEndOffset}`)
      } catch (error) {
        if (!(error instanceof DamagedBatchError)) throw error
        hold(
          history.nextFrom(offset) >= soundTo,
          `${topic}: ${offset} cannot be read, though all is sound before ${soundTo}`,
        )
      }
    }
  }

  async #shutdown(): Promise<void> {
    await this.world.clock.runFor(this.manager.shutdown())
    for (const history of this.#histories.values()) history.acknowledge(history.endOffset)
  }

  async #restart(): Promise<void> {
    await this.#shutdown()
    await this.crash('kill')
  }
}
