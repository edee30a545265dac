import { type AskedPartition, FetcherSession } from './fetcher-session.ts'
import { type Followed, followedKey } from './followed.ts'

/** What the next request of a session tells the leader. */
export interface ToldPartitions {
  readonly changed: readonly AskedPartition[]
  readonly forgotten: readonly AskedPartition[]
}

/** The partitions that one fetcher fetches, and which of them its leader has to be told of: no request goes through all of them. */
export class FetchPlan implements Iterable<Followed> {
  readonly #followed = new Map<string, Followed>()
  readonly #session = new FetcherSession()
  /** New in the session, or not as it was. */
  readonly #changed = new Set<Followed>()
  /** Left out for now. */
  readonly #left = new Set<Followed>()
  /** To leave the session. */
  readonly #forgotten = new Map<string, Followed>()

  get size(): number {
    return this.#followed.size
  }
  [Symbol.iterator](): Iterator<Followed> {
    return this.#followed.values()
  }
  get(topicId: string, index: number): Followed | undefined {
    return this.#followed.get(followedKey(topicId, index))
  }
  has(followed: Followed): boolean {
    return this.#followed.get(followed.key) === followed
  }
  get hasChanged(): boolean {
    return this.#changed.size > 0
  }
  /** Whether there is a partition that is not left out for now. */
  get hasWork(): boolean {
    return this.#followed.size > this.#left.size
  }
  /** The session's part of the next request. */
  get header(): { readonly sessionId: number; readonly sessionEpoch: number } {
    return this.#session.header
  }

  /** One that is there already, in another epoch, is replaced. */
  add(followed: Followed): void {
    const { key } = followed
    const before = this.#followed.get(key)
    if (before !== undefined) {
      this.#takeOut(before)
      before.end()
    }
    // The leader hears of the change, not that it should forget the partition: it would do that last.
    followed.inSession = this.#forgotten.delete(key)
    this.#followed.set(key, followed)
    this.#changed.add(followed)
    followed.begin(() => this.changed(followed))
  }

  remove(topicId: string, index: number): void {
    const followed = this.get(topicId, index)
    if (followed === undefined) return
    this.#followed.delete(followed.key)
    this.#takeOut(followed)
    followed.end()
  }

  /** Leaves a partition out until `resume`; nothing where it is not followed any more, or in another epoch. */
  leave(followed: Followed): void {
    if (!this.has(followed)) return
    this.#takeOut(followed)
    this.#left.add(followed)
  }

  #takeOut(followed: Followed): void {
    followed.isAsked = false
    this.#changed.delete(followed)
    this.#left.delete(followed)
    if (followed.inSession) this.#forgotten.set(followed.key, followed)
  }

  /** False where the partition is not followed any more, or in another epoch. */
  resume(followed: Followed): boolean {
    followed.unpark()
    if (!this.has(followed)) return false
    this.#left.delete(followed)
    this.#forgotten.delete(followed.key)
    this.#changed.add(followed)
    return true
  }

  /** The log is not as the leader was told. */
  changed(followed: Followed): void {
    if (!this.#left.has(followed)) this.#changed.add(followed)
  }

  /** What the next request tells, which is told from then on; undefined where it would ask for nothing. Without those that `holdsBack` takes out. */
  next(holdsBack: (followed: Followed) => boolean): ToldPartitions | undefined {
    const { isFull } = this.#session
    if (isFull) this.#beginSession()
    const told = [...this.#changed].filter((followed) => !holdsBack(followed))
    const forgotten = [...this.#forgotten.values()]
    if (isFull ? told.length === 0 : !this.hasWork) return undefined
    this.#changed.clear()
    this.#forgotten.clear()
    for (const followed of told) {
      followed.inSession = true
      followed.isAsked = true
    }
    for (const followed of forgotten) followed.inSession = false
    return { changed: told.map((each) => each.asked()), forgotten: forgotten.map((each) => each.asked()) }
  }

  #beginSession(): void {
    this.#forgotten.clear()
    for (const followed of this.#followed.values()) {
      followed.inSession = false
      followed.isAsked = false
      if (!followed.isParked) this.#changed.add(followed)
    }
  }

  /** Nothing is followed any more. */
  close(): void {
    for (const followed of this) followed.end()
  }

  answered(sessionId: number): void {
    this.#session.answered(sessionId)
  }

  /** Nobody knows what the leader has heard. */
  restart(): void {
    this.#session.reset()
  }

  /** The leader does not know the session. */
  forgetSession(): void {
    this.#session.forget()
  }
}
