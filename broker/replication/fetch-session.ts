import type { Clock } from '../env/clock.ts'
import type { Random } from '../env/random.ts'
import { ErrorCode } from '../protocol/errors.ts'

/** What a client asks of one partition, as kept in its session. */
export interface SessionPartition {
  readonly topic: string
  readonly topicId: string
  readonly partition: number
  fetchOffset: number
  maxBytes: number
  currentLeaderEpoch: number
  lastFetchedEpoch: number
  logStartOffset: number
}

/** What was last told of a partition; incremental answers leave out what has not changed (KIP-227). */
interface Told {
  highWatermark: number
  logStartOffset: number
}

interface CachedPartition extends SessionPartition {
  told: Told
}

interface Session {
  readonly id: number
  readonly partitions: Map<string, CachedPartition>
  readonly usesTopicIds: boolean
  epoch: number
  lastUsedMs: number
}

export interface SessionRequest {
  readonly sessionId: number
  readonly sessionEpoch: number
  readonly usesTopicIds: boolean
  readonly partitions: readonly SessionPartition[]
  readonly forgotten: readonly { readonly topic: string; readonly topicId: string; readonly partition: number }[]
}

/** The partitions to read now, and which of the results the answer holds. */
export interface FetchContext {
  readonly error: ErrorCode
  readonly sessionId: number
  readonly partitions: readonly SessionPartition[]
  /** True where the answer must hold this partition; remembers what it was told. */
  includes(partition: SessionPartition, result: SessionResult): boolean
}

export interface SessionResult {
  readonly error: ErrorCode
  readonly highWatermark: number
  readonly logStartOffset: number
  readonly sizeInBytes: number
  readonly diverging: unknown
  /** -1: none. */
  readonly preferredReadReplica: number
}

const INITIAL_EPOCH = 0
/** A full fetch that wants no session, and closes the one that it names. */
const FINAL_EPOCH = -1
const NO_SESSION = 0
const ID_LIMIT = 2 ** 31 - 1
/** A session younger than this is not evicted for another's sake (min.incremental.fetch.session.eviction.ms). */
const MIN_EVICTION_MS = 120_000

function keyOf(
  { topic, topicId, partition }: { topic: string; topicId: string; partition: number },
  usesTopicIds: boolean,
): string {
  return `${usesTopicIds ? topicId : topic}\u0000${partition}`
}

function refused(error: ErrorCode): FetchContext {
  return { error, sessionId: NO_SESSION, partitions: [], includes: () => false }
}

/** Incremental fetch sessions (KIP-227), at most `slots` (max.incremental.fetch.session.cache.slots), the least used evicted. */
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
    if (request.sessionId !== NO_SESSION) this.#sessions.delete(request.sessionId)
    const wanted = request.sessionEpoch === INITIAL_EPOCH && request.partitions.length > 0
    const session = wanted ? this.#create(request) : undefined
    return {
      error: ErrorCode.NONE,
      sessionId: session?.id ?? NO_SESSION,
      partitions: request.partitions,
      includes: (partition, result) => {
        const cached = session?.partitions.get(keyOf(partition, request.usesTopicIds))
        if (cached !== undefined) remember(cached, result)
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
    for (const forgotten of request.forgotten) session.partitions.delete(keyOf(forgotten, session.usesTopicIds))
    for (const partition of request.partitions) upsert(session, partition)
    return {
      error: ErrorCode.NONE,
      sessionId: session.id,
      partitions: [...session.partitions.values()],
      includes: (partition, result) => changed(session, partition as CachedPartition, result),
    }
  }

  #create(request: SessionRequest): Session | undefined {
    const now = this.#clock.monotonicMs()
    if (this.#sessions.size >= this.#slots && !this.#evictOldest(now)) return undefined
    let id = 1 + this.#random.below(ID_LIMIT)
    while (this.#sessions.has(id)) id = 1 + this.#random.below(ID_LIMIT)
    const session: Session = {
      id,
      partitions: new Map(),
      usesTopicIds: request.usesTopicIds,
      epoch: 1,
      lastUsedMs: now,
    }
    for (const partition of request.partitions) upsert(session, partition)
    this.#sessions.set(id, session)
    return session
  }

  #evictOldest(now: number): boolean {
    for (const session of this.#sessions.values()) {
      if (now - session.lastUsedMs < MIN_EVICTION_MS) return false
      this.#sessions.delete(session.id)
      return true
    }
    return false
  }

  #touch(session: Session): void {
    session.lastUsedMs = this.#clock.monotonicMs()
    this.#sessions.delete(session.id)
    this.#sessions.set(session.id, session)
  }
}

function upsert(session: Session, partition: SessionPartition): void {
  const key = keyOf(partition, session.usesTopicIds)
  const cached = session.partitions.get(key)
  if (cached === undefined)
    session.partitions.set(key, { ...partition, told: { highWatermark: -1, logStartOffset: -1 } })
  else Object.assign(cached, partition)
}

function remember(cached: CachedPartition, result: SessionResult): boolean {
  const { told } = cached
  const moved = told.highWatermark !== result.highWatermark || told.logStartOffset !== result.logStartOffset
  told.highWatermark = result.highWatermark
  told.logStartOffset = result.logStartOffset
  return moved
}

/** A partition that gave data goes to the back of the session, so that a limit on the answer's size starves nobody. */
function changed(session: Session, cached: CachedPartition, result: SessionResult): boolean {
  const moved = remember(cached, result)
  if (result.sizeInBytes > 0) {
    const key = keyOf(cached, session.usesTopicIds)
    if (session.partitions.delete(key)) session.partitions.set(key, cached)
  }
  // An error is told again each time: the client may have missed why nothing comes.
  if (result.error !== ErrorCode.NONE) cached.told.highWatermark = -1
  const { sizeInBytes, error, diverging, preferredReadReplica } = result
  return moved || sizeInBytes > 0 || error !== ErrorCode.NONE || diverging !== undefined || preferredReadReplica >= 0
}
