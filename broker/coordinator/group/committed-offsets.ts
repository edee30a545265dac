export interface CommittedOffset {
  /** Any int64: it is the consumer's business what it means by it. */
  readonly offset: bigint
  /** -1 where the client does not know it. */
  readonly leaderEpoch: number
  readonly metadata: string
  /** ms since the epoch. */
  readonly commitTimestampMs: number
  /** When it expires whatever the group does (OffsetCommit before v5); -1: by the rules of KIP-211. */
  readonly expireTimestampMs: number
  /** The zero uuid in offsets that were committed before Kafka 4.1. */
  readonly topicId: string
  /** Where its record is in `__consumer_offsets`. */
  readonly recordOffset: number
}

export interface OffsetPlace {
  readonly topic: string
  readonly partition: number
}

type TopicOffsets<T> = ReadonlyMap<string, ReadonlyMap<number, T>>

/** A value for each partition that a group has one for. */
export class OffsetTable<T> {
  readonly #groups = new Map<string, Map<string, Map<number, T>>>()
  #size = 0

  /** Offsets in all groups. */
  get size(): number {
    return this.#size
  }

  /** A group's offsets by topic and partition; undefined where it has none. */
  ofGroup(groupId: string): TopicOffsets<T> | undefined {
    return this.#groups.get(groupId)
  }

  groups(): Iterable<[string, TopicOffsets<T>]> {
    return this.#groups
  }

  get(groupId: string, { topic, partition }: OffsetPlace): T | undefined {
    return this.#groups.get(groupId)?.get(topic)?.get(partition)
  }

  set(groupId: string, { topic, partition }: OffsetPlace, value: T): void {
    const topics = getOrAdd(this.#groups, groupId)
    const partitions = getOrAdd(topics, topic)
    if (!partitions.has(partition)) this.#size++
    partitions.set(partition, value)
  }

  delete(groupId: string, { topic, partition }: OffsetPlace): void {
    const topics = this.#groups.get(groupId)
    const partitions = topics?.get(topic)
    if (topics === undefined || partitions === undefined || !partitions.delete(partition)) return
    this.#size--
    if (partitions.size === 0) topics.delete(topic)
    if (topics.size === 0) this.#groups.delete(groupId)
  }

  *entriesOf(groupId: string): Generator<[OffsetPlace, T]> {
    for (const [topic, partitions] of this.#groups.get(groupId) ?? []) {
      for (const [partition, value] of partitions) yield [{ topic, partition }, value]
    }
  }
}

function getOrAdd<K, L, V>(map: Map<K, Map<L, V>>, key: K): Map<L, V> {
  let inner = map.get(key)
  if (inner === undefined) {
    inner = new Map<L, V>()
    map.set(key, inner)
  }
  return inner
}

/**
 * The committed offsets of one partition of `__consumer_offsets`, and those of transactions that are still open (KIP-447): they are
 * in the log, and count when the transaction's COMMIT marker is.
 */
export class CommittedOffsets {
  readonly committed = new OffsetTable<CommittedOffset>()
  readonly #open = new Map<number, OffsetTable<CommittedOffset>>()

  commit(groupId: string, place: OffsetPlace, value: CommittedOffset): void {
    this.committed.set(groupId, place, value)
  }

  commitInTransaction(producerId: number, groupId: string, place: OffsetPlace, value: CommittedOffset): void {
    let table = this.#open.get(producerId)
    if (table === undefined) {
      table = new OffsetTable()
      this.#open.set(producerId, table)
    }
    table.set(groupId, place, value)
  }

  /** Ends a producer's transaction. An offset that was committed behind the transaction's own stays. */
  endTransaction(producerId: number, isCommit: boolean): void {
    const table = this.#open.get(producerId)
    this.#open.delete(producerId)
    if (table === undefined || !isCommit) return
    for (const [groupId] of table.groups()) {
      for (const [place, value] of table.entriesOf(groupId)) {
        const current = this.committed.get(groupId, place)
        if (current === undefined || value.recordOffset > current.recordOffset)
          this.committed.set(groupId, place, value)
      }
    }
  }

  /** Forgets an offset, in open transactions too. */
  delete(groupId: string, place: OffsetPlace): void {
    this.committed.delete(groupId, place)
    for (const table of this.#open.values()) table.delete(groupId, place)
  }

  isInTransaction(groupId: string, place: OffsetPlace): boolean {
    for (const table of this.#open.values()) if (table.get(groupId, place) !== undefined) return true
    return false
  }

  hasTransactions(groupId: string): boolean {
    for (const table of this.#open.values()) if (table.ofGroup(groupId) !== undefined) return true
    return false
  }

  /** Every place that holds something of the group: what tombstones must cover. */
  placesOf(groupId: string): OffsetPlace[] {
    const places = new OffsetTable<true>()
    for (const table of [this.committed, ...this.#open.values()]) {
      for (const [place] of table.entriesOf(groupId)) places.set(groupId, place, true)
    }
    return [...places.entriesOf(groupId)].map(([place]) => place)
  }
}
