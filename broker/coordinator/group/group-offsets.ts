import type { Clock } from '../../env/clock.ts'
import { ZERO_UUID } from '../../lib/uuid.ts'
import { ErrorCode } from '../../protocol/errors.ts'
import type { NewRecord } from '../../records/record.ts'
import type { ClassicGroup } from './classic-group.ts'
import { type CommittedOffset, CommittedOffsets, type OffsetPlace, OffsetTable } from './committed-offsets.ts'
import type { MemberIdentity } from './effects.ts'
import type { GroupRegistry } from './group-registry.ts'
import { groupTombstone, offsetRecord, offsetTombstone } from './group-records.ts'
import { expiredOffsets, isSubscribed } from './offset-expiry.ts'
import type { RecordWriter } from './record-writer.ts'

/** From this version on a group that does not exist is told as such. */
const GROUP_ID_NOT_FOUND_SINCE = 9
/** A write goes into one batch, and a batch must not exceed what a partition takes. */
const TOMBSTONES_PER_WRITE = 1000

export interface Committer extends MemberIdentity {
  readonly groupId: string
  /** Negative: the consumer does not join groups, or an administrator sets offsets. */
  readonly generationId: number
  readonly apiVersion: number
}

export interface OffsetToCommit extends OffsetPlace {
  readonly value: Omit<CommittedOffset, 'recordOffset'>
}

/**
 * The committed offsets of one partition of `__consumer_offsets`. They change when the log has acknowledged the change, in the order
 * of the log: what a fetch returns was committed, and will be there after a restart.
 */
export class GroupOffsets {
  readonly offsets = new CommittedOffsets()
  readonly #retentionMs: number
  readonly #groups: GroupRegistry
  readonly #writer: Pick<RecordWriter, 'write'>
  readonly #clock: Clock
  /** How many commits of each offset are on their way to the log. */
  readonly #inFlight = new OffsetTable<number>()

  constructor(
    options: { readonly retentionMs: number },
    deps: { readonly groups: GroupRegistry; readonly writer: Pick<RecordWriter, 'write'>; readonly clock: Clock },
  ) {
    this.#retentionMs = options.retentionMs
    this.#groups = deps.groups
    this.#writer = deps.writer
    this.#clock = deps.clock
  }

  /** Whether this member may commit now; counts as a sign of life of it. Creates the group of a consumer that does not join. */
  authorize(committer: Committer): ErrorCode {
    const { groupId, generationId, apiVersion } = committer
    const known = this.#groups.get(groupId)
    if (known === undefined && generationId >= 0) {
      return apiVersion >= GROUP_ID_NOT_FOUND_SINCE ? ErrorCode.GROUP_ID_NOT_FOUND : ErrorCode.ILLEGAL_GENERATION
    }
    const group = known ?? this.#groups.getOrCreate(groupId)
    const errorCode = validateCommit(group, committer)
    if (errorCode === ErrorCode.NONE) this.#groups.onAlive(groupId, committer.memberId)
    return errorCode
  }

