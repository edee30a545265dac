import type { Clock } from '../../env/clock.ts'
import { inRuns } from '../../lib/runs.ts'
import { Turns } from '../../lib/turns.ts'
import { ZERO_UUID } from '../../lib/uuid.ts'
import { ErrorCode } from '../../protocol/errors.ts'
import type { NewRecord } from '../../records/record.ts'
import type { ClassicGroup } from './classic-group.ts'
import { type CommittedOffset, CommittedOffsets, type OffsetPlace, OffsetTable } from './committed-offsets.ts'
import type { MemberIdentity } from './effects.ts'
import type { GroupRegistry } from './group-registry.ts'
import { groupTombstone, offsetRecord, offsetTombstone } from './group-records.ts'
import { expiredOffsets, isSubscribed } from './offset-expiry.ts'
import { type RecordWriter, sizeOf } from './record-writer.ts'

/** From this version on a group that does not exist is told as such. */
const GROUP_ID_NOT_FOUND_SINCE = 9

export interface Committer extends MemberIdentity {
  readonly groupId: string
  /** Negative: the consumer does not join groups, or an administrator sets offsets. */
  readonly generationId: number
  readonly apiVersion: number
}

export interface OffsetToCommit extends OffsetPlace {
  readonly value: Omit<CommittedOffset, 'recordOffset'>
}

interface Tombstone {
  readonly groupId: string
  readonly place: OffsetPlace
  readonly record: NewRecord
}

/**
 * The committed offsets of one partition of `__consumer_offsets`. They change when the log has acknowledged the change, in the order
 * of the log: what a fetch returns was committed, and will be there after a restart. A group that has offsets in the log is there too.
 */
export class GroupOffsets {
  readonly offsets = new CommittedOffsets()
  readonly #retentionMs: number
  readonly #groups: GroupRegistry
  readonly #writer: Pick<RecordWriter, 'write' | 'writeBytesMax'>
  readonly #clock: Clock
  /** How many commits of each offset are on their way to the log. */
  readonly #inFlight = new OffsetTable<number>()
  /** How many removals of each group are on their way to the log. */
  readonly #removals = new Map<string, number>()
  readonly #deletedTopics = new Map<string, string>()
  #forgetting: Promise<void> | undefined
  #isForgettingDue = false

  constructor(
    options: { readonly retentionMs: number },
    deps: {
      readonly groups: GroupRegistry
      readonly writer: Pick<RecordWriter, 'write' | 'writeBytesMax'>
      readonly clock: Clock
    },
  ) {
    this.#retentionMs = options.retentionMs
    this.#groups = deps.groups
    this.#writer = deps.writer
    this.#clock = deps.clock
  }

