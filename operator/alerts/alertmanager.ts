import type { Clock } from '../../broker/env/clock.ts'
import type { PostableAlert } from './firing.ts'

/** Sends JSON, follows no redirect, and gives the status of the answer. Rejects where there is none, or `signal` aborts. */
export type PostJson = (url: string, body: string, signal: AbortSignal) => Promise<{ readonly status: number }>

interface Deps {
  readonly post: PostJson
  readonly clock: Clock
}

/** A worker waits for it. */
const TIMEOUT_MS = 3000

/** Alertmanager's API v2 (POST /api/v2/alerts). */
export class Alertmanager {
  readonly #deps: Deps

  constructor(deps: Deps) {
    this.#deps = deps
  }

  /** Sends `alerts` to the Alertmanager at `url`. Gives why it does not have them, in words, or null. Never rejects. */
  async send(url: string, alerts: readonly PostableAlert[]): Promise<string | null> {
    const timeout = new AbortController()
    const timer = this.#deps.clock.setTimer(TIMEOUT_MS, () => timeout.abort())
    try {
      const endpoint = `${url.replace(/\/+$/, '')}/api/v2/alerts`
      const { status } = await this.#deps.post(endpoint, JSON.stringify(alerts), timeout.signal)
      return status >= 200 && status < 300 ? null : `it answers with status ${status}`
    } catch (error) {
      if (timeout.signal.aborted) return `no answer in ${TIMEOUT_MS / 1000} s`
      return reasonOf(error)
    } finally {
      timer.cancel()
    }
  }
}

/** `fetch` says only that it failed; why is in the cause. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return error.cause === undefined ? error.message : `${error.message}: ${reasonOf(error.cause)}`
}
