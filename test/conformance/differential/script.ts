import { setTimeout as sleep } from 'node:timers/promises'
import { ApiKey } from '../../../broker/protocol/api-key.ts'
import { APIS, type RequestInputOf, type ResponseOf } from '../../../broker/protocol/apis.ts'
import { batches } from '../../../broker/records/read.ts'
import type { Target } from './target.ts'

/** One request and its answer as text that is the same on brokers that do the same. */
export interface Step {
  readonly what: string
  readonly answer: string
}

const ZERO_UUID = 'AAAAAAAAAAAAAAAAAAAAAA'
const APPLIED_MS_MAX = 10_000
/** Figures of one machine or one moment, and texts that are ours: by API, the fields that are not compared. */
const OWN: Readonly<Partial<Record<ApiKey, readonly string[]>>> = {
  [ApiKey.Produce]: ['errorMessage', 'batchIndexErrorMessage', 'logAppendTimeMs'],
  [ApiKey.Fetch]: ['sessionId'],
  [ApiKey.FindCoordinator]: ['errorMessage'],
  [ApiKey.DescribeConfigs]: ['errorMessage'],
  [ApiKey.InitProducerId]: ['producerId'],
  [ApiKey.DescribeProducers]: ['errorMessage', 'lastTimestamp'],
  [ApiKey.DescribeLogDirs]: ['totalBytes', 'usableBytes'],
}

export function versionsOf(key: ApiKey): number[] {
  const { min, max } = APIS[key].versions
  const stable = Math.min(max, APIS[key].advertisedVersions.max)
  return Array.from({ length: stable - min + 1 }, (_, index) => min + index)
}

/** Asks a broker and notes what it answers. */
export class Script {
  readonly steps: Step[] = []
  readonly #target: Target
  readonly #ids = new Map<string, string>([[ZERO_UUID, '<no id>']])
  readonly #topicIds = new Map<string, string>()

  constructor(target: Target) {
    this.#target = target
  }

  /** Sends a request and notes the answer under `what`. */
  async call<K extends ApiKey>(
    what: string,
    key: K,
    version: number,
    request: RequestInputOf<K>,
  ): Promise<ResponseOf<K> | 'closed'> {
    const answer = await this.#target.call(key, version, request)
    this.note(`${APIS[key].name} v${version}: ${what}`, answer, OWN[key])
    return answer
  }

  /** The same request in every version that is served. */
  async inEveryVersion<K extends ApiKey>(what: string, key: K, request: RequestInputOf<K>): Promise<void> {
    for (const version of versionsOf(key)) await this.call(what, key, version, request)
  }

  /** Sends without noting anything; fails where the connection is closed. */
  async ask<K extends ApiKey>(key: K, version: number, request: RequestInputOf<K>): Promise<ResponseOf<K>> {
    const answer = await this.#target.call(key, version, request)
    if (answer === 'closed') throw new Error(`${APIS[key].name} v${version}: the connection was closed`)
    return answer
  }

  /** Sends what is not answered, and notes whether the connection outlives it. */
  async callUnanswered<K extends ApiKey>(
    what: string,
    key: K,
    version: number,
    request: RequestInputOf<K>,
  ): Promise<void> {
    await this.#target.send(key, version, request)
    const after = await this.#target.call(ApiKey.ApiVersions, 0, {})
    this.note(`${APIS[key].name} v${version}: ${what}`, after === 'closed' ? 'closed' : 'open')
  }

  /** Sends bytes, and notes the answer's bytes. */
  async exchange(what: string, frame: Uint8Array): Promise<void> {
    const answer = await this.#target.exchange(frame)
    this.note(what, answer === 'closed' ? answer : Buffer.from(answer).toString('hex'))
  }

