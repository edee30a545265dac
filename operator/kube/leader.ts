import type { Logger } from 'pino'
import type { Clock, Timer } from '../../broker/env/clock.ts'
import { microTimestamp } from '../api/conditions.ts'
import { LEASE } from '../api/resource.ts'
import type { Manifest, Resource } from '../api/resource.ts'
import { sleep } from '../runtime/sleep.ts'
import { isConflict } from './api.ts'
import type { KubeApi } from './api.ts'

export interface LeaderOptions {
  readonly namespace: string
  readonly name: string
  /** Unique among the candidates: the pod's name and something random. */
  readonly identity: string
  /** How long others wait after the last renewal that they saw. */
  readonly leaseMs: number
  /** Without a renewal for this long the leader stops; shorter than `leaseMs`, so that it has stopped before another begins. */
  readonly renewDeadlineMs: number
  readonly retryMs: number
}

export const LEADER_DEFAULTS = { leaseMs: 15_000, renewDeadlineMs: 10_000, retryMs: 2000 } as const

/** How long giving the lease back may take, and how long work that has been told to stop is waited for once the lease is lost. */
const RETURN_MS = 5000
const STOP_MS = 2000

interface Deps {
  /** The API with calls that stop when `signal` aborts. */
  readonly apiFor: (signal: AbortSignal) => KubeApi
  readonly clock: Clock
  readonly logger: Logger
}

interface Lease extends Resource {
  spec: {
    holderIdentity?: string
    leaseDurationSeconds?: number
    acquireTime?: string
    renewTime?: string
    leaseTransitions?: number
  }
}

/**
 * Leader election by a coordination.k8s.io Lease, as client-go does it: whoever writes the lease leads. Clocks of different machines are
 * never compared: a lease has run out when this process has seen it unchanged for its duration.
 */
export class LeaderElection {
  readonly #options: LeaderOptions
  readonly #deps: Deps
  readonly #api: KubeApi
  /** Ends what is being asked of the API. */
  readonly #calls = new AbortController()
  /** The last version of the lease that was seen, and when it was first seen, on the monotonic clock. */
  #observed: { version: string; sinceMs: number } | null = null

  constructor(options: LeaderOptions, deps: Deps) {
    this.#options = options
    this.#deps = deps
    this.#api = deps.apiFor(this.#calls.signal)
  }

  /**
   * Waits for the lease, then calls `lead` with a signal that aborts at once when the lease is lost or `signal` aborts; resolves when `lead`
   * is over, the lease given back. Resolves with 'lost' where that was the reason, 'ended' otherwise. Once in the life of an object.
   */
  async run(lead: (signal: AbortSignal) => Promise<void>, signal: AbortSignal): Promise<'lost' | 'ended'> {
    const leftMs = await this.#await(signal)
    if (leftMs === 0) return 'ended'
    this.#deps.logger.info({ identity: this.#options.identity }, 'leading')
    return this.#leadFor(leftMs, lead, signal)
  }

  /** Resolves with how long may be led by the lease, in ms; 0 where `signal` has aborted before. */
  async #await(signal: AbortSignal): Promise<number> {
    const { clock } = this.#deps
    let limit: Timer | undefined
    const end = (): void => void (limit = this.#endCalls())
    signal.addEventListener('abort', end, { once: true })
    try {
      for (;;) {
        const leftMs = await this.#tryHold()
        if (leftMs > 0) return leftMs
        await sleep(clock, this.#options.retryMs, signal)
        if (signal.aborted) return 0
      }
    } finally {
      signal.removeEventListener('abort', end)
      limit?.cancel()
    }
  }

  async #leadFor(
    leftMs: number,
    lead: (signal: AbortSignal) => Promise<void>,
    signal: AbortSignal,
  ): Promise<'lost' | 'ended'> {
    const { clock, logger } = this.#deps
    const over = new AbortController()
    const stuck = Promise.withResolvers<void>()
    let isLost = false
    const onLost = (): void => {
      isLost = true
      logger.error({ identity: this.#options.identity }, 'lease lost, stopping at once')
      over.abort(new Error('lease lost'))
      // A renewal under way would keep others from the lease, or this process from its end.
      this.#calls.abort(new Error('lease lost'))
      clock.setTimer(STOP_MS, stuck.resolve)
    }
    const renewing = this.#renew(leftMs, over.signal, onLost)
    try {
      await Promise.race([lead(AbortSignal.any([over.signal, signal])), stuck.promise])
    } finally {
      over.abort(new Error('ended'))
      if (!isLost) await this.#giveBack(renewing)
    }
    return isLost ? 'lost' : 'ended'
  }

  /** After the last renewal: one that is written later would take it again. */
  async #giveBack(renewing: Promise<void>): Promise<void> {
    const limit = this.#endCalls()
    await renewing
    await this.#release()
    limit.cancel()
  }

  #endCalls(): Timer {
    return this.#deps.clock.setTimer(RETURN_MS, () => this.#calls.abort(new Error('ended')))
  }

