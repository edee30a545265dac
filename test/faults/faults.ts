import { KafkaError } from '../../broker/client/kafka-error.ts'
import type { Clock } from '../../broker/env/clock.ts'
import type { KubeApi } from '../../operator/kube/api.ts'
import { KubeError } from '../../operator/kube/api.ts'

/**
 * What happens at one write:
 * - `before`: it never arrives, and the operator dies.
 * - `after`: it is done, its answer is lost, and the operator dies.
 * - `refused`: it is not done, the operator is told, and goes on.
 * - `unanswered`: it is done, the operator is told that it might not be, and goes on.
 * - `paused`: the operator stands still for longer than its lease, and goes on with it as if nothing had happened.
 */
export type Kind = 'before' | 'after' | 'refused' | 'unanswered' | 'paused'
export const KINDS: readonly Kind[] = ['before', 'after', 'refused', 'unanswered']

/** A fault at the write number `at`, counted from 1. */
export interface Fault {
  readonly at: number
  readonly kind: Kind
}

export interface Write {
  /** As `verb what`. */
  readonly what: string
  /** Whether it has changed anything. */
  readonly isEffective: boolean
}

/** What can be done to the operator that writes. */
export interface Writer {
  kill(): void
  /** Resolves when it goes on. */
  pause(): Promise<void>
}

/** What answers the operator: Kubernetes and Kafka. Every write passes here once, and one of them meets the fault. */
export class Faults {
  readonly writes: Write[] = []
  readonly #fault: Fault | null
  readonly #version: () => string
  #count = 0

  /** `version` is another one when anything has changed. */
  constructor(fault: Fault | null, { version }: { version: () => string }) {
    this.#fault = fault
    this.#version = version
  }

  /** Performs a write, or what becomes of it. `failure`: what a request ends with that has no answer. */
  write<T>(writer: Writer, what: string, perform: () => Promise<T>, failure: () => Error): Promise<T> {
    this.#count += 1
    if (this.#fault === null) return this.#perform(what, perform)
    if (this.#count !== this.#fault.at) return perform()
    return this.#fail(this.#fault.kind, writer, perform, failure)
  }

  async #perform<T>(what: string, perform: () => Promise<T>): Promise<T> {
    const before = this.#version()
    const result = perform()
    this.writes.push({ what, isEffective: this.#version() !== before })
    return result
  }

  async #fail<T>(kind: Kind, writer: Writer, perform: () => Promise<T>, failure: () => Error): Promise<T> {
    if (kind === 'paused') {
      await writer.pause()
      return perform()
    }
    if (kind === 'before') writer.kill()
    if (kind === 'after') {
      // Done in this very moment, before anybody else sees that the operator is gone.
      const done = perform()
      writer.kill()
      await done.catch(() => undefined)
    }
    if (kind === 'refused') throw failure()
    if (kind === 'unanswered') {
      await perform()
      throw failure()
    }
    return NEVER
  }
}

/** A write of one operator; see Faults.write. */
export type Perform = <T>(what: string, perform: () => Promise<T>, failure: () => Error) => Promise<T>

/** How a request ends that Kubernetes has no time for: it may be done all the same. */
export interface Trouble {
  readonly error: Error
  readonly isDone: boolean
}

/** Kubernetes. */
function internal(): Error {
  return new KubeError(500, 'InternalError', 'etcdserver: request timed out')
}

/** Kafka. */
export function unreachable(): Error {
  return KafkaError.network('the connection was closed')
}

/** Whoever waits for it is gone. */
const NEVER = new Promise<never>(() => {})

/** How long a request is on its way: what happens meanwhile is handled in one go, as it is in a real Kubernetes. */
const WAY_MS = 2

const READS = new Set(['get', 'list', 'watch'])

export interface ApiOptions {
  readonly isAlive: () => boolean
  readonly write: Perform
  readonly clock: Clock
  /** How late events come, in ms. */
  readonly lagMs: number
  readonly trouble: () => Trouble | null
}

/** `api` as one process sees it: nothing is asked or answered once it is dead, its clock stands still, or `signal` has aborted. */
export function apiOf(api: KubeApi, options: ApiOptions, signal: AbortSignal): KubeApi {
  const { isAlive, write, clock, lagMs, trouble } = options
  const call = (verb: string, perform: (...args: unknown[]) => Promise<unknown>) => {
    return async (...args: unknown[]): Promise<unknown> => {
      await new Promise<void>((resolve) => clock.setTimer(WAY_MS, resolve))
      signal.throwIfAborted()
      const [type, first] = args as [{ kind: string }, string | { metadata?: { name?: string } } | undefined]
      const name = typeof first === 'string' ? String(args[2]) : (first?.metadata?.name ?? '')
      const isCounted = !READS.has(verb) && type.kind !== 'Lease'
      const what = `${verb} ${type.kind} ${type.kind === 'Event' ? '' : name}`.trim()
      const met = verb === 'watch' ? null : trouble()
      if (met?.isDone === false) throw met.error
      const answer = isCounted ? await write(what, () => perform(...args), internal) : await perform(...args)
      if (met !== null) throw met.error
      return isAlive() ? answer : NEVER
    }
  }
  const watch: KubeApi['watch'] = (type, where, onEvent, watching) =>
    api.watch(type, where, (event) => void clock.setTimer(lagMs, () => isAlive() && onEvent(event)), watching)
  return new Proxy(api, {
    get: (target, verb) => {
      if (verb === 'watch') return call('watch', watch as never)
      const method: unknown = Reflect.get(target, verb)
      return typeof method === 'function' ? call(String(verb), method.bind(target)) : method
    },
  })
}

/** An admin client whose methods are writes, but for those that `isRead` names. */
export function adminOf<T extends object>(
  admin: T,
  write: Perform,
  isAlive: () => boolean,
  isRead: (method: string) => boolean,
): T {
  return new Proxy(admin, {
    get: (target, name) => {
      const method: unknown = Reflect.get(target, name)
      if (typeof method !== 'function') return method
      return async (...args: unknown[]): Promise<unknown> => {
        if (!isAlive()) return NEVER
        const perform = (): Promise<unknown> => method.apply(target, args)
        const answer = isRead(String(name))
          ? await perform()
          : await write(`Kafka ${String(name)}`, perform, unreachable)
        return isAlive() ? answer : NEVER
      }
    },
  })
}
