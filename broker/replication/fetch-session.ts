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
  readonly createdMs: number
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
 * Incremental fetch sessions (KIP-227), at most `slots` (max.incremental.fetch.session.cache.slots). One that has not been used for two minutes
 * makes room for another, a consumer's for a follower's, and one that is two minutes old for one of more partitions: without a session each
 * fetch names all of them.
 */
export class FetchSessions {
  readonly #slots: number
  readonly #clock: Clock
  readonly #random: Random
  /** In order of last use. */
  readonly #sessions = new Map<number, Session>()
  #evictions = 0

  constructor(options: { slots: number }, deps: { clock: Clock; random: Random }) {
    this.#slots = options.slots
    this.#clock = deps.clock
    this.#random = deps.random
  }

  get size(): number {
    return this.#sessions.size
  }

  /** Partitions of all sessions. */
  get partitionCount(): number {
    let count = 0
    for (const { targets } of this.#sessions.values()) count += targets.size
    return count
  }

  /** How many sessions have made room for others. */
  get evictions(): number {
    return this.#evictions
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
      createdMs: now,
      epoch: 1,
      lastUsedMs: now,
    }
    this.#sessions.set(id, session)
    return session
  }

  /** Makes room; false where all that there are go before the one that is asked for. */
  #evict(now: number, request: SessionRequest): boolean {
    const [unused] = this.#sessions.values()
    const isIdle = unused !== undefined && now - unused.lastUsedMs >= MIN_EVICTION_MS
    const least = isIdle ? unused : this.#least(now, request)
    if (least === undefined) return false
    this.#evictions++
    this.#remove(least.id)
    return true
  }

  /** The smallest of those that `isFollower` or more partitions go before, the least used of them; a follower waits for no consumer. */
  #least(now: number, { isFollower, partitions }: SessionRequest): Session | undefined {
    let least: Session | undefined
    for (const session of this.#sessions.values()) {
      const isOfLess = isFollower && !session.isFollower
      const isSmaller = session.isFollower === isFollower && session.targets.size < partitions.length
      if (!isOfLess && !(isSmaller && now - session.createdMs >= MIN_EVICTION_MS)) continue
      if (least === undefined || isBefore(session, least)) least = session
    }
    return least
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

/** Whether `a` goes sooner than `b`. */
function isBefore(a: Session, b: Session): boolean {
  return a.isFollower === b.isFollower ? a.targets.size < b.targets.size : b.isFollower
}

function ask(targets: FetchTargets, { partitions, usesTopicIds }: SessionRequest): void {
  for (const partition of partitions) targets.ask(keyOf(partition, usesTopicIds), partition)
}
