import { RateLimit, type RateLimitOptions } from '../quota/rate-limit.ts'
import type { Clock } from '../env/clock.ts'
import { type MetadataImage, ResourceType } from '../metadata/image.ts'
import type { Partition } from './partition.ts'

const CLUSTER_WIDE = ''
const ALL_REPLICAS = '*'
/** A comma too many is allowed, and names nobody. */
const EVERYBODY = /^[\s,]*\*[\s,]*$/

/** Which side of replication is throttled, and by which settings. */
export type ThrottleSide = 'leader' | 'follower'

/**
 * The replicas of one side that are throttled, and the rate that all of them share (KIP-73): `<side>.replication.throttled.rate` of the
 * broker, in bytes a second, for the `<side>.replication.throttled.replicas` of the topics.
 */
class Throttle {
  readonly #rate: RateLimit
  readonly #side: ThrottleSide
  readonly #nodeId: number
  /** By topic: the partitions whose replica here is throttled, or all. */
  readonly #throttled = new Map<string, ReadonlySet<number> | typeof ALL_REPLICAS>()

  constructor(options: RateLimitOptions & { nodeId: number; side: ThrottleSide }, deps: { readonly clock: Clock }) {
    this.#rate = new RateLimit(options, deps)
    this.#side = options.side
    this.#nodeId = options.nodeId
  }

  configure(image: MetadataImage): void {
    const key = `${this.#side}.replication.throttled.rate`
    const text =
      image.configsOf(ResourceType.BROKER, String(this.#nodeId)).get(key) ??
      image.configsOf(ResourceType.BROKER, CLUSTER_WIDE).get(key)
    this.#rate.limit = text === undefined ? Infinity : Number(text)
  }

  configureTopic(topic: string, image: MetadataImage): void {
    const key = `${this.#side}.replication.throttled.replicas`
    const text = image.configsOf(ResourceType.TOPIC, topic).get(key) ?? ''
    const partitions = EVERYBODY.test(text) ? ALL_REPLICAS : this.#partitionsIn(text)
    if (partitions === ALL_REPLICAS || partitions.size > 0) this.#throttled.set(topic, partitions)
    else this.#throttled.delete(topic)
  }

  /** Of items `[partition]:[broker]`, the partitions with this broker. A list may have thousands, and there is one for each topic. */
  #partitionsIn(text: string): Set<number> {
    const partitions = new Set<number>()
    for (const item of text.split(',')) {
      const colon = item.indexOf(':')
      if (colon !== -1 && Number(item.slice(colon + 1)) === this.#nodeId) partitions.add(Number(item.slice(0, colon)))
    }
    return partitions
  }

  isThrottled(topic: string, index: number): boolean {
    if (this.#throttled.size === 0) return false
    const partitions = this.#throttled.get(topic)
    return partitions === ALL_REPLICAS || partitions?.has(index) === true
  }

  get isExceeded(): boolean {
    return this.#rate.isExceeded
  }

  record(sizeInBytes: number): void {
    this.#rate.record(sizeInBytes)
  }
}

/** What a leader gives to followers that are not in sync. Those that are must not fall out of the ISR, and are never held back. */
export class LeaderThrottle extends Throttle {
  constructor(options: RateLimitOptions & { nodeId: number }, deps: { readonly clock: Clock }) {
    super({ ...options, side: 'leader' }, deps)
  }

  holdsBack({ log, state }: Partition, follower: number): boolean {
    return this.isThrottled(log.topic, log.partition) && !state.isr.includes(follower) && this.isExceeded
  }

  sent({ log }: Partition, sizeInBytes: number): void {
    if (this.isThrottled(log.topic, log.partition)) this.record(sizeInBytes)
  }
}

/** What a follower fetches of partitions with which it has not caught up. */
export class FollowerThrottle extends Throttle {
  constructor(options: RateLimitOptions & { nodeId: number }, deps: { readonly clock: Clock }) {
    super({ ...options, side: 'follower' }, deps)
  }

  holdsBack({ log }: Partition, isCaughtUp: boolean): boolean {
    return !isCaughtUp && this.isThrottled(log.topic, log.partition) && this.isExceeded
  }

  received({ log }: Partition, sizeInBytes: number): void {
    if (this.isThrottled(log.topic, log.partition)) this.record(sizeInBytes)
  }
}
