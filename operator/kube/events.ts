import type { Logger } from 'pino'
import type { Clock } from '../../broker/env/clock.ts'
import type { Random } from '../../broker/env/random.ts'
import { microTimestamp } from '../api/conditions.ts'
import { EVENT, MANAGED_BY } from '../api/resource.ts'
import type { Manifest, Resource } from '../api/resource.ts'
import { isNotFound } from './api.ts'
import type { KubeApi } from './api.ts'

export interface EventNote {
  readonly type: 'Normal' | 'Warning'
  /** CamelCase, as in conditions. */
  readonly reason: string
  /** What the operator did or tried: CamelCase verb. */
  readonly action: string
  /** At most 1 KiB is kept. */
  readonly note: string
}

const NOTE_BYTES_MAX = 1024
/** A repetition within this time counts up the first Event instead of making another. */
const SERIES_MS = 30 * 60_000
const REMEMBERED_MAX = 1000
/** Of each type: what ten thousand objects have to say would drown the API server, and everybody who reads Events. */
const BURST = 100
const REFILL_MS = 200

/**
 * Writes events.k8s.io/v1 Events about objects. Repetitions become a series, and what is too much is left out: callers log the same words. A
 * failure is logged, never thrown: Events are for people.
 */
export class EventRecorder {
  readonly #options: { instance: string }
  readonly #deps: { api: KubeApi; clock: Clock; random: Random; logger: Logger }
  readonly #recent = new Map<string, { name: string; count: number; sinceMs: number }>()
  /** By type: when a whole burst is to be had again. */
  readonly #usedUntilMs = new Map<EventNote['type'], number>()

  /** `instance` names this process: `reportingInstance`. */
  constructor(options: { instance: string }, deps: { api: KubeApi; clock: Clock; random: Random; logger: Logger }) {
    this.#options = options
    this.#deps = deps
  }

  async record(about: Resource, event: EventNote): Promise<void> {
    const { clock, logger } = this.#deps
    if (!this.#isAffordable(event.type)) return
    const namespace = about.metadata.namespace ?? 'default'
    const identity = [about.metadata.uid, event.type, event.reason, event.action, event.note].join('\n')
    const known = this.#recent.get(identity)
    try {
      if (known !== undefined && clock.monotonicMs() - known.sinceMs < SERIES_MS) {
        if (await this.#countUp(namespace, known)) return
      }
      await this.#create(namespace, identity, about, event)
    } catch (error) {
      logger.warn({ err: error, reason: event.reason }, 'event not written')
    }
  }

  /** A token bucket, kept as the time at which it would be full again. */
  #isAffordable(type: EventNote['type']): boolean {
    const nowMs = this.#deps.clock.monotonicMs()
    const usedUntilMs = Math.max(this.#usedUntilMs.get(type) ?? 0, nowMs) + REFILL_MS
    if (usedUntilMs - nowMs > BURST * REFILL_MS) return false
    this.#usedUntilMs.set(type, usedUntilMs)
    return true
  }

  async #countUp(namespace: string, known: { name: string; count: number }): Promise<boolean> {
    known.count += 1
    const lastObservedTime = microTimestamp(this.#deps.clock.wallMs())
    try {
      await this.#deps.api.patch(EVENT, namespace, known.name, { series: { count: known.count, lastObservedTime } })
      return true
    } catch (error) {
      if (isNotFound(error)) return false
      throw error
    }
  }

  async #create(namespace: string, identity: string, about: Resource, event: EventNote): Promise<void> {
    const { api, clock, random } = this.#deps
    const suffix = Buffer.from(random.bytes(8)).toString('hex')
    const name = `${about.metadata.name.slice(0, 200)}.${suffix}`
    const manifest: Manifest = {
      apiVersion: EVENT.apiVersion,
      kind: EVENT.kind,
      metadata: { namespace, name },
      eventTime: microTimestamp(clock.wallMs()),
      reportingController: `kafka.ottla.dev/${MANAGED_BY}`,
      reportingInstance: this.#options.instance,
      action: event.action,
      reason: event.reason,
      type: event.type,
      note: cut(event.note),
      regarding: {
        apiVersion: about.apiVersion,
        kind: about.kind,
        namespace,
        name: about.metadata.name,
        uid: about.metadata.uid,
        resourceVersion: about.metadata.resourceVersion,
      },
    }
    await api.create(EVENT, manifest)
    this.#remember(identity, { name, count: 1, sinceMs: clock.monotonicMs() })
  }

  #remember(identity: string, entry: { name: string; count: number; sinceMs: number }): void {
    this.#recent.delete(identity)
    this.#recent.set(identity, entry)
    for (const oldest of this.#recent.keys()) {
      if (this.#recent.size <= REMEMBERED_MAX) return
      this.#recent.delete(oldest)
    }
  }
}

/** The API server counts bytes; of a character that does not fit nothing is left. */
function cut(note: string): string {
  return new TextDecoder().decode(Buffer.from(note).subarray(0, NOTE_BYTES_MAX), { stream: true })
}
