import { GroupCoordinator, type GroupCoordinatorOptions } from '../../../broker/coordinator/group/group-coordinator.ts'
import { NodeCompute } from '../../../broker/host/compute.ts'
import type { ApiKey } from '../../../broker/protocol/api-key.ts'
import type { RequestOf } from '../../../broker/protocol/apis.ts'
import { SimClock } from '../../fakes/clock.ts'
import { SimRandom } from '../../fakes/random.ts'
import { FakeLog, FakeTopics } from './fake-log.ts'
import { bytes } from './group-rig.ts'

export const OPTIONS: GroupCoordinatorOptions = {
  groupInitialRebalanceDelayMs: 0,
  groupMaxSize: 100,
  groupMinSessionTimeoutMs: 6000,
  groupMaxSessionTimeoutMs: 1_800_000,
  offsetMetadataMaxBytes: 20,
  offsetsRetentionMinutes: 60,
  offsetsRetentionCheckIntervalMs: 600_000,
  offsetsTopicCompressionCodec: 0,
}

const ignore = (): void => undefined

type Commit = RequestOf<typeof ApiKey.OffsetCommit>
type Fetch = RequestOf<typeof ApiKey.OffsetFetch>

/** A coordinator on a log, a clock and topics that the test holds. */
export class CoordinatorRig {
  readonly clock = new SimClock()
  readonly log: FakeLog
  readonly topics = new FakeTopics()
  readonly warnings: object[] = []
  readonly options: GroupCoordinatorOptions
  coordinator: GroupCoordinator

  constructor(options: Partial<GroupCoordinatorOptions> = {}, log = new FakeLog()) {
    this.options = { ...OPTIONS, ...options }
    this.log = log
    this.coordinator = this.#create()
  }

  static async open(options: Partial<GroupCoordinatorOptions> = {}, log = new FakeLog()): Promise<CoordinatorRig> {
    const rig = new CoordinatorRig(options, log)
    rig.coordinator.open()
    await rig.coordinator.onLoad(0, 1)
    return rig
  }

  #create(): GroupCoordinator {
    const note = (fields: object): void => {
      this.warnings.push(fields)
    }
    return new GroupCoordinator(this.options, {
      appender: this.log,
      clock: this.clock,
      compute: new NodeCompute(),
      logger: { info: ignore, warn: note, error: note },
      random: new SimRandom(7),
      topics: this.topics,
    })
  }

  /** Another broker that knows only the log. */
  async restart(): Promise<void> {
    await this.coordinator[Symbol.asyncDispose]()
    this.coordinator = this.#create()
    this.coordinator.open()
    await this.coordinator.onLoad(0, 2)
  }

  run<T>(work: T | Promise<T>): Promise<T> {
    return this.clock.runFor(Promise.resolve(work))
  }

  context(apiVersion: number) {
    return { apiVersion, clientId: 'client', clientAddress: '10.0.0.1' }
  }

  joinRequest(options: Partial<RequestOf<typeof ApiKey.JoinGroup>> = {}): RequestOf<typeof ApiKey.JoinGroup> {
    const timeouts = { sessionTimeoutMs: 10_000, rebalanceTimeoutMs: 60_000 }
    const protocols = [{ name: 'range', metadata: subscription('orders') }]
    const member = { memberId: '', groupInstanceId: null, protocolType: 'consumer', protocols, reason: null }
    return { groupId: 'g', ...timeouts, ...member, ...options }
  }

  /** A stable group of one member, which has been assigned `mine`. */
  async stableMember(): Promise<{ memberId: string; generationId: number }> {
    const context = this.context(9)
    const { memberId = '' } = await this.run(this.coordinator.joinGroup(this.joinRequest(), context))
    const { generationId = -1 } = await this.run(this.coordinator.joinGroup(this.joinRequest({ memberId }), context))
    await this.run(this.coordinator.syncGroup(this.syncRequest(memberId, generationId), this.context(5)))
    return { memberId, generationId }
  }

  syncRequest(memberId: string, generationId: number): RequestOf<typeof ApiKey.SyncGroup> {
    const assignments = [{ memberId, assignment: bytes('mine') }]
    const protocol = { protocolType: 'consumer', protocolName: 'range' }
    return { groupId: 'g', generationId, memberId, groupInstanceId: null, ...protocol, assignments }
  }

  /** Commits one offset; the error code of its partition. */
  commit(...args: Parameters<CoordinatorRig['commitLater']>) {
    return this.run(this.commitLater(...args))
  }

  /** As `commit`, without moving the clock until it is answered. */
  async commitLater(
    offset: number,
    options: Partial<Commit> & { metadata?: string; topic?: string; version?: number } = {},
  ) {
    const { metadata = 'note', topic = 'orders', version = 9, ...request } = options
    const partition = {
      partitionIndex: 0,
      committedOffset: BigInt(offset),
      committedLeaderEpoch: 3,
      committedMetadata: metadata,
    }
    const topics = [{ topicId: this.topics.idOf(topic) ?? '', name: topic, partitions: [partition] }]
    const member = { generationIdOrMemberEpoch: -1, memberId: '', groupInstanceId: null, retentionTimeMs: -1n }
    const answer = this.coordinator.offsetCommit({ groupId: 'g', ...member, topics, ...request }, this.context(version))
    const { topics: results } = await answer
    return results?.[0]?.partitions?.[0]?.errorCode
  }

  fetchRequest(groupId: string, topics: Fetch['groups'][number]['topics'], requireStable = false): Fetch {
    return { groups: [{ groupId, memberId: null, memberEpoch: -1, topics }], groupId: '', topics: [], requireStable }
  }

  /** The committed offset of partition 0, as a number, or the name of what is wrong. */
  fetch(...args: Parameters<CoordinatorRig['fetchLater']>) {
    return this.run(this.fetchLater(...args))
  }

  async fetchLater(groupId = 'g', topic = 'orders', requireStable = false) {
    const request = this.fetchRequest(groupId, [{ topicId: '', name: topic, partitionIndexes: [0] }], requireStable)
    const { groups } = await this.coordinator.offsetFetch(request, this.context(9))
    const found = groups?.[0]?.topics?.[0]?.partitions?.[0]
    if (found === undefined) return { groupError: groups?.[0]?.errorCode }
    return { offset: Number(found.committedOffset), epoch: found.committedLeaderEpoch, metadata: found.metadata }
  }
}

/** ConsumerProtocolSubscription v0. */
export function subscription(...topics: string[]): Uint8Array {
  const parts = [Buffer.from([0, 0, 0, 0, 0, topics.length])]
  for (const topic of topics) parts.push(Buffer.from([0, topic.length]), Buffer.from(topic))
  return Buffer.concat([...parts, Buffer.from([0xff, 0xff, 0xff, 0xff])])
}