  /** Whether this member may commit now; counts as a sign of life of it. The group of a consumer that does not join need not be there. */
  authorize(committer: Committer): ErrorCode {
    const { groupId, generationId, apiVersion } = committer
    const group = this.#groups.get(groupId)
    if (group === undefined) {
      if (generationId < 0) return ErrorCode.NONE
      return apiVersion >= GROUP_ID_NOT_FOUND_SINCE ? ErrorCode.GROUP_ID_NOT_FOUND : ErrorCode.ILLEGAL_GENERATION
    }
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
      this.keepGroup(groupId)
    })
  }

  /** A group whose offsets are in the log is there, whatever became of its own record: a reload would find it, and they are told with it. */
  keepGroup(groupId: string): void {
    if (this.#removals.has(groupId)) return
    if (this.offsets.committed.ofGroup(groupId) !== undefined || this.offsets.hasTransactions(groupId)) {
      this.#groups.getOrCreate(groupId)
    }
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
      .filter(
        (place) =>
          this.offsets.committed.get(groupId, place) === undefined && !this.offsets.isInTransaction(groupId, place),
      )
    return this.#removeGroup(groupId, [...committed, ...coming])
  }

  async #removeGroup(groupId: string, places: readonly OffsetPlace[]): Promise<ErrorCode> {
    // At once: who joins from now on starts another group, whose records come behind these in the log.
    const restore = this.#groups.take(groupId)
    this.#removals.set(groupId, (this.#removals.get(groupId) ?? 0) + 1)
    const offsetsGone = this.#deleteAll(places.map((place) => ({ groupId, place })))
    const groupGone = this.#write([groupTombstone(groupId)], (error) => {
      if (error !== ErrorCode.NONE) restore()
      this.#removed(groupId)
    })
    const offsetsError = await offsetsGone
    return offsetsError === ErrorCode.NONE ? groupGone : offsetsError
  }

  /** Of its tombstones some may have been refused: the group is there with the offsets that are left. */
  #removed(groupId: string): void {
    const left = (this.#removals.get(groupId) ?? 1) - 1
    if (left > 0) this.#removals.set(groupId, left)
    else this.#removals.delete(groupId)
    this.keepGroup(groupId)
  }

  /** Everything that the log tells has been told. A group may be deleted in it whose offsets are not: not all that deletes it was written. */
  async onLoaded(): Promise<void> {
    const turns = new Turns({ clock: this.#clock })
    for (const [groupId] of this.offsets.committed.groups()) {
      this.keepGroup(groupId)
      if (turns.isOver) await turns.next()
    }
  }

  /** Notes a topic whose offsets are to be forgotten. */
  topicDeleted(name: string, topicId: string): void {
    this.#deletedTopics.set(topicId, name)
  }

  /** Their names by id: topics of which there may be offsets left. */
  get deletedTopics(): ReadonlyMap<string, string> {
    return this.#deletedTopics
  }

  /**
   * Forgets the offsets of topics that were deleted; what cannot be forgotten now is at the next call. Resolves when all has an outcome. Topics
   * that are deleted meanwhile come next, together: for a thousand of them all groups are looked at once.
   */
  forgetDeletedTopics(): Promise<void> {
    this.#isForgettingDue = true
    this.#forgetting ??= this.#forgetAll()
    return this.#forgetting
  }

  async #forgetAll(): Promise<void> {
    while (this.#isForgettingDue) {
      this.#isForgettingDue = false
      await this.#forgetTopics(new Map(this.#deletedTopics))
    }
    this.#forgetting = undefined
  }

  /** `deleted`: names by id. Offsets of a topic that has such a name by now stay. */
  async #forgetTopics(deleted: ReadonlyMap<string, string>): Promise<void> {
    if (deleted.size === 0) return
    const turns = new Turns({ clock: this.#clock })
    const names = new Set(deleted.values())
    const isGone = ({ topicId }: CommittedOffset): boolean => deleted.has(topicId) || topicId === ZERO_UUID
    const left = new Set<string>()
    // A commit on its way may be one to the next topic of that name: its place is looked at again.
    for (const [, topics] of this.#inFlight.groups()) for (const name of topics.keys()) left.add(name)
    const writes: Promise<void>[] = []
    for (const [groupId, topics] of this.offsets.committed.groups()) {
      const gone: { groupId: string; place: OffsetPlace }[] = []
      for (const place of placesWhere(topics, names, isGone)) {
        if (this.#inFlight.get(groupId, place) === undefined) gone.push({ groupId, place })
        else left.add(place.topic)
      }
      // Before others have their turn: what they commit comes behind it in the log.
      if (gone.length > 0) writes.push(this.#forget(gone, left))
      if (turns.isOver) await turns.next()
    }
    await Promise.all(writes)
    for (const [topicId, name] of deleted) if (!left.has(name)) this.#deletedTopics.delete(topicId)
  }

  /** Notes in `left` of which topics something may be left. */
  async #forget(gone: readonly { groupId: string; place: OffsetPlace }[], left: Set<string>): Promise<void> {
    if ((await this.#deleteAll(gone)) === ErrorCode.NONE) return
    for (const { place } of gone) left.add(place.topic)
  }

  /** A write goes into one batch, and many tombstones may be more than a partition takes in one. */
  async #deleteAll(gone: readonly { groupId: string; place: OffsetPlace }[]): Promise<ErrorCode> {
    const tombstones = gone.map((each) => ({ ...each, record: offsetTombstone(each.groupId, each.place) }))
    const parts = inRuns(tombstones, ({ record }) => sizeOf([record]), { bytesMax: this.#writer.writeBytesMax })
    const errors = await Promise.all(parts.map((part) => this.#writeTombstones(part)))
    return errors.find((error) => error !== ErrorCode.NONE) ?? ErrorCode.NONE
  }

  #writeTombstones(part: readonly Tombstone[]): Promise<ErrorCode> {
    return this.#write(
      part.map(({ record }) => record),
      (error) => {
        if (error !== ErrorCode.NONE) return
        for (const { groupId, place } of part) this.offsets.delete(groupId, place)
      },
    )
  }

  /**
   * Removes what has expired (KIP-211), what is left of deleted topics, and empty groups that have nothing left. Resolves when all groups have been
   * looked at, whatever the log takes.
   */
  async expire(): Promise<void> {
    void this.forgetDeletedTopics()
    const turns = new Turns({ clock: this.#clock })
    const nowMs = this.#clock.wallMs()
    // Groups that could not be removed come back behind all others: while the log takes nothing, this would never end.
    let left = this.#groups.count
    for (const group of this.#groups.all()) {
      if (left-- === 0) break
      this.#expireGroup(group, nowMs)
      if (turns.isOver) await turns.next()
    }
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

function* placesWhere(
  topics: ReadonlyMap<string, ReadonlyMap<number, CommittedOffset>>,
  names: ReadonlySet<string>,
  holds: (offset: CommittedOffset) => boolean,
): Generator<OffsetPlace> {
  for (const topic of names.size < topics.size ? names : topics.keys()) {
    if (!names.has(topic)) continue
    for (const [partition, offset] of topics.get(topic) ?? []) if (holds(offset)) yield { topic, partition }
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
