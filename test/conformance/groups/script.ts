import { setTimeout as sleep } from 'node:timers/promises'
import { ApiKey } from '../../../broker/protocol/api-key.ts'
import { APIS, type RequestInputOf, type ResponseOf } from '../../../broker/protocol/apis.ts'
import type { GroupApi, Target } from './targets.ts'

export const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)

type JoinOptions = Partial<RequestInputOf<typeof ApiKey.JoinGroup>>

/** ConsumerProtocolSubscription v0 of `orders`. */
export const SUBSCRIPTION = Uint8Array.from([0, 0, 0, 0, 0, 1, 0, 6, ...bytes('orders'), 255, 255, 255, 255])

/** Calls a target and notes every answer, with random ids replaced by names in the order in which they appear. */
export class Script {
  readonly lines: string[] = []
  readonly target: Target
  readonly #names = new Map<string, string>()

  constructor(target: Target) {
    this.target = target
    this.#names.set(target.topicId, '<orders>')
  }

  async call<K extends GroupApi>(key: K, version: number, request: RequestInputOf<K>): Promise<ResponseOf<K>> {
    const answer = await this.target.call(key, version, request)
    this.note(`${APIS[key].name} v${version}`, answer)
    return answer
  }

  note(what: string, value: unknown): void {
    this.lines.push(`${what}: ${this.#named(JSON.stringify(value, (key, part) => this.#toText(key, part)))}`)
  }

  #toText(key: string, value: unknown): unknown {
    if (typeof value === 'bigint') return `${value}n`
    if (value instanceof Uint8Array) return Buffer.from(value).toString('latin1')
    if (value !== null && typeof value === 'object' && 'type' in value && value.type === 'Buffer')
      return bufferText(value)
    // Apache Kafka keeps members in no order.
    if (key === 'members' && Array.isArray(value)) return value.toSorted((x, y) => this.#rank(x) - this.#rank(y))
    return value
  }

  /** Members in the order in which they first appeared. */
  #rank(member: { readonly memberId: string }): number {
    return [...this.#names.keys()].indexOf(member.memberId)
  }

  #named(text: string): string {
    return text.replaceAll(
      /"([\w-]*-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})"|"([\w-]{22})"/g,
      (all, member?: string, uuid?: string) => {
        const id = member ?? uuid ?? ''
        if (member !== undefined && !this.#names.has(id))
          this.#names.set(id, `<${id.slice(0, -37)} ${this.#names.size}>`)
        return this.#names.get(id) ?? all
      },
    )
  }

  join(version: number, options: JoinOptions = {}): Promise<ResponseOf<typeof ApiKey.JoinGroup>> {
    const protocols = [{ name: 'range', metadata: SUBSCRIPTION }]
    const timeouts = { sessionTimeoutMs: 10_000, rebalanceTimeoutMs: 3000 }
    const request = { groupId: 'g', ...timeouts, memberId: '', protocolType: 'consumer', protocols, ...options }
    return this.call(ApiKey.JoinGroup, version, request)
  }

  /** Joins, the second time with the id where that is asked for. */
  async joinTwice(version: number, options: JoinOptions = {}): Promise<ResponseOf<typeof ApiKey.JoinGroup>> {
    const first = await this.join(version, options)
    return first.errorCode === 0 ? first : this.join(version, { ...options, memberId: first.memberId })
  }

  sync(
    version: number,
    groupId: string,
    joined: Joined,
    assignments: readonly string[] = [],
    groupInstanceId: string | null = null,
  ) {
    const list = assignments.map((memberId, i) => ({ memberId, assignment: bytes(`assignment ${i}`) }))
    const { memberId, generationId } = joined
    return this.call(ApiKey.SyncGroup, version, {
      groupId,
      memberId,
      generationId,
      groupInstanceId,
      assignments: list,
      ...PROTOCOL,
    })
  }

  heartbeat(groupId: string, { memberId, generationId }: Joined, groupInstanceId: string | null = null) {
    return this.call(ApiKey.Heartbeat, 4, { groupId, memberId, generationId, groupInstanceId })
  }

  commit(
    version: number,
    groupId: string,
    member: Partial<RequestInputOf<typeof ApiKey.OffsetCommit>>,
    ...places: readonly Commit[]
  ) {
    const topics = places.map(({ topic = 'orders', topicId = this.target.topicId, partition = 0, metadata = 'm' }) => ({
      name: topic,
      topicId,
      partitions: [
        { partitionIndex: partition, committedOffset: 5n, committedLeaderEpoch: 1, committedMetadata: metadata },
      ],
    }))
    return this.call(ApiKey.OffsetCommit, version, {
      groupId,
      memberId: '',
      generationIdOrMemberEpoch: -1,
      topics,
      ...member,
    })
  }

  fetch(
    version: number,
    groupId: string,
    partitions: readonly number[] | null,
    topic = 'orders',
    topicId = this.target.topicId,
  ) {
    const topics = partitions === null ? null : [{ name: topic, topicId, partitionIndexes: partitions }]
    return this.call(ApiKey.OffsetFetch, version, { groupId, topics, groups: [{ groupId, topics }] })
  }

  describe(version: number, ...groups: readonly string[]) {
    return this.call(ApiKey.DescribeGroups, version, { groups })
  }

  pause(ms: number): Promise<void> {
    return sleep(ms)
  }
}

export type Joined = Pick<ResponseOf<typeof ApiKey.JoinGroup>, 'memberId' | 'generationId'>
export interface Commit {
  readonly topic?: string
  readonly topicId?: string
  readonly partition?: number
  readonly metadata?: string | null
}

const PROTOCOL = { protocolType: 'consumer', protocolName: 'range' }

/** A Buffer has become an object before the replacer sees it. */
function bufferText(value: object): string {
  return 'data' in value && Array.isArray(value.data) ? Buffer.from(value.data).toString('latin1') : ''
}
