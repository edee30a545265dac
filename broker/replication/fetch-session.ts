import type { Clock } from '../env/clock.ts'
import type { Random } from '../env/random.ts'
import { ErrorCode } from '../protocol/errors.ts'
import type { FetchTarget, SessionPartition } from './fetch-target.ts'
import { type FetchResult, FetchTargets } from './fetch-targets.ts'

interface Session {
  readonly id: number
  readonly targets: FetchTargets
  readonly usesTopicIds: boolean
  readonly isFollower: boolean
  epoch: number
  lastUsedMs: number
}

/** A partition as a request names it. */
type NamedPartition = Pick<SessionPartition, 'topic' | 'topicId' | 'partition'>

export interface SessionRequest {
  readonly sessionId: number
  readonly sessionEpoch: number
  readonly usesTopicIds: boolean
  /** Whether a broker asks, not a consumer. */
  readonly isFollower: boolean
  readonly partitions: readonly SessionPartition[]
  readonly forgotten: readonly NamedPartition[]
}

/** The partitions to fetch now, and which of the results the answer holds. */
export interface FetchContext {
  readonly error: ErrorCode
  readonly sessionId: number
  readonly targets: FetchTargets
  /** True where the answer must hold this partition; remembers what it was told. */
  includes(target: FetchTarget, result: FetchResult): boolean
}

const INITIAL_EPOCH = 0
/** A full fetch that wants no session, and closes the one that it names. */
const FINAL_EPOCH = -1
const NO_SESSION = 0
const ID_LIMIT = 2 ** 31 - 1
/** A session younger than this is not evicted for another's sake (min.incremental.fetch.session.eviction.ms). */
const MIN_EVICTION_MS = 120_000

function keyOf({ topic, topicId, partition }: NamedPartition, usesTopicIds: boolean): string {
  return `${usesTopicIds ? topicId : topic}\u0000${partition}`
}

function refused(error: ErrorCode): FetchContext {
  return { error, sessionId: NO_SESSION, targets: new FetchTargets({ isKept: false }), includes: () => false }
}

/**
 * Incremental fetch sessions (KIP-227), at most `slots` (max.incremental.fetch.session.cache.slots), the least used evicted. A follower has
 * one at the cost of a consumer: without, each of its fetches would name all that it follows.
 */
export class FetchSessions {
  readonly #slots: number
  readonly #clock: Clock
  readonly #random: Random
  /** In order of last use. */
  readonly #sessions = new Map<number, Session>()

  constructor(options: { slots: number }, deps: { clock: Clock; random: Random }) {
    this.#slots = options.slots
    this.#clock = deps.clock
    this.#random = deps.random
  }

  get size(): number {
    return this.#sessions.size
  }

  open(request: SessionRequest): FetchContext {
    if (request.sessionEpoch === INITIAL_EPOCH || request.sessionEpoch === FINAL_EPOCH) return this.#full(request)
    return this.#incremental(request)
  }

  #full(request: SessionRequest): FetchContext {
    if (request.sessionId !== NO_SESSION) this.#remove(request.sessionId)
    const wanted = request.sessionEpoch === INITIAL_EPOCH && request.partitions.length > 0
    const session = wanted ? this.#create(request) : undefined
    const targets = session?.targets ?? new FetchTargets({ isKept: false })
    ask(targets, request)
    return {
      error: ErrorCode.NONE,
      sessionId: session?.id ?? NO_SESSION,
      targets,
      includes: (target, result) => {
        targets.told(target, result)
        return true
      },
    }
  }

  #incremental(request: SessionRequest): FetchContext {
    const session = this.#sessions.get(request.sessionId)
    if (session === undefined) return refused(ErrorCode.FETCH_SESSION_ID_NOT_FOUND)
    if (session.epoch !== request.sessionEpoch) return refused(ErrorCode.INVALID_FETCH_SESSION_EPOCH)
    if (session.usesTopicIds !== request.usesTopicIds) return refused(ErrorCode.FETCH_SESSION_TOPIC_ID_ERROR)
    session.epoch = session.epoch === ID_LIMIT ? 1 : session.epoch + 1
    this.#touch(session)
    const { targets, usesTopicIds } = session
    ask(targets, request)
    for (const forgotten of request.forgotten) targets.forget(keyOf(forgotten, usesTopicIds))
    return {
      error: ErrorCode.NONE,
      sessionId: session.id,
      targets,
      includes: (target, result) => {
        if (result.sizeInBytes > 0) targets.moveBack(target)
        return targets.told(target, result)
      },
    }
  }

  #create(request: SessionRequest): Session | undefined {
    const now = this.#clock.monotonicMs()
    if (this.#sessions.size >= this.#slots && !this.#evict(now, request)) return undefined
    let id = 1 + this.#random.below(ID_LIMIT)
    while (this.#sessions.has(id)) id = 1 + this.#random.below(ID_LIMIT)
    const session: Session = {
      id,
      targets: new FetchTargets({ isKept: true }),
      usesTopicIds: request.usesTopicIds,
      isFollower: request.isFollower,
      epoch: 1,
      lastUsedMs: now,
    }
    this.#sessions.set(id, session)
    return session
  }

  /** Makes room; false where all are in use that `isFollower` may not take the place of. */
  #evict(now: number, { isFollower }: SessionRequest): boolean {
    for (const session of this.#sessions.values()) {
      const isIdle = now - session.lastUsedMs >= MIN_EVICTION_MS
      if (!isIdle && !isFollower) return false
      if (!isIdle && session.isFollower) continue
      this.#remove(session.id)
      return true
    }
    return false
  }

  #remove(id: number): void {
    this.#sessions.get(id)?.targets.close()
    this.#sessions.delete(id)
  }

  #touch(session: Session): void {
    session.lastUsedMs = this.#clock.monotonicMs()
    this.#sessions.delete(session.id)
    this.#sessions.set(session.id, session)
  }
}

function ask(targets: FetchTargets, { partitions, usesTopicIds }: SessionRequest): void {
  for (const partition of partitions) targets.ask(keyOf(partition, usesTopicIds), partition)
}
