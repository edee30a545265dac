import { assert } from '../lib/assert.ts'
import type { QuorumRecords } from './control-records.ts'
import type { Voter } from './voters.ts'

/** kraft.version and the voters, as one record of the log has them. */
export interface QuorumEntry {
  /** Of the record; the last offset of a snapshot; -1 for what the configuration or the format command says. */
  readonly offset: number
  readonly kraftVersion: number
  readonly voters: readonly Voter[]
  /** Where the voters were last in the log; -1 where they never were. */
  readonly votersOffset: number
}

/**
 * Who the voters are, along the log: they count from the moment that they are appended (KIP-853), and where their record is truncated,
 * those before them count again.
 */
export class QuorumHistory {
  #entries: QuorumEntry[]

  constructor(initial: QuorumEntry) {
    this.#entries = [initial]
  }

  get current(): QuorumEntry {
    const entry = this.#entries.at(-1)
    assert(entry !== undefined, 'the first entry stays')
    return entry
  }

  /** What held for everything below `endOffset`. */
  at(endOffset: number): QuorumEntry {
    return this.#entries.findLast(({ offset }) => offset < endOffset) ?? this.current
  }

  /** Who is a voter in what holds for everything below `endOffset`, or in anything behind that; somebody may be there several times. */
  votersFrom(endOffset: number): readonly Voter[] {
    const first = this.#entries.indexOf(this.at(endOffset))
    return this.#entries.slice(first).flatMap(({ voters }) => voters)
  }

  /** Control records were appended at `offset`; whether they say anything of the quorum. */
  append(offset: number, records: Pick<QuorumRecords, 'kraftVersion' | 'voters'>): boolean {
    if (records.kraftVersion === undefined && records.voters === undefined) return false
    const { kraftVersion, voters, votersOffset } = this.current
    this.#entries.push({
      offset,
      kraftVersion: records.kraftVersion ?? kraftVersion,
      voters: records.voters ?? voters,
      votersOffset: records.voters === undefined ? votersOffset : offset,
    })
    return true
  }

  /** The log now ends at `endOffset`; whether that changes anything. */
  truncate(endOffset: number): boolean {
    const [first, ...later] = this.#entries
    assert(first !== undefined, 'the first entry stays')
    const kept = later.filter(({ offset }) => offset < endOffset)
    if (kept.length === later.length) return false
    this.#entries = [first, ...kept]
    return true
  }

  /** A snapshot has taken the log's place. What it does not say stays as configured. */
  reset(offset: number, records: Pick<QuorumRecords, 'kraftVersion' | 'voters'>): void {
    const [first] = this.#entries
    assert(first !== undefined, 'the first entry stays')
    this.#entries = [
      {
        offset,
        kraftVersion: records.kraftVersion ?? 0,
        voters: records.voters ?? first.voters,
        votersOffset: records.voters === undefined ? -1 : offset,
      },
    ]
  }
}