  /** Renews until `signal` aborts; calls `onLost` when that has not worked for `leftMs` at first, then for `renewDeadlineMs`. */
  async #renew(leftMs: number, signal: AbortSignal, onLost: () => void): Promise<void> {
    const { clock } = this.#deps
    // A timer of its own: a renewal may hang for longer than the lease lasts.
    let deadline = clock.setTimer(leftMs, onLost)
    signal.addEventListener('abort', () => deadline.cancel(), { once: true })
    for (;;) {
      await sleep(clock, this.#options.retryMs, signal)
      if (signal.aborted) return
      const nextMs = await this.#tryHold()
      if (nextMs === 0 || signal.aborted) continue
      deadline.cancel()
      deadline = clock.setTimer(nextMs, onLost)
    }
  }

  /**
   * Takes or renews the lease; resolves with how long it may be led by that, in ms, counted from when it was asked for: others count from when it
   * was written. 0 where another has it, or the API does not answer in time.
   */
  async #tryHold(): Promise<number> {
    const startMs = this.#deps.clock.monotonicMs()
    if (!(await this.#write())) return 0
    return Math.max(0, startMs + this.#options.renewDeadlineMs - this.#deps.clock.monotonicMs())
  }

  /** False where another has it or the API does not answer. */
  async #write(): Promise<boolean> {
    const { logger } = this.#deps
    const { namespace, name, identity } = this.#options
    try {
      const lease = await this.#api.get<Lease>(LEASE, namespace, name)
      if (lease === null) {
        await this.#api.create<Lease>(LEASE, { ...this.#mine(null), metadata: { namespace, name } })
        return true
      }
      if (!this.#isFree(lease) && lease.spec.holderIdentity !== identity) return false
      // Carries resourceVersion: of two candidates that see it run out, one gets a conflict.
      await this.#api.update<Lease>(LEASE, { ...this.#mine(lease), metadata: lease.metadata })
      return true
    } catch (error) {
      if (!isConflict(error)) logger.warn({ err: error }, 'lease not reached')
      return false
    }
  }

  #isFree(lease: Lease): boolean {
    const nowMs = this.#deps.clock.monotonicMs()
    const version = lease.metadata.resourceVersion ?? ''
    if (this.#observed?.version !== version) this.#observed = { version, sinceMs: nowMs }
    if ((lease.spec.holderIdentity ?? '') === '') return true
    const durationMs = (lease.spec.leaseDurationSeconds ?? 0) * 1000
    return nowMs - this.#observed.sinceMs >= durationMs
  }

  #mine(before: Lease | null): Omit<Lease, 'metadata'> & Omit<Manifest, 'metadata'> {
    const now = microTimestamp(this.#deps.clock.wallMs())
    const renewed = before?.spec.holderIdentity === this.#options.identity
    const transitions = before?.spec.leaseTransitions ?? 0
    return {
      apiVersion: LEASE.apiVersion,
      kind: LEASE.kind,
      spec: {
        holderIdentity: this.#options.identity,
        leaseDurationSeconds: Math.ceil(this.#options.leaseMs / 1000),
        acquireTime: renewed ? (before.spec.acquireTime ?? now) : now,
        renewTime: now,
        leaseTransitions: before === null || renewed ? transitions : transitions + 1,
      },
    }
  }

  /** Lets the next candidate begin without waiting for the lease to run out. */
  async #release(): Promise<void> {
    const { logger } = this.#deps
    const { namespace, name, identity } = this.#options
    try {
      const lease = await this.#api.get<Lease>(LEASE, namespace, name)
      if (lease?.spec.holderIdentity !== identity) return
      const spec = { ...lease.spec, holderIdentity: '', leaseDurationSeconds: 1 }
      await this.#api.update<Lease>(LEASE, { ...lease, spec })
    } catch (error) {
      logger.warn({ err: error }, 'lease not released')
    }
  }
}
