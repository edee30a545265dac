import type { Clock } from '../env/clock.ts'

/** As Kafka's clients measure rates: over two samples of so long each. */
const SAMPLE_MS = 30_000

export interface RaftRateValues {
  /** Records a second that were appended as the leader. */
  readonly appendRate: number
  /** Records a second that were fetched from the leader. */
  readonly fetchRate: number
  /** From an append to its commit, in ms; NaN where nothing was committed. */
  readonly commitLatencyMs: { readonly average: number; readonly max: number }
}

interface Sample {
  startMs: number
  appended: number
  fetched: number
  commits: number
  commitMs: number
  commitMsMax: number
}

/** How much goes through a member of the quorum, over the last half to whole minute. */
export class RaftRates {
  readonly #clock: Clock
  #previous: Sample
  #current: Sample
  /** The first append that is not known to be committed; the others meanwhile are not timed. */
  #timed: { readonly offset: number; readonly appendedMs: number } | undefined

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
    const sample = this.#sample()
    const ms = this.#clock.monotonicMs() - this.#timed.appendedMs
    sample.commits++
    sample.commitMs += ms
    sample.commitMsMax = Math.max(sample.commitMsMax, ms)
    this.#timed = undefined
  }

  /** Leadership is lost: what was appended may never be committed. */
  forget(): void {
    this.#timed = undefined
  }

  values(): RaftRateValues {
    const current = this.#sample()
    const samples = this.#previous === current ? [current] : [this.#previous, current]
    const total = (field: Exclude<keyof Sample, 'startMs'>): number =>
      samples.reduce((sum, sample) => sum + sample[field], 0)
    const elapsedMs = Math.max(SAMPLE_MS, this.#clock.monotonicMs() - this.#previous.startMs)
    const commits = total('commits')
    return {
      appendRate: (total('appended') * 1000) / elapsedMs,
      fetchRate: (total('fetched') * 1000) / elapsedMs,
      commitLatencyMs: {
        average: commits === 0 ? NaN : total('commitMs') / commits,
        max: commits === 0 ? NaN : Math.max(...samples.map(({ commitMsMax }) => commitMsMax)),
      },
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
  return { startMs, appended: 0, fetched: 0, commits: 0, commitMs: 0, commitMsMax: 0 }
}
