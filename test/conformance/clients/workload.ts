import { createHash, type Hash } from 'node:crypto'

/** Every client does this same work, each in its own language, and reports what it saw; with `CLIENT_RECORDS=10000` there is more of it. */
export const RECORDS = Number(process.env['CLIENT_RECORDS'] ?? 4000)
/** What the first member of a group reads, where that can be told it. */
export const FIRST = Math.floor(RECORDS * 0.4)
export const PARTITIONS = 3
/** Timestamp of record 0, in ms; record i is stamped i later. */
export const BASE_TIMESTAMP = 1_700_000_000_000
export const CODECS = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const
/** 0 comes last: nobody tells such a producer that a topic made a moment ago has no leader yet. */
export const ACKS = ['all', '1', '0'] as const

export type Codec = (typeof CODECS)[number]
export type Acks = (typeof ACKS)[number]

export interface Run {
  readonly topic: string
  readonly codec: Codec
  readonly acks: Acks
}

/** What a client is told, as JSON on its standard input. */
export interface Plan {
  readonly bootstrap: string
  /** A prefix for the names of the topics and groups it makes itself. */
  readonly client: string
  readonly records: number
  readonly partitions: number
  readonly baseTimestamp: number
  readonly runs: readonly Run[]
}

/** Records of one partition, in the order in which they were read. */
export interface Seen {
  readonly count: number
  /** SHA-1, in hex, over `key|value|header|timestamp\n` of each. */
  readonly digest: string
}

export type Partitions = Record<string, Seen>

/** What a client answers, as JSON on its standard output. */
export interface Report {
  readonly runs: Record<string, Partitions>
  readonly group: GroupReport
  readonly admin: AdminReport
}

/** A group reads the first run's topic: one member reads a part, commits and leaves; the next goes on from there. */
export interface GroupReport {
  readonly first: number
  readonly second: number
  /** Of both members together. */
  readonly partitions: Partitions
}

export interface AdminReport {
  /** Partitions of a topic made with 2 and retention.ms 3600000. */
  readonly created: number
  readonly retention: string
  /** After retention.ms was set to 7200000. */
  readonly alteredRetention: string
  /** Partitions after it was grown to 5. */
  readonly grown: number
  readonly deleted: boolean
  /** First offset whose timestamp is `baseTimestamp + records / 2` or later, by partition of the first run's topic. */
  readonly offsetsAtHalf: Record<string, number>
  readonly groupListed: boolean
  readonly groupState: string
  /** The group's committed offsets, added up. */
  readonly committed: number
  readonly groupDeleted: boolean
}

export interface WorkRecord {
  readonly partition: number
  readonly key: string
  readonly value: string
  readonly header: string
  readonly timestamp: number
}

/** Record `index` of every run: its header is named `h`. */
export function workRecord(index: number): WorkRecord {
  return {
    partition: index % PARTITIONS,
    key: `key-${index}`,
    value: `value-${index}-${'abcdefghij'.repeat(index % 10)}`,
    header: String(index),
    timestamp: BASE_TIMESTAMP + index,
  }
}

/** Every codec, each with every one of `allAcks`. */
export function planOf(client: string, bootstrap: string, allAcks: readonly Acks[] = ACKS): Plan {
  const runs = CODECS.flatMap((codec) => allAcks.map((acks) => ({ topic: `${client}-${codec}-${acks}`, codec, acks })))
  return { bootstrap, client, records: RECORDS, partitions: PARTITIONS, baseTimestamp: BASE_TIMESTAMP, runs }
}

/** Adds up what is read from one topic. */
export class Tally {
  readonly #partitions = new Map<number, { count: number; hash: Hash }>()
  total = 0

  add(record: WorkRecord): void {
    let partition = this.#partitions.get(record.partition)
    if (partition === undefined) {
      partition = { count: 0, hash: createHash('sha1') }
      this.#partitions.set(record.partition, partition)
    }
    partition.count++
    partition.hash.update(`${record.key}|${record.value}|${record.header}|${record.timestamp}\n`)
    this.total++
  }

  partitions(): Partitions {
    const entries = [...this.#partitions].sort(([a], [b]) => a - b)
    return Object.fromEntries(
      entries.map(([partition, { count, hash }]) => [String(partition), { count, digest: hash.copy().digest('hex') }]),
    )
  }
}

/** What a reader of a whole run must have seen. */
export function expectedPartitions(): Partitions {
  const tally = new Tally()
  for (let index = 0; index < RECORDS; index++) tally.add(workRecord(index))
  return tally.partitions()
}

export const EXPECTED_ADMIN: AdminReport = {
  created: 2,
  retention: '3600000',
  alteredRetention: '7200000',
  grown: 5,
  deleted: true,
  offsetsAtHalf: Object.fromEntries(
    Array.from({ length: PARTITIONS }, (_, partition) => [
      partition,
      Math.ceil((RECORDS / 2 - partition) / PARTITIONS),
    ]),
  ),
  groupListed: true,
  groupState: 'Empty',
  committed: RECORDS,
  groupDeleted: true,
}
