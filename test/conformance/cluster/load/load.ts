import { setTimeout as sleep } from 'node:timers/promises'
import type { TestCluster } from '../rig/cluster.ts'
import { audit } from './audit.ts'
import { NumberedProducer, type Outcome, type ProducerOptions } from './producer.ts'
import { readBack } from './read-back.ts'
import { ClusterView } from './view.ts'

export interface LoadOptions {
  readonly topic: string
  readonly partitions: number
  /** One producer each; what is left out is as `ProducerOptions` says. */
  readonly producers: readonly Partial<ProducerOptions>[]
}

/** Numbered producers on one topic, and the audit of what they wrote. */
export class Load {
  readonly #cluster: TestCluster
  readonly #options: LoadOptions
  readonly #views: ClusterView[]
  readonly producers: readonly NumberedProducer[]

  constructor(cluster: TestCluster, options: LoadOptions) {
    const { topic, partitions } = options
    this.#cluster = cluster
    this.#options = options
    this.#views = options.producers.map(() => new ClusterView(topic, cluster.brokerAddresses))
    this.producers = options.producers.map(
      (one, producer) =>
        new NumberedProducer({ topic, partitions, producer, ...one }, this.#views[producer] as ClusterView),
    )
  }

  async start(): Promise<void> {
    await Promise.all(this.producers.map((producer) => producer.start()))
    await this.progress(performance.now(), 30_000)
  }

  get acknowledged(): number {
    return this.producers.reduce((sum, { acknowledged }) => sum + acknowledged.length, 0)
  }

  /** The attempts of all producers since `sinceMs` (as `performance.now()`), each producer's in order. */
  outcomesSince(sinceMs: number): Outcome[] {
    return this.producers.flatMap(({ outcomes }) => outcomes.filter(({ atMs }) => atMs >= sinceMs))
  }

  /** Resolves when every partition has acknowledged after `sinceMs` on another broker than `notBy`; gives the time of the last of the first. */
  async progress(sinceMs: number, msMax: number, notBy = -1): Promise<number> {
    const deadline = performance.now() + msMax
    for (;;) {
      const firsts = Array.from({ length: this.#options.partitions }, (_, partition) =>
        this.#firstAcknowledgement(partition, sinceMs, notBy),
      )
      const last = Math.max(...firsts)
      if (Number.isFinite(last)) return last
      for (const producer of this.producers) producer.check()
      if (performance.now() > deadline) throw new Error(`no acknowledgements for ${msMax} ms: ${this.#story(sinceMs)}`)
      await sleep(10)
    }
  }

  /** Ends the producers, reads the topic back and gives what is wrong with it. */
  async finish(): Promise<string[]> {
    await Promise.all(this.producers.map((producer) => producer.stop()))
    const { topic, partitions } = this.#options
    const view = new ClusterView(topic, this.#cluster.brokerAddresses)
    const read = await readBack(view, topic, partitions)
    view.close()
    return audit(
      this.producers.flatMap(({ acknowledged }) => acknowledged),
      read,
    )
  }

  close(): void {
    for (const producer of this.producers) producer.abandon()
    for (const view of this.#views) view.close()
  }

  #firstAcknowledgement(partition: number, sinceMs: number, notBy: number): number {
    const times = this.producers.map(
      ({ outcomes }) =>
        outcomes.find(
          (one) => one.partition === partition && one.code === 'NONE' && one.atMs > sinceMs && one.brokerId !== notBy,
        )?.atMs,
    )
    return Math.min(...times.map((time) => time ?? Number.POSITIVE_INFINITY))
  }

  /** What was answered since then, counted. */
  #story(sinceMs: number): string {
    const counts = new Map<string, number>()
    for (const { partition, brokerId, code } of this.outcomesSince(sinceMs)) {
      const key = `partition ${partition} of broker ${brokerId}: ${code}`
      counts.set(key, (counts.get(key) ?? 0) + 1)
    }
    return [...counts].map(([key, count]) => `${key} x ${count}`).join('; ')
  }
}
