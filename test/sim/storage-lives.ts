import { isTooManyFiles } from '../../broker/storage/errors.ts'
import type { LogManager } from '../../broker/storage/log-manager.ts'
import type { PartitionLog } from '../../broker/storage/log.ts'
import type { SimWorld } from '../fakes/env.ts'
import type { SimRandom } from '../fakes/random.ts'
import { hold } from './history.ts'
import type { Trace } from './simulation.ts'
import { LOG_DIRS, TOPICS } from './storage-options.ts'

/** The run whose logs these are. */
export interface StorageHost {
  readonly random: SimRandom
  readonly world: SimWorld
  readonly trace: Trace
  readonly manager: LogManager
  /** The process is killed, or power is lost, and it is started again. */
  crash(kind: 'kill' | 'power'): Promise<void>
  /** The process is killed, and started again with these log dirs only; no log is made. */
  reopen(logDirs: readonly string[]): Promise<void>
  /** From now on `topic` is another one of that name, without records. */
  renew(topic: string): void
  /** Makes the log of a topic that has none, in some log dir. */
  make(topic: string): Promise<PartitionLog>
  append(topic: string, log: PartitionLog): void
}

/** Logs that come, go and move while others are written to, and crashes on the way. */
export class StorageLives {
  readonly #host: StorageHost

  constructor(host: StorageHost) {
    this.#host = host
  }

  async step(topic: string, log: PartitionLog): Promise<void> {
    const dice = this.#host.random.below(5)
    if (dice < 2) await this.#replace(topic)
    else if (dice < 4) await this.#move(topic, log)
    else await this.#doWithout()
  }

  /** The topic is deleted, and made anew at once. */
  async #replace(topic: string): Promise<void> {
    const { random } = this.#host
    this.#host.trace.note(`replace ${topic}`)
    const deleted = this.#host.manager.delete(topic, 0)
    this.#host.renew(topic)
    if (random.chance(0.5)) await this.#crashDuring(deleted)
    else await this.#host.world.clock.runFor(deleted)
    const log = this.#host.manager.get(topic, 0) ?? (await this.#host.make(topic))
    this.#host.append(topic, log)
  }

  /** A replica goes to the other log dir, or does not after all. */
  async #move(topic: string, log: PartitionLog): Promise<void> {
    const { manager, random } = this.#host
    const to = LOG_DIRS.find((path) => path !== log.parentDirectory)
    hold(to !== undefined, 'there are two log dirs')
    manager.writeStaged()
    const future = await this.#host.world.clock.runFor(manager.createFuture(log, to))
    while (future.logEndOffset < log.logEndOffset) {
      const { buffers } = await this.#host.world.clock.runFor(
        Promise.resolve(log.read(future.logEndOffset, 3000, log.logEndOffset, true)),
      )
      for (const bytes of buffers) hold(future.appendAsFollower(bytes).ok, `${topic}: a copy refused what its log has`)
      future.writeStaged()
    }
    future.updateHighWatermark(log.highWatermark)
    future.incrementLogStartOffset(Math.min(log.logStartOffset, future.highWatermark))
    const isGivenUp = random.chance(0.3)
    this.#host.trace.note(`${isGivenUp ? 'do not ' : ''}move ${topic} to ${to}`)
    const done: Promise<unknown> = isGivenUp ? manager.deleteFuture(future) : manager.promote(future)
    if (random.chance(0.3)) await this.#crashDuring(done)
    else await this.#host.world.clock.runFor(done)
  }

  async #crashDuring(work: Promise<unknown>): Promise<void> {
    work.catch(() => undefined)
    await this.#host.world.clock.run(this.#host.random.fraction() * 20)
    await this.#host.crash(this.#host.random.chance(0.7) ? 'kill' : 'power')
  }

  /** A log dir is away for a while, and topics that it has logs of are made anew elsewhere. */
  async #doWithout(): Promise<void> {
    const { random } = this.#host
    const path = random.pick(LOG_DIRS)
    await this.#host.reopen([path])
    const missing = Object.keys(TOPICS).filter((topic) => this.#host.manager.get(topic, 0) === undefined)
    const renewed = missing.filter(() => random.chance(0.5))
    for (const topic of renewed) {
      this.#host.renew(topic)
      this.#host.append(topic, await this.#host.make(topic))
    }
    this.#host.trace.note(`only ${path}, anew: ${renewed.join()}`)
    // Of what was never synced a power loss may leave records without the id of their topic.
    await this.#host.crash('kill')
  }
}

/** A new segment begins, unless too many files are open. */
export function tryToRoll(log: PartitionLog): void {
  try {
    log.roll()
  } catch (error) {
    if (!isTooManyFiles(error)) throw error
  }
}
