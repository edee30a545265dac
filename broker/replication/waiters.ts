import { ErrorCode } from '../protocol/errors.ts'

/** Called once: with NONE when the offset is reached, else with what came in between. */
export type Reached = (error: ErrorCode) => void

interface Waiter {
  readonly offset: number
  reached: Reached | undefined
}

/** A wait that may be given up; afterwards its callback is never called. */
export interface Wait {
  cancel(): void
}

/**
 * Those who wait for an offset that only grows, in the order of their offsets, so that advancing looks only at those who are due. Appends
 * are served in log order: only who repeats an earlier one comes late.
 */
export class OffsetWaiters {
  #queue: Waiter[] = []
  #head = 0

  add(offset: number, reached: Reached): Wait {
    const waiter: Waiter = { offset, reached }
    let at = this.#queue.length
    while (at > this.#head && (this.#queue[at - 1] as Waiter).offset > offset) at--
    if (at === this.#queue.length) this.#queue.push(waiter)
    else this.#queue.splice(at, 0, waiter)
    return {
      cancel: () => {
        waiter.reached = undefined
      },
    }
  }

  /** Completes every wait for an offset up to and including `offset`. */
  advance(offset: number): void {
    while (this.#head < this.#queue.length) {
      const waiter = this.#queue[this.#head] as Waiter
      if (waiter.offset > offset) break
      this.#head++
      waiter.reached?.(ErrorCode.NONE)
    }
    this.#compact()
  }

  /** Ends every wait with `error`. */
  fail(error: ErrorCode): void {
    const waiting = this.#queue.slice(this.#head)
    this.#queue = []
    this.#head = 0
    for (const waiter of waiting) waiter.reached?.(error)
  }

  #compact(): void {
    if (this.#head === 0) return
    if (this.#head === this.#queue.length) {
      this.#queue = []
      this.#head = 0
    } else if (this.#head > 1024) {
      this.#queue = this.#queue.slice(this.#head)
      this.#head = 0
    }
  }
}

/**
 * What has become of a partition, as far as it matters to those who fetch from it: more is in the file; more is committed; the role of this
 * replica, or its epoch, is another; or anything else that they look at or tell (where the log begins and ends, the ISR).
 */
export type PartitionEvent = 'written' | 'committed' | 'role' | 'state'

export interface PartitionWatcher {
  changed(event: PartitionEvent): void
}

/** Those who watch one partition. */
export class Watchers {
  readonly #watchers = new Set<PartitionWatcher>()

  add(watcher: PartitionWatcher): void {
    this.#watchers.add(watcher)
  }

  delete(watcher: PartitionWatcher): void {
    this.#watchers.delete(watcher)
  }

  /** Those who are told may stop to watch meanwhile. */
  tell(event: PartitionEvent): void {
    for (const watcher of this.#watchers) watcher.changed(event)
  }
}

/** Those who want to hear each time that something has happened. */
export class Listeners {
  readonly #listeners = new Set<() => void>()

  add(listener: () => void): Wait {
    this.#listeners.add(listener)
    return { cancel: () => void this.#listeners.delete(listener) }
  }

  /** Those who are told may stop to listen, or begin to, meanwhile. */
  notify(): void {
    if (this.#listeners.size === 0) return
    for (const listener of Array.from(this.#listeners)) listener()
  }
}
