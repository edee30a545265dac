import type { ExtraCondition } from '../api/conditions.ts'
import type { GroupState } from '../kafka/group-state.ts'
import { BEHIND_SECONDS } from './rules.ts'
import { Trend } from './trend.ts'
import { verdict } from './verdict.ts'

const MINUTE_MS = 60_000
const TREND = { windowMs: 10 * MINUTE_MS, gapMs: 0 }
/** What is known of less time than this says nothing, in ms. */
const SPAN_MIN_MS = 5 * MINUTE_MS

interface Pace {
  readonly lag: Trend
  readonly committed: Trend
}

/** How consumer groups keep up with what they read: as the Prometheus rule KafkaConsumerLagGrowing. */
export class Lags {
  /** By group and topic. */
  #paces = new Map<string, Pace>()
  #sinceMs: number | null = null

  /** A condition that cannot be told yet is left out. `nowMs`: monotonic. */
  take(groups: readonly GroupState[] | null, nowMs: number): ExtraCondition[] {
    if (groups === null) return []
    this.#sinceMs ??= nowMs
    const before = this.#paces
    this.#paces = new Map()
    const behind: string[] = []
    for (const { groupId, topics } of groups) {
      for (const { topic, lag, committed } of topics) {
        const name = `${groupId} on ${topic}`
        const pace = before.get(name) ?? { lag: new Trend(TREND), committed: new Trend(TREND) }
        this.#paces.set(name, pace)
        pace.lag.add(nowMs, lag)
        pace.committed.add(nowMs, committed)
        if (fallsBehind(pace, lag)) behind.push(name)
      }
    }
    return verdict('ConsumersKeepUp', nowMs - this.#sinceMs >= SPAN_MIN_MS, behind, {
      reason: 'LagGrowing',
      bad: 'consumer groups that fall behind',
      well: 'no consumer group falls behind',
    })
  }
}

function fallsBehind({ lag, committed }: Pace, records: number): boolean {
  if (lag.spanMs < SPAN_MIN_MS) return false
  const inSeconds = Math.max(0, committed.slope) * 1000
  return records > BEHIND_SECONDS * inSeconds && lag.slope > 0
}
