import type { Logger } from 'pino'
import type { Clock } from '../../broker/env/clock.ts'
import type { Random } from '../../broker/env/random.ts'
import { keyOf } from '../api/resource.ts'
import type { Key, Resource, ResourceType } from '../api/resource.ts'
import { backoffMs } from '../runtime/backoff.ts'
import { sleep } from '../runtime/sleep.ts'
import type { KubeApi, WatchEvent } from './api.ts'

export interface InformerOptions {
  readonly type: ResourceType
  /** Null: all namespaces. */
  readonly namespace: string | null
  readonly labelSelector?: string
}

/**
 * What became of an object: its last known state where it was deleted. `isEcho`: nothing has changed but what is not its user's to say, its
 * status above all, which is what the operator itself writes.
 */
export type OnChange<T> = (object: T, isDeleted: boolean, isEcho: boolean) => void

/** Lost watches and failed lists come back after this. */
const BACKOFF = { minMs: 500, maxMs: 30_000 }
const WATCH_MIN_MS = 1000

/**
 * A cache of the objects of one type, kept up to date by list and watch. `onChange` is called after the cache has changed, with the
 * object, or its last known state where it was deleted, also where another has its name since; after every relist for each object that changed, so that nothing is missed in between.
 */
export class Informer<T extends Resource> {
  readonly #options: InformerOptions
  readonly #deps: { api: KubeApi; clock: Clock; random: Random; logger: Logger }
  readonly #onChange: OnChange<T>
  readonly #objects = new Map<Key, T>()
  readonly #synced = Promise.withResolvers<void>()

  constructor(
    options: InformerOptions & { onChange: OnChange<T> },
    deps: { api: KubeApi; clock: Clock; random: Random; logger: Logger },
  ) {
    this.#options = options
    this.#onChange = options.onChange
    this.#deps = deps
  }

  get(key: Key): T | undefined {
    return this.#objects.get(key)
  }

  values(): T[] {
    return [...this.#objects.values()]
  }

  /** Resolves when the first list is in the cache. */
  get synced(): Promise<void> {
    return this.#synced.promise
  }

  /** Lists and watches until `signal` aborts. Never rejects: failures are logged and tried again. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, random, logger } = this.#deps
    let failures = 0
    let version: string | null = null
    while (!signal.aborted) {
      let startMs = Infinity
      try {
        version ??= await this.#relist()
        startMs = clock.monotonicMs()
        version = await this.#watch(version, signal)
        failures = 0
        // A proxy may end every watch at once.
        if (clock.monotonicMs() - startMs < WATCH_MIN_MS) await sleep(clock, WATCH_MIN_MS, signal)
      } catch (error) {
        if (signal.aborted) return
        // 410: the version is older than what the server remembers. Anything else may be as bad: start from a list.
        version = null
        // A watch that has lasted is lost for another reason than the one before.
        if (clock.monotonicMs() - startMs > BACKOFF.maxMs) failures = 0
        const delayMs = backoffMs(failures++, BACKOFF, random)
        logger.warn({ kind: this.#options.type.kind, delayMs, err: error }, 'watch lost, listing again')
        await sleep(clock, delayMs, signal)
      }
    }
  }

  async #relist(): Promise<string> {
    const { items, resourceVersion } = await this.#deps.api.list<T>(this.#options.type, this.#options)
    const present = new Set(items.map(keyOf))
    for (const [key, object] of this.#objects) {
      if (present.has(key)) continue
      this.#objects.delete(key)
      this.#onChange(object, true, false)
    }
    for (const object of items) this.#put(object)
    this.#synced.resolve()
    return resourceVersion
  }

  /** Watches from `version`; returns where the next watch goes on. */
  async #watch(version: string, signal: AbortSignal): Promise<string> {
    let latest = version
    const onEvent = (event: WatchEvent): void => {
      latest = event.object.metadata.resourceVersion ?? latest
      if (event.type === 'BOOKMARK') return
      if (event.type === 'DELETED') {
        this.#objects.delete(keyOf(event.object))
        this.#onChange(event.object as T, true, false)
      } else this.#put(event.object as T)
    }
    await this.#deps.api.watch(this.#options.type, { ...this.#options, resourceVersion: version }, onEvent, signal)
    return latest
  }

  #put(object: T): void {
    const key = keyOf(object)
    // Who has set which field is of use to the server only, and most of an object's size.
    delete (object.metadata as { managedFields?: unknown }).managedFields
    const before = this.#objects.get(key)
    const same = before?.metadata.uid === object.metadata.uid
    if (same && before?.metadata.resourceVersion === object.metadata.resourceVersion) return
    if (before !== undefined && !same) {
      this.#objects.delete(key)
      this.#onChange(before, true, false)
    }
    this.#objects.set(key, object)
    this.#onChange(object, false, same && before !== undefined && wordsOf(before) === wordsOf(object))
  }
}

/** What users say. The generation counts changes of the spec, of what has a status of its own. */
function wordsOf({ metadata: { generation, deletionTimestamp, annotations, labels } }: Resource): string {
  return JSON.stringify([generation, deletionTimestamp, annotations, labels])
}
