import type { Address } from '../env/network.ts'
import { ApiKey } from '../protocol/api-key.ts'
import type { RequestInputOf, ResponseOf } from '../protocol/apis.ts'
import { ErrorCode } from '../protocol/errors.ts'
import { configEntry, creatableTopic, createdTopic, logDir, outcomes, topicDescription } from './admin-mapping.ts'
import {
  CONFIG_OPERATIONS,
  type ClusterDescription,
  type ConfigChange,
  type ConfigEntry,
  ConfigResourceType,
  type CreatedTopic,
  type LogDirDescription,
  type NewTopic,
  type Outcomes,
  type PartitionIncrease,
  type TopicDescription,
} from './admin-types.ts'
import { Cluster, type ClusterDeps } from './cluster.ts'
import type { ClientConnection } from './connection.ts'
import { KafkaError } from './kafka-error.ts'
import { retry } from './retry.ts'

export interface AdminClientOptions {
  readonly bootstrap: readonly Address[]
  readonly clientId?: string
  /** For one answer; default 30 s. */
  readonly requestTimeoutMs?: number
  /** For one operation with all its retries, whatever they wait for; default 60 s, Kafka's default.api.timeout.ms. */
  readonly timeoutMs?: number
  /** Default 100 ms to 1 s. */
  readonly backoffMs?: number
  readonly backoffMsMax?: number
}

/** Sends one request to any broker, or to the one that is given, and gives its answer, whatever error codes are in it. */
export type Ask = <K extends ApiKey>(key: K, body: RequestInputOf<K>, brokerId?: number) => Promise<ResponseOf<K>>

interface ValidateOnly {
  /** Checks, and changes nothing. */
  readonly validateOnly?: boolean
}

const CONNECT_TIMEOUT_MS = 10_000
/** Answers to the question, though Kafka counts them as retriable: metadata may not have come round yet. */
const FINAL: ReadonlySet<string> = new Set(['UNKNOWN_TOPIC_OR_PARTITION', 'UNKNOWN_TOPIC_ID'])

/**
 * Administration of a cluster. Any broker takes any request and forwards what is the controller's (KIP-631), except for the configuration
 * and the directories of one broker, which that broker is asked for. Retriable failures are repeated until `timeoutMs` have passed.
 *
 * What is about a whole request rejects with KafkaError; what is about one item of several is that item's outcome.
 */
export class AdminClient {
  readonly #options: Required<AdminClientOptions>
  readonly #deps: ClusterDeps
  readonly #cluster: Cluster

  constructor(options: AdminClientOptions, deps: ClusterDeps) {
    const defaults = {
      clientId: 'ottla-admin',
      requestTimeoutMs: 30_000,
      timeoutMs: 60_000,
      backoffMs: 100,
      backoffMsMax: 1000,
    }
    this.#options = { ...defaults, ...options }
    this.#deps = deps
    this.#cluster = new Cluster({ ...this.#options, connectTimeoutMs: CONNECT_TIMEOUT_MS }, deps)
  }

  /** Closes all connections; what is pending is rejected. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#cluster.close()
  }

  /** Runs an operation of its caller's, again as long as it rejects with a KafkaError that is retriable. */
  run<T>(operation: (ask: Ask) => Promise<T>): Promise<T> {
    return this.#retry(() => operation((...request) => this.#ask(...request)))
  }

  describeCluster(): Promise<ClusterDescription> {
    return this.#retry(() => this.#describeCluster())
  }

  /** The topics that are asked for, or all that there are. A topic that there is not is UNKNOWN_TOPIC_OR_PARTITION; none is created. */
  metadata(names: readonly string[] | null): Promise<Outcomes<string, TopicDescription>> {
    if (names === null) return this.#retry(() => this.#metadata(null))
    return this.#each(names, (left) => this.#metadata(left))
  }

  /** The names of all topics, in order. */
  async listTopics(options: { readonly includeInternal?: boolean } = {}): Promise<string[]> {
    const topics = [...(await this.metadata(null)).values()].filter(
      (topic): topic is TopicDescription => !(topic instanceof KafkaError),
    )
    return topics
      .filter(({ isInternal }) => options.includeInternal === true || !isInternal)
      .map(({ name }) => name)
      .sort()
  }

