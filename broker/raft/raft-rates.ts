import type { Clock } from '../env/clock.ts'

/** As Kafka's clients measure rates: over two samples of so long each. */
const SAMPLE_MS = 30_000

export interface RaftRateValues {
  /** Records a second that were appended as the leader. */
  readonly appendRate: number
  /** Records a second that were fetched from the leader. */
  readonly fetchRate: number
  /** From an append to its commit. */
  readonly commitLatencyMs: Latency
  /** From when this node stood for election until there was a leader. */
  readonly electionLatencyMs: Latency
}

/** In ms; NaN where there was none. */
interface Latency {
  readonly average: number
  readonly max: number
}

interface Sample {
  readonly startMs: number
  appended: number
  fetched: number
  readonly commits: Latencies
  readonly elections: Latencies
}

class Latencies {
  #count = 0
  #totalMs = 0
  #maxMs = 0

  add(ms: number): void {
    this.#count++
    this.#totalMs += ms
    this.#maxMs = Math.max(this.#maxMs, ms)
  }

  /** Of all of them together. */
  static of(parts: readonly Latencies[]): Latency {
    const count = parts.reduce((sum, part) => sum + part.#count, 0)
    if (count === 0) return { average: NaN, max: NaN }
    const totalMs = parts.reduce((sum, part) => sum + part.#totalMs, 0)
    return { average: totalMs / count, max: Math.max(...parts.map((part) => part.#maxMs)) }
  }
}

/** How much goes through a member of the quorum, over the last half to whole minute. */
export class RaftRates {
  readonly #clock: Clock
  #previous: Sample
  #current: Sample
  /** The first append that is not known to be committed; the others meanwhile are not timed. */
  #timed: { readonly offset: number; readonly appendedMs: number } | undefined
  /** Since when this node stands for election. */
  #standsSinceMs: number | undefined

  constructor(deps: { readonly clock: Clock }) {
    this.#clock = deps.clock
    this.#current = sampleFrom(deps.clock.monotonicMs())
    this.#previous = this.#current
  }

  /** As the leader; `lastOffset` is the last of the `count` records. */
  appended(count: number, lastOffset: number): void {
    this.#sample().appended += count
    this.#timed ??= { offset: lastOffset, appendedMs: this.#clock.monotonicMs() }
  }

  fetched(count: number): void {
    this.#sample().fetched += count
  }

  /** Everything below `highWatermark` is committed. */
  committed(highWatermark: number): void {
    if (this.#timed === undefined || highWatermark <= this.#timed.offset) return
    this.#sample().commits.add(this.#clock.monotonicMs() - this.#timed.appendedMs)
    this.#timed = undefined
  }

  /** This node asks for votes, or whether it would get them. As Kafka does, the last time it asked is what counts. */
  stands(): void {
    this.#standsSinceMs = this.#clock.monotonicMs()
  }

  /** There is a leader, this node or another. */
  elected(): void {
    if (this.#standsSinceMs === undefined) return
    this.#sample().elections.add(this.#clock.monotonicMs() - this.#standsSinceMs)
    this.#standsSinceMs = undefined
  }

  /** Leadership is lost: what was appended may never be committed. */
  forget(): void {
    this.#timed = undefined
  }

  values(): RaftRateValues {
    const current = this.#sample()
    const samples = this.#previous === current ? [current] : [this.#previous, current]
    const total = (field: 'appended' | 'fetched'): number => samples.reduce((sum, sample) => sum + sample[field], 0)
    const elapsedMs = Math.max(SAMPLE_MS, this.#clock.monotonicMs() - this.#previous.startMs)
    return {
      appendRate: (total('appended') * 1000) / elapsedMs,
      fetchRate: (total('fetched') * 1000) / elapsedMs,
      commitLatencyMs: Latencies.of(samples.map(({ commits }) => commits)),
      electionLatencyMs: Latencies.of(samples.map(({ elections }) => elections)),
    }
  }

  #sample(): Sample {
    const nowMs = this.#clock.monotonicMs()
    const ageMs = nowMs - this.#current.startMs
    if (ageMs < SAMPLE_MS) return this.#current
    // After a silence the sample before this one is empty too.
    this.#previous = ageMs < 2 * SAMPLE_MS ? this.#current : sampleFrom(nowMs - SAMPLE_MS)
    this.#current = sampleFrom(nowMs)
    return this.#current
  }
}

function sampleFrom(startMs: number): Sample {
  return { startMs, appended: 0, fetched: 0, commits: new Latencies(), elections: new Latencies() }
}
