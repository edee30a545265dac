import { KafkaError } from '../../../../broker/client/kafka-error.ts'
import type { Peer } from '../../../../broker/client/peer.ts'
import { ApiKey } from '../../../../broker/protocol/api-key.ts'
import { ErrorCode } from '../../../../broker/protocol/errors.ts'
import type { TestCluster } from '../rig/cluster.ts'
import { ClusterView, patiently } from './view.ts'

/** Where a group commits what nobody reads: behind it, whatever was committed before is. */
const BARRIER = 1

/** The offsets that a group without members has committed, of the first partition of a topic that has two. */
export class GroupOffsets implements Disposable {
  readonly #group: string
  readonly #name: string
  readonly #topicId: string
  readonly #view: ClusterView
  #last = -1

  constructor(cluster: TestCluster, group: string, topic: { readonly name: string; readonly topicId: string }) {
    this.#group = group
    this.#name = topic.name
    this.#topicId = topic.topicId
    this.#view = new ClusterView(topic.name, cluster.brokerAddresses)
  }

  /** What was committed last. */
  get last(): number {
    return this.#last
  }

  async commit(offset: number): Promise<void> {
    await this.#commit(0, offset)
    this.#last = offset
  }

  /**
   * Resolves when the coordinator knows that what it has loaded is committed. One of Apache Kafka's gives offsets as of the high watermark that
   * it knows: after a move of the leadership that is an older one for up to a second, or, where it rises while the coordinator begins to listen to
   * it, until the next commit.
   */
  settle(): Promise<void> {
    return this.#commit(BARRIER, 0)
  }

  #commit(partitionIndex: number, offset: number): Promise<void> {
    const partitions = [{ partitionIndex, committedOffset: BigInt(offset), committedMetadata: null }]
    const topics = [{ name: this.#name, topicId: this.#topicId, partitions }]
    return patiently(async () => {
      const coordinator = await this.#coordinator()
      const body = { groupId: this.#group, memberId: '', topics }
      const answer = await coordinator.request(ApiKey.OffsetCommit, body)
      check(answer.topics[0]?.partitions[0]?.errorCode)
    }, 60_000)
  }

  /** -1 where nothing is committed. */
  committed(): Promise<number> {
    const topics = [{ name: this.#name, topicId: this.#topicId, partitionIndexes: [0] }]
    return patiently(async () => {
      const coordinator = await this.#coordinator()
      const groups = [{ groupId: this.#group, topics }]
      const body = { groups, groupId: this.#group, topics, requireStable: false }
      const [group] = (await coordinator.request(ApiKey.OffsetFetch, body)).groups
      check(group?.errorCode)
      const partition = group?.topics[0]?.partitions[0]
      check(partition?.errorCode)
      return Number(partition?.committedOffset)
    }, 60_000)
  }

  async #coordinator(): Promise<Peer> {
    const body = { key: this.#group, keyType: 0, coordinatorKeys: [this.#group] }
    const [found] = (await this.#view.any(ApiKey.FindCoordinator, body)).coordinators
    check(found?.errorCode)
    return this.#view.peer({ host: found?.host ?? '', port: found?.port ?? 0 })
  }

  [Symbol.dispose](): void {
    this.#view.close()
  }
}

/** Throws what is not NONE. */
function check(errorCode: number = ErrorCode.UNKNOWN_SERVER_ERROR): void {
  if (errorCode !== ErrorCode.NONE) throw KafkaError.fromCode(errorCode)
}