  createTopics(topics: readonly NewTopic[], options: ValidateOnly = {}): Promise<Outcomes<string, CreatedTopic>> {
    const byName = new Map(topics.map((topic) => [topic.name, topic]))
    return this.#each([...byName.keys()], async (left, timeoutMs) => {
      const asked = left.flatMap((name) => byName.get(name) ?? [])
      const body = { topics: asked.map(creatableTopic), timeoutMs, validateOnly: options.validateOnly ?? false }
      const answer = await this.#ask(ApiKey.CreateTopics, body)
      return outcomes(answer.topics, ({ name }) => name, createdTopic)
    })
  }

  /** By their ids (KIP-516): a topic that has been made anew under the name of one of them stays. */
  deleteTopics(ids: readonly string[]): Promise<Outcomes<string, null>> {
    return this.#each(ids, async (left, timeoutMs) => {
      const topics = left.map((topicId) => ({ name: null, topicId }))
      const answer = await this.#ask(ApiKey.DeleteTopics, { topics, topicNames: [], timeoutMs })
      return outcomes(
        answer.responses,
        ({ topicId }) => topicId,
        () => null,
      )
    })
  }

  createPartitions(
    increases: readonly PartitionIncrease[],
    options: ValidateOnly = {},
  ): Promise<Outcomes<string, null>> {
    const byName = new Map(increases.map((increase) => [increase.name, increase]))
    return this.#each([...byName.keys()], async (left, timeoutMs) => {
      const topics = left
        .flatMap((name) => byName.get(name) ?? [])
        .map(({ name, totalCount, assignments }) => ({
          name,
          count: totalCount,
          assignments: assignments?.map((brokerIds) => ({ brokerIds })) ?? null,
        }))
      const body = { topics, timeoutMs, validateOnly: options.validateOnly ?? false }
      const answer = await this.#ask(ApiKey.CreatePartitions, body)
      return outcomes(
        answer.results,
        ({ name }) => name,
        () => null,
      )
    })
  }

  /** `names` are topics, broker ids ('' for the default of all brokers), …; `keys` left out: every key. */
  describeConfigs(
    type: ConfigResourceType,
    names: readonly string[],
    keys?: readonly string[],
  ): Promise<Outcomes<string, readonly ConfigEntry[]>> {
    const resourceType = ConfigResourceType[type]
    return this.#eachAt(type, names, async (left, broker) => {
      const resources = left.map((resourceName) => ({ resourceType, resourceName, configurationKeys: keys ?? null }))
      const answer = await this.#ask(ApiKey.DescribeConfigs, { resources }, broker)
      return outcomes(
        answer.results,
        ({ resourceName }) => resourceName,
        ({ configs }) => configs.map(configEntry),
      )
    })
  }

  /** Changes the keys that are named and leaves the others (KIP-339). The changes of one resource are made together or not at all. */
  incrementalAlterConfigs(
    type: ConfigResourceType,
    changes: ReadonlyMap<string, readonly ConfigChange[]>,
    options: ValidateOnly = {},
  ): Promise<Outcomes<string, null>> {
    return this.#eachAt(type, [...changes.keys()], async (left, broker) => {
      const resources = left.map((resourceName) => ({
        resourceType: ConfigResourceType[type],
        resourceName,
        configs: (changes.get(resourceName) ?? []).map(({ name, operation, value }) => ({
          name,
          configOperation: CONFIG_OPERATIONS[operation],
          value,
        })),
      }))
      const body = { resources, validateOnly: options.validateOnly ?? false }
      const answer = await this.#ask(ApiKey.IncrementalAlterConfigs, body, broker)
      return outcomes(
        answer.responses,
        ({ resourceName }) => resourceName,
        () => null,
      )
    })
  }

  /** The log directories of each broker and the replicas in them. */
  async describeLogDirs(brokerIds: readonly number[]): Promise<Outcomes<number, readonly LogDirDescription[]>> {
    const asked = brokerIds.map(async (brokerId) => [brokerId, await this.#logDirs(brokerId)] as const)
    return new Map(await Promise.all(asked))
  }

  async #logDirs(brokerId: number): Promise<readonly LogDirDescription[] | KafkaError> {
    const asking = this.#retry(async () => {
      const answer = await this.#ask(ApiKey.DescribeLogDirs, { topics: null }, brokerId)
      if (answer.errorCode !== ErrorCode.NONE) throw KafkaError.fromCode(answer.errorCode)
      return answer.results.map(logDir)
    })
    return asking.catch((error: unknown) => {
      if (error instanceof KafkaError) return error
      throw error
    })
  }

  async #describeCluster(): Promise<ClusterDescription> {
    const answer = await this.#ask(ApiKey.DescribeCluster, {})
    if (answer.errorCode !== ErrorCode.NONE) throw KafkaError.fromCode(answer.errorCode, answer.errorMessage)
    const brokers = answer.brokers.map(({ brokerId, host, port, rack }) => ({ id: brokerId, host, port, rack }))
    this.#cluster.learn(new Map(brokers.map(({ id, host, port }) => [id, { host, port }])))
    return { clusterId: answer.clusterId, controllerId: answer.controllerId, brokers }
  }

  async #metadata(names: readonly string[] | null): Promise<Outcomes<string, TopicDescription>> {
    const topics = names?.map((name) => ({ name })) ?? null
    const answer = await this.#ask(ApiKey.Metadata, { topics, allowAutoTopicCreation: false })
    this.#cluster.learn(new Map(answer.brokers.map(({ nodeId, host, port }) => [nodeId, { host, port }])))
    return outcomes(answer.topics, ({ name }) => name ?? '', topicDescription)
  }

  /** Asks any broker, or the one that is given. */
  async #ask<K extends ApiKey>(key: K, body: RequestInputOf<K>, brokerId?: number): Promise<ResponseOf<K>> {
    const connection = brokerId === undefined ? await this.#cluster.any() : await this.#connectTo(brokerId)
    return connection.request(key, body)
  }

  /** A broker that cannot be reached may have another address now: it is looked up again before the next attempt. */
  async #connectTo(brokerId: number): Promise<ClientConnection> {
    if (this.#cluster.addressOf(brokerId) === undefined) await this.#describeCluster()
    const address = this.#cluster.addressOf(brokerId)
    if (address === undefined) {
      throw new KafkaError('BROKER_NOT_AVAILABLE', `the cluster has no broker ${brokerId}`, { isRetriable: false })
    }
    try {
      return await this.#cluster.connect(address)
    } catch (error) {
      this.#cluster.learn(new Map())
      throw error
    }
  }

  #retry<T>(attempt: (leftMs: number) => Promise<T>): Promise<T> {
    return retry(attempt, this.#options, this.#deps)
  }

  /** Repeats `attempt` with the items that failed for a reason that may pass. */
  async #each<T>(
    names: readonly string[],
    attempt: (left: readonly string[], timeoutMs: number) => Promise<Outcomes<string, T>>,
  ): Promise<Outcomes<string, T>> {
    const all = new Map<string, T | KafkaError>()
    let left = names
    let isOver = false
    const attempts = this.#retry(async (leftMs) => {
      if (left.length === 0) return
      const some = await attempt(left, Math.ceil(Math.min(leftMs, this.#options.requestTimeoutMs)))
      if (isOver) return
      for (const name of left) {
        const outcome = some.get(name)
        all.set(name, outcome === undefined ? unanswered(name) : outcome)
      }
      left = left.filter((name) => mayPass(all.get(name)))
      const failure = all.get(left[0] ?? '')
      if (failure instanceof KafkaError && left.length > 0) throw failure
    })
    await attempts.catch((error: unknown) => {
      isOver = true
      if (all.size < names.length || !(error instanceof KafkaError)) throw error
    })
    return all
  }

  /** As `#each`; what is about one broker is asked of that broker. */
  async #eachAt<T>(
    type: ConfigResourceType,
    names: readonly string[],
    attempt: (left: readonly string[], brokerId: number | undefined) => Promise<Outcomes<string, T>>,
  ): Promise<Outcomes<string, T>> {
    const isOfBroker = (name: string) => name !== '' && (type === 'broker' || type === 'brokerLogger')
    const anywhere = names.filter((name) => !isOfBroker(name))
    const results = await Promise.all([
      this.#each(anywhere, (left) => attempt(left, undefined)),
      ...names.filter(isOfBroker).map((name) => this.#each([name], (left) => attempt(left, Number(name)))),
    ])
    return new Map(results.flatMap((result) => [...result]))
  }
}

function mayPass(outcome: unknown): boolean {
  return outcome instanceof KafkaError && outcome.isRetriable && !FINAL.has(outcome.code)
}

function unanswered(name: string): KafkaError {
  return new KafkaError('UNKNOWN_SERVER_ERROR', `the broker's answer has nothing about ${name}`, { isRetriable: false })
}
