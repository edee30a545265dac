import type { Clock } from '../env/clock.ts'
import type { Address, Network } from '../env/network.ts'
import { ApiKey } from '../protocol/api-key.ts'
import { ErrorCode } from '../protocol/errors.ts'
import { Turns } from '../lib/turns.ts'
import { Peer } from './peer.ts'

export interface EndOffsetsOptions {
  readonly clientId: string
  /** How long `refresh` takes at most; what is not answered by then keeps what was known. */
  readonly timeoutMs: number
}

export interface EndOffsetsDeps {
  readonly network: Network
  readonly clock: Clock
  /** Undefined where there is none, or it is not known. */
  readonly leaderOf: (topic: string, partition: number) => number | undefined
  readonly addressOf: (brokerId: number) => Address | undefined
}

export interface TopicPartition {
  readonly topic: string
  readonly partition: number
}

/** Partitions of one topic by index. */
type Topics = Map<string, Set<number>>

/** ListOffsets' timestamp of the end. */
const LATEST = -1n
/** Of one request: an answer of some 100 KB. */
const PARTITIONS_MAX = 2000

/**
 * The high watermarks of partitions that others lead, as far as their leaders have told. Each leader is asked over a connection of its own,
 * one request at a time.
 */
export class EndOffsets implements Disposable {
  readonly #options: EndOffsetsOptions
  readonly #deps: EndOffsetsDeps
  readonly #peers = new Map<number, Peer>()
  #known = new Map<string, Map<number, number>>()
  #refreshing: Promise<void> | undefined
  #isClosed = false

  constructor(options: EndOffsetsOptions, deps: EndOffsetsDeps) {
    this.#options = options
    this.#deps = deps
  }

  /** Undefined: never told. */
  get(topic: string, partition: number): number | undefined {
    return this.#known.get(topic)?.get(partition)
  }

  /** Asks the leaders of `partitions`, and forgets all others. Never rejects; asked again meanwhile, both wait for the same. */
  refresh(partitions: Iterable<TopicPartition>): Promise<void> {
    this.#refreshing ??= this.#refresh(partitions).finally(() => {
      this.#refreshing = undefined
    })
    return this.#refreshing
  }

  [Symbol.dispose](): void {
    this.#isClosed = true
    for (const peer of this.#peers.values()) peer.close()
  }

  async #refresh(partitions: Iterable<TopicPartition>): Promise<void> {
    const turns = new Turns(this.#deps)
    const wanted: Topics = new Map()
    for (const partition of partitions) {
      if (turns.isOver) await turns.next()
      add(wanted, partition)
    }
    this.#forgetAllBut(wanted)
    const byLeader = await this.#byLeader(wanted, turns)
    for (const [id, peer] of this.#peers) {
      if (byLeader.has(id)) continue
      peer.close()
      this.#peers.delete(id)
    }
    await Promise.all([...byLeader].map(([id, topics]) => this.#ask(id, topics)))
  }

  #forgetAllBut(wanted: Topics): void {
    const kept = new Map<string, Map<number, number>>()
    for (const [topic, partitions] of wanted) {
      const known = this.#known.get(topic)
      kept.set(topic, new Map([...(known ?? [])].filter(([partition]) => partitions.has(partition))))
    }
    this.#known = kept
  }

  async #byLeader(wanted: Topics, turns: Turns): Promise<Map<number, TopicPartition[]>> {
    const byLeader = new Map<number, TopicPartition[]>()
    for (const [topic, partitions] of wanted) {
      if (turns.isOver) await turns.next()
      for (const partition of partitions) {
        const leader = this.#deps.leaderOf(topic, partition)
        if (leader === undefined) continue
        const led = byLeader.get(leader)
        if (led === undefined) byLeader.set(leader, [{ topic, partition }])
        else led.push({ topic, partition })
      }
    }
    return byLeader
  }

  /** Ends at the first request without an answer: a leader that is gone answers none of them. */
  async #ask(leader: number, partitions: readonly TopicPartition[]): Promise<void> {
    const { clock } = this.#deps
    const deadlineMs = clock.monotonicMs() + this.#options.timeoutMs
    try {
      for (let at = 0; at < partitions.length && !this.#isClosed; at += PARTITIONS_MAX) {
        const leftMs = deadlineMs - clock.monotonicMs()
        if (leftMs <= 0) return
        await this.#request(this.#peer(leader), partitions.slice(at, at + PARTITIONS_MAX), leftMs)
      }
    } catch {
      // What was known stays; the next refresh makes another connection.
      this.#peers.get(leader)?.close()
      this.#peers.delete(leader)
    }
  }

  async #request(peer: Peer, partitions: readonly TopicPartition[], timeoutMs: number): Promise<void> {
    const topics = [...topicsOf(partitions)].map(([name, indexes]) => ({
      name,
      partitions: [...indexes].map((partitionIndex) => ({ partitionIndex, timestamp: LATEST })),
    }))
    const body = { replicaId: -1, isolationLevel: 0, topics, timeoutMs: Math.ceil(timeoutMs) }
    const answer = await peer.request(ApiKey.ListOffsets, body, timeoutMs)
    for (const { name, partitions: told } of answer.topics) {
      for (const { partitionIndex, errorCode, offset } of told) {
        if (errorCode === ErrorCode.NONE) this.#known.get(name)?.set(partitionIndex, Number(offset))
      }
    }
  }

  /** Throws where the address is not known. */
  #peer(leader: number): Peer {
    const address = this.#deps.addressOf(leader)
    if (address === undefined) throw new Error(`the address of broker ${leader} is not known`)
    const known = this.#peers.get(leader)
    if (known !== undefined && known.address.host === address.host && known.address.port === address.port) return known
    known?.close()
    const { clientId, timeoutMs } = this.#options
    const peer = new Peer({ address, clientId, connectTimeoutMs: timeoutMs, requestTimeoutMs: timeoutMs }, this.#deps)
    this.#peers.set(leader, peer)
    return peer
  }
}

function topicsOf(partitions: Iterable<TopicPartition>): Topics {
  const topics: Topics = new Map()
  for (const partition of partitions) add(topics, partition)
  return topics
}

function add(topics: Topics, { topic, partition }: TopicPartition): void {
  const indexes = topics.get(topic)
  if (indexes === undefined) topics.set(topic, new Set([partition]))
  else indexes.add(partition)
}
