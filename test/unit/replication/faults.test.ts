import { expect, test } from '@jest/globals'
import { ErrorCode } from '../../../broker/protocol/errors.ts'
import { SimRandom } from '../../fakes/random.ts'
import { TestCluster } from './cluster.ts'

const BROKERS = [1, 2, 3]
const STEPS = 60

/** A controller that keeps its promises, and a producer that goes on whatever happens, while brokers die and links fail. */
class Ordeal {
  readonly #cluster: TestCluster
  readonly #random: SimRandom
  readonly #down = new Set<number>()
  readonly #cut = new Set<string>()
  readonly acknowledged: string[] = []
  #next = 0

  private constructor(cluster: TestCluster, seed: number) {
    this.#cluster = cluster
    this.#random = new SimRandom(seed)
  }

  static async start(seed: number): Promise<Ordeal> {
    const properties =
      'min.insync.replicas=2\nreplica.lag.time.max.ms=3000\nreplica.socket.timeout.ms=2000\nlog.flush.interval.messages=1\n'
    const cluster = await TestCluster.start(3, { seed, properties })
    cluster.createTopic(BROKERS)
    await cluster.run(100)
    return new Ordeal(cluster, seed)
  }

  async step(): Promise<void> {
    const dice = this.#random.below(20)
    if (dice < 10) this.#produce()
    else if (dice < 12) await this.#kill()
    else if (dice < 14) await this.#revive()
    else if (dice < 16) this.#cutLink()
    else if (dice < 18) this.#healLinks()
    else this.#elect()
    await this.#cluster.run(this.#random.below(40) * this.#random.below(40))
  }

  #produce(): void {
    const { leader } = this.#cluster.controller.partition()
    if (leader === -1 || this.#down.has(leader)) return
    const value = `v${this.#next++}`
    void this.#cluster
      .broker(leader)
      .produce([value], 0, 5000)
      .then((error) => {
        if (error === ErrorCode.NONE) this.acknowledged.push(value)
      })
  }

  async #kill(): Promise<void> {
    const id = BROKERS[this.#random.below(3)] ?? 1
    if (this.#down.has(id)) return
    this.#down.add(id)
    if (this.#random.below(2) === 0) this.#cluster.kill(id)
    else this.#cluster.losePower(id)
    await this.#cluster.run(this.#random.below(1000))
    this.#cluster.fence(id)
    this.#electIfNeeded()
  }

  async #revive(): Promise<void> {
    for (const id of this.#down) {
      await this.#cluster.boot(id)
      this.#cluster.unfence(id)
      this.#down.delete(id)
      this.#electIfNeeded()
      return
    }
  }

  #cutLink(): void {
    const a = 1 + this.#random.below(3)
    const b = 1 + ((a + this.#random.below(2)) % 3)
    this.#cluster.world.network.partition(`b${a}`, `b${b}`)
    this.#cut.add(`b${a} b${b}`)
  }

  #healLinks(): void {
    for (const link of this.#cut) {
      const [a = '', b = ''] = link.split(' ')
      this.#cluster.world.network.heal(a, b)
    }
    this.#cut.clear()
  }

  /** Another leader, for no reason. */
  #elect(): void {
    const { isr, leader } = this.#cluster.controller.partition()
    const live = isr.filter((id) => !this.#down.has(id))
    const next = live[this.#random.below(Math.max(1, live.length))]
    if (next !== undefined && leader !== -1) this.#cluster.controller.change({ leader: next })
  }

  #electIfNeeded(): void {
    const { isr, leader } = this.#cluster.controller.partition()
    if (leader !== -1 && !this.#down.has(leader)) {
      const live = isr.filter((id) => !this.#down.has(id))
      if (live.length < isr.length) this.#cluster.controller.change({ isr: live })
      return
    }
    const live = isr.filter((id) => !this.#down.has(id))
    const next = live[this.#random.below(Math.max(1, live.length))]
    if (next !== undefined) this.#cluster.controller.change({ leader: next, isr: live })
    else if (leader !== -1) this.#cluster.controller.change({ leader: -1, isr: [leader] })
  }

  /** All is well again: gives the logs when they had the time to become the same. */
  async settle(): Promise<string[][]> {
    this.#healLinks()
    while (this.#down.size > 0) await this.#revive()
    await this.#cluster.run(30_000)
    const logs: string[][] = []
    for (const id of BROKERS) logs.push(await this.#cluster.until(this.#cluster.broker(id).values()))
    return logs
  }
}

test.each(Array.from({ length: 25 }, (_, index) => index + 1))(
  'nothing acknowledged is lost or out of order, and the replicas end up the same: seed %i',
  async (seed) => {
    const ordeal = await Ordeal.start(seed)
    for (let step = 0; step < STEPS; step++) await ordeal.step()
    const [first = [], ...others] = await ordeal.settle()
    for (const other of others) expect(other).toEqual(first)
    const inLog = new Set(first)
    expect(ordeal.acknowledged.filter((value) => !inLog.has(value))).toEqual([])
    expect(new Set(first).size).toBe(first.length)
  },
)

test('a broker that stops fetches nothing for an image that comes after its fetchers have ended', async () => {
  const cluster = await TestCluster.start(3)
  cluster.createTopic([1, 2, 3])
  await cluster.run(100)
  await cluster.until(cluster.broker(1).produce(['a']))
  const stopping = cluster.broker(3)
  stopping.replication[Symbol.dispose]()
  cluster.controller.change({ leader: 2 })
  await cluster.run(100)
  void cluster.broker(2).produce(['b'])
  await cluster.run(1000)
  expect(await cluster.until(stopping.values())).toEqual(['a'])
})
