import type { Clock } from '../env/clock.ts'
import type { Random } from '../env/random.ts'
import { KafkaError } from './kafka-error.ts'

export interface RetryOptions {
  /** From the first attempt to the end of the last. */
  readonly timeoutMs: number
  /** Before the second attempt; doubles up to `backoffMsMax`, plus or minus a fifth. */
  readonly backoffMs: number
  readonly backoffMsMax: number
}

export interface RetryDeps {
  readonly clock: Clock
  readonly random: Random
}

/**
 * Calls `attempt` with the milliseconds that are left until it succeeds, fails with an error that is not retriable, or time is up; then
 * rejects with the last error.
 */
export async function retry<T>(
  attempt: (leftMs: number) => Promise<T>,
  options: RetryOptions,
  deps: RetryDeps,
): Promise<T> {
  const deadlineMs = deps.clock.monotonicMs() + options.timeoutMs
  for (let backoffMs = options.backoffMs; ; backoffMs = Math.min(2 * backoffMs, options.backoffMsMax)) {
    try {
      return await attempt(deadlineMs - deps.clock.monotonicMs())
    } catch (error) {
      const waitMs = Math.round(backoffMs * (0.8 + deps.random.below(401) / 1000))
      const isTimeUp = deps.clock.monotonicMs() + waitMs >= deadlineMs
      if (!(error instanceof KafkaError) || !error.isRetriable || isTimeUp) throw error
      await new Promise<void>((resolve) => deps.clock.setTimer(waitMs, resolve))
    }
  }
}