  /** Notes a value under `what`, all but the fields called `own`. */
  note(what: string, value: unknown, own: readonly string[] = []): void {
    this.steps.push({ what, answer: this.#text(this.#normal(value, own)) })
  }

  /** Creates a topic and waits until it can be used. */
  async create(name: string, options: TopicOptions = {}): Promise<string> {
    const { partitions = 1, configs = {} } = options
    const { topics } = await this.ask(ApiKey.CreateTopics, 7, {
      topics: [{ name, numPartitions: partitions, replicationFactor: 1, configs: entriesOf(configs) }],
      timeoutMs: 10_000,
    })
    const [topic] = topics
    if (topic?.errorCode !== 0) throw new Error(`${name} cannot be created: ${JSON.stringify(topic)}`)
    this.#ids.set(topic.topicId, `<${name}>`)
    this.#topicIds.set(name, topic.topicId)
    for (let index = 0; index < partitions; index++) await this.applied(name, index)
    return topic.topicId
  }

  /** Where the broker keeps its partitions. */
  get logDir(): string {
    return this.#target.node.logDir
  }

  topicId(name: string): string {
    return this.#topicIds.get(name) ?? ZERO_UUID
  }

  /** Waits until the broker serves a partition: Apache Kafka answers before it acts on what is committed. */
  applied(topic: string, partitionIndex = 0): Promise<void> {
    return this.until(
      ApiKey.ListOffsets,
      7,
      {
        replicaId: -1,
        topics: [{ name: topic, partitions: [{ partitionIndex, timestamp: -1n }] }],
      },
      ({ topics }) => topics[0]?.partitions[0]?.errorCode === 0,
    )
  }

  /** Asks again and again until the answer is as it should be. */
  async until<K extends ApiKey>(
    key: K,
    version: number,
    request: RequestInputOf<K>,
    isReached: (answer: ResponseOf<K>) => boolean,
  ): Promise<void> {
    const deadline = performance.now() + APPLIED_MS_MAX
    while (!isReached(await this.ask(key, version, request))) {
      if (performance.now() > deadline)
        throw new Error(`${APIS[key].name}: not as it should be in ${APPLIED_MS_MAX} ms`)
      await sleep(10)
    }
  }

  #text(value: unknown): string {
    const { node } = this.#target
    return JSON.stringify(value)
      .replaceAll(node.logDir, '<log dir>')
      .replaceAll(new RegExp(`\\b${node.port}\\b`, 'g'), '<port>')
  }

  /** The value without what is the broker's own; lists of structs in one order, since Apache Kafka keeps many in none. */
  #normal(value: unknown, own: readonly string[], key = ''): unknown {
    if (own.includes(key) && !isNone(value)) return '<own>'
    if (typeof value === 'string') return /^[\w-]{22}$/.test(value) ? this.#nameOf(value) : value
    if (typeof value === 'bigint') return Number(value)
    if (value instanceof Uint8Array) return batchesOf(value)
    if (Array.isArray(value)) return value.map((item: unknown) => this.#normal(item, own, key)).toSorted(byText)
    if (value === null || typeof value !== 'object') return value
    return Object.fromEntries(Object.entries(value).map(([name, field]) => [name, this.#normal(field, own, name)]))
  }

  /** Ids have the names of their topics, or are numbered as they appear. */
  #nameOf(id: string): string {
    const name = this.#ids.get(id) ?? `<id ${this.#ids.size}>`
    this.#ids.set(id, name)
    return name
  }
}

export interface TopicOptions {
  readonly partitions?: number
  readonly configs?: Readonly<Record<string, string>>
}

export function entriesOf(configs: Readonly<Record<string, string>>): { name: string; value: string }[] {
  return Object.entries(configs).map(([name, value]) => ({ name, value }))
}

/** Whether there is a number at all is compared, what texts say is not. */
function isNone(value: unknown): boolean {
  return value === 0 || value === -1 || value === -1n
}

function byText(a: unknown, b: unknown): number {
  const [x, y] = [JSON.stringify(a), JSON.stringify(b)]
  return x < y ? -1 : Number(x > y)
}

/** Whole batches: where a broker cuts the last one off at the end of a Fetch answer is its own affair. */
function batchesOf(records: Uint8Array): string[] {
  return [...batches(records)].map((batch) => {
    const { baseOffset, lastOffset, partitionLeaderEpoch, attributes, producerId, producerEpoch, baseSequence } = batch
    const time = batch.isLogAppendTime ? 'append time' : `${batch.baseTimestamp}..${batch.maxTimestamp}`
    const crc = batch.crc === batch.computeCrc() ? 'good' : 'bad'
    const size = batch.codec === 'none' ? `${batch.sizeInBytes} bytes` : 'compressed'
    const producer = `producer ${producerId}/${producerEpoch}/${baseSequence}`
    return `${baseOffset}..${lastOffset} epoch ${partitionLeaderEpoch} attributes ${attributes} ${producer} ${time} ${size} ${crc}`
  })
}
