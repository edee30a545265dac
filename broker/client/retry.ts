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
 * rejects with the last error. An attempt that goes on for longer than that is not waited for: KafkaError REQUEST_TIMED_OUT.
 */
export async function retry<T>(
  attempt: (leftMs: number) => Promise<T>,
  options: RetryOptions,
  deps: RetryDeps,
): Promise<T> {
  const deadlineMs = deps.clock.monotonicMs() + options.timeoutMs
  const timeUp = Promise.withResolvers<never>()
  // It may come between two attempts, when nobody waits for it.
  timeUp.promise.catch(() => {})
  const timer = deps.clock.setTimer(options.timeoutMs, () => timeUp.reject(timedOut(options.timeoutMs)))
  try {
    for (let backoffMs = options.backoffMs; ; backoffMs = Math.min(2 * backoffMs, options.backoffMsMax)) {
      try {
        return await Promise.race([attempt(deadlineMs - deps.clock.monotonicMs()), timeUp.promise])
      } catch (error) {
        const waitMs = Math.round(backoffMs * (0.8 + deps.random.below(401) / 1000))
        const isTimeUp = deps.clock.monotonicMs() + waitMs >= deadlineMs
        if (!(error instanceof KafkaError) || !error.isRetriable || isTimeUp) throw error
        await new Promise<void>((resolve) => deps.clock.setTimer(waitMs, resolve))
      }
    }
  } finally {
    timer.cancel()
  }
}

function timedOut(timeoutMs: number): KafkaError {
  return new KafkaError('REQUEST_TIMED_OUT', `no answer in ${timeoutMs} ms`, { isRetriable: true })
}
