import { KafkaError } from '../../../broker/client/kafka-error.ts'
import type { Address } from '../../../broker/env/network.ts'
import { ApiKey } from '../../../broker/protocol/api-key.ts'
import type { ResponseOf } from '../../../broker/protocol/apis.ts'
import { ErrorCode } from '../../../broker/protocol/errors.ts'
import type { SimRandom } from '../../fakes/random.ts'
import type { SimClient } from '../client.ts'
import { hold } from '../history.ts'

type Metadata = ResponseOf<typeof ApiKey.Metadata>

const METADATA_PARTITION = { topics: [{ topicName: '__cluster_metadata', partitions: [{ partitionIndex: 0 }] }] }

/** How likely a broker is asked for the leader of the quorum, too: what the nodes themselves think of it, they tell in their logs. */
const ASK_QUORUM = 0.2

/** What one broker said last. */
interface Report {
  readonly atMs: number
  readonly isWhole: boolean
  readonly metadata: Metadata
}

/** Asks every broker again and again who leads what, hears who thinks that it leads the quorum, and finds two that do at a time. */
export class Watch {
  readonly #client: SimClient
  readonly #random: SimRandom
  readonly #brokers: readonly Address[]
  readonly #leaders = new Map<string, number>()
  /** What was said last of each partition of a topic: the same again is nothing new. */
  readonly #latest = new Map<string, { epoch: number; leaderId: number }[]>()
  #quorumLeader = -1
  readonly #reports = new Map<string, Report>()

  constructor(options: { brokers: readonly Address[] }, deps: { client: SimClient; random: SimRandom }) {
    this.#brokers = options.brokers
    this.#client = deps.client
    this.#random = deps.random
  }

  async run(isOver: () => boolean): Promise<void> {
    await Promise.all(
      this.#brokers.map(async (address) => {
        while (!isOver()) {
          await this.#ask(address)
          await this.#client.sleep(250)
        }
      }),
    )
  }

  /** Whether every broker has said since `sinceMs` that all replicas are in sync, and all say the same. */
  isWholeSince(sinceMs: number): boolean {
    const reports = [...this.#reports.values()]
    const areWhole = reports.every((report) => report.isWhole && report.atMs >= sinceMs)
    return areWhole && reports.length === this.#brokers.length && new Set(reports.map(summary)).size === 1
  }

  /** The last of whom somebody thought that it leads the metadata quorum; -1 where nobody did. */
  get quorumLeader(): number {
    return this.#quorumLeader
  }

  get last(): Metadata | undefined {
    return [...this.#reports.values()].toSorted((a, b) => b.atMs - a.atMs)[0]?.metadata
  }

  /** As far as metadata is committed, by the active controller. */
  async metadataEnd(): Promise<number> {
    const answer = await this.#client.insist(
      ApiKey.DescribeQuorum,
      METADATA_PARTITION,
      ({ topics }) => topics[0]?.partitions[0]?.errorCode === ErrorCode.NONE,
      () => false,
    )
    return Number(answer?.topics[0]?.partitions[0]?.highWatermark ?? 0)
  }

  async #ask(address: Address): Promise<void> {
    const target = { type: 'at', address } as const
    const atMs = this.#client.clock.monotonicMs()
    try {
      const body = { topics: null, allowAutoTopicCreation: false }
      const metadata = await this.#client.request(ApiKey.Metadata, body, target)
      this.#heard(metadata)
      this.#reports.set(address.host, { atMs, metadata, isWhole: isWhole(metadata, this.#brokers.length) })
      if (this.#random.chance(ASK_QUORUM)) await this.#askQuorum(address)
    } catch (error) {
      if (!(error instanceof KafkaError)) throw error
      this.#reports.delete(address.host)
    }
  }

  async #askQuorum(address: Address): Promise<void> {
    const target = { type: 'at', address } as const
    const { errorCode, topics } = await this.#client.request(ApiKey.DescribeQuorum, METADATA_PARTITION, target)
    const found = topics[0]?.partitions[0]
    if (errorCode !== ErrorCode.NONE || found === undefined || found.errorCode !== ErrorCode.NONE) return
    this.#quorumLed(found.leaderEpoch, found.leaderId)
  }

  /** Hears what a node logs. */
  hears(fields: object): void {
    if (isRole(fields)) this.#quorumLed(fields.epoch, fields.leaderId)
  }

  /** Somebody thinks that this node leads the quorum in this epoch. */
  #quorumLed(epoch: number, leaderId: number): void {
    this.#leads('the metadata quorum', epoch, leaderId)
    if (leaderId >= 0) this.#quorumLeader = leaderId
  }

  #heard({ topics }: Metadata): void {
    for (const { topicId, name, partitions } of topics) {
      const latest = this.#latest.get(topicId) ?? []
      this.#latest.set(topicId, latest)
      for (const { partitionIndex, leaderId, leaderEpoch } of partitions) {
        const before = latest[partitionIndex]
        if (before?.epoch === leaderEpoch && before.leaderId === leaderId) continue
        latest[partitionIndex] = { epoch: leaderEpoch, leaderId }
        this.#leads(`${name} ${topicId} ${partitionIndex}`, leaderEpoch, leaderId)
      }
    }
  }

  #leads(what: string, epoch: number, leaderId: number): void {
    if (leaderId < 0) return
    const key = `${what}: epoch ${epoch}`
    const known = this.#leaders.get(key)
    hold(known === undefined || known === leaderId, `${key} has two leaders, ${known} and ${leaderId}`)
    this.#leaders.set(key, leaderId)
  }
}

function isWhole({ topics, brokers }: Metadata, count: number): boolean {
  const areInSync = topics.every(({ partitions }) =>
    partitions.every(
      ({ isrNodes, replicaNodes, leaderId, offlineReplicas }) =>
        leaderId >= 0 && isrNodes.length === replicaNodes.length && offlineReplicas.length === 0,
    ),
  )
  return areInSync && brokers.length === count
}

function summary({ metadata }: Report): string {
  const topics = metadata.topics.flatMap(({ name, topicId, partitions }) =>
    partitions.map(({ partitionIndex, leaderId, leaderEpoch }) =>
      [name, topicId, partitionIndex, leaderId, leaderEpoch].join(),
    ),
  )
  return topics.toSorted().join(';')
}

/** What a node logs when its role in the quorum has changed. */
function isRole(fields: object): fields is { readonly epoch: number; readonly leaderId: number } {
  return 'role' in fields && 'epoch' in fields && 'leaderId' in fields
}