  commit(groupId: string, offsets: readonly OffsetToCommit[]): Promise<ErrorCode> {
    const records = offsets.map((each) => offsetRecord(groupId, each, { ...each.value, recordOffset: -1 }))
    for (const each of offsets) this.#inFlight.set(groupId, each, (this.#inFlight.get(groupId, each) ?? 0) + 1)
    return this.#write(records, (error, baseOffset) => {
      for (const each of offsets) this.#landed(groupId, each)
      if (error !== ErrorCode.NONE) return
      for (const [index, each] of offsets.entries()) {
        this.offsets.commit(groupId, each, { ...each.value, recordOffset: baseOffset + index })
      }
    })
  }

  #landed(groupId: string, place: OffsetPlace): void {
    const left = (this.#inFlight.get(groupId, place) ?? 1) - 1
    if (left === 0) this.#inFlight.delete(groupId, place)
    else this.#inFlight.set(groupId, place, left)
  }

  /** GROUP_ID_NOT_FOUND, NON_EMPTY_GROUP: other than a consumer group's, whose unsubscribed topics may go. */
  validateDelete(groupId: string): ErrorCode {
    const group = this.#groups.get(groupId)
    if (group === undefined) return ErrorCode.GROUP_ID_NOT_FOUND
    return group.state === 'Empty' || group.usesConsumerProtocol ? ErrorCode.NONE : ErrorCode.NON_EMPTY_GROUP
  }

  isSubscribed(groupId: string, topic: string): boolean {
    const group = this.#groups.get(groupId)
    return group !== undefined && isSubscribed(group, topic)
  }

  /** Deletes those of the offsets that there are. */
  delete(groupId: string, places: readonly OffsetPlace[]): Promise<ErrorCode> {
    const existing = places.filter((place) => this.#exists(groupId, place))
    return this.#deleteAll(existing.map((place) => ({ groupId, place })))
  }

  #exists(groupId: string, place: OffsetPlace): boolean {
    return (
      this.offsets.committed.get(groupId, place) !== undefined ||
      this.#inFlight.get(groupId, place) !== undefined ||
      this.offsets.isInTransaction(groupId, place)
    )
  }

  /** Deletes a group that is empty, with its offsets. NON_EMPTY_GROUP, GROUP_ID_NOT_FOUND, or what the append says. */
  deleteGroup(groupId: string): Promise<ErrorCode> {
    const group = this.#groups.get(groupId)
    if (group === undefined) return Promise.resolve(ErrorCode.GROUP_ID_NOT_FOUND)
    if (group.state !== 'Empty') return Promise.resolve(ErrorCode.NON_EMPTY_GROUP)
    const committed = this.offsets.placesOf(groupId)
    const coming = [...this.#inFlight.entriesOf(groupId)]
      .map(([place]) => place)
      .filter(({ topic, partition }) => !committed.some((each) => each.topic === topic && each.partition === partition))
    return this.#removeGroup(groupId, [...committed, ...coming])
  }

  async #removeGroup(groupId: string, places: readonly OffsetPlace[]): Promise<ErrorCode> {
    // At once: who joins from now on starts another group, whose records come behind these in the log.
    const restore = this.#groups.take(groupId)
    const offsetsGone = this.#deleteAll(places.map((place) => ({ groupId, place })))
    const groupGone = this.#write([groupTombstone(groupId)], (error) => {
      if (error !== ErrorCode.NONE) restore()
    })
    const offsetsError = await offsetsGone
    return offsetsError === ErrorCode.NONE ? groupGone : offsetsError
  }

  /** Forgets the offsets of a topic that was deleted; those of a topic that has its name by now stay. */
  async onTopicDeleted(name: string, topicId: string): Promise<void> {
    const gone: { groupId: string; place: OffsetPlace }[] = []
    for (const [groupId, topics] of this.offsets.committed.groups()) {
      for (const [partition, offset] of topics.get(name) ?? []) {
        if (offset.topicId === topicId || offset.topicId === ZERO_UUID)
          gone.push({ groupId, place: { topic: name, partition } })
      }
    }
    await this.#deleteAll(gone)
  }

  async #deleteAll(gone: readonly { groupId: string; place: OffsetPlace }[]): Promise<ErrorCode> {
    const writes: Promise<ErrorCode>[] = []
    for (let start = 0; start < gone.length; start += TOMBSTONES_PER_WRITE) {
      const part = gone.slice(start, start + TOMBSTONES_PER_WRITE)
      const records = part.map(({ groupId, place }) => offsetTombstone(groupId, place))
      writes.push(
        this.#write(records, (error) => {
          if (error !== ErrorCode.NONE) return
          for (const { groupId, place } of part) this.offsets.delete(groupId, place)
        }),
      )
    }
    const errors = await Promise.all(writes)
    return errors.find((error) => error !== ErrorCode.NONE) ?? ErrorCode.NONE
  }

  /** Removes what has expired (KIP-211), and empty groups that have nothing left. */
  expire(): void {
    const nowMs = this.#clock.wallMs()
    for (const group of this.#groups.all()) this.#expireGroup(group, nowMs)
  }

  #expireGroup(group: ClassicGroup, nowMs: number): void {
    const { groupId } = group
    if (this.#inFlight.ofGroup(groupId) !== undefined) return
    const { places, isAll } = expiredOffsets(group, this.offsets, nowMs, this.#retentionMs)
    if (isAll && group.state === 'Empty' && group.pendingJoins.size === 0) void this.#removeGroup(groupId, places)
    else void this.#deleteAll(places.map((place) => ({ groupId, place })))
  }

  #write(records: readonly NewRecord[], done: (error: ErrorCode, baseOffset: number) => void): Promise<ErrorCode> {
    return new Promise((resolve) => {
      this.#writer.write(records, (error, baseOffset) => {
        done(error, baseOffset)
        resolve(error)
      })
    })
  }
}

function validateCommit(group: ClassicGroup, committer: Committer): ErrorCode {
  const { generationId } = committer
  // Without a member: who does not join groups, or an administrator; only an empty group's offsets may be set so.
  if (generationId < 0 && group.state === 'Empty') return ErrorCode.NONE
  const errorCode = group.validateMember(committer)
  if (errorCode !== ErrorCode.NONE) return errorCode
  if (generationId !== group.generationId) return ErrorCode.ILLEGAL_GENERATION
  // The member knows the new generation, and has not been given its part of it yet.
  return group.state === 'CompletingRebalance' ? ErrorCode.REBALANCE_IN_PROGRESS : ErrorCode.NONE
}
