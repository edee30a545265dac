import type { ApiKey } from '../protocol/api-key.ts'
import type { RequestInputOf } from '../protocol/apis.ts'

type FetchTopics = RequestInputOf<typeof ApiKey.Fetch>['topics']
type ForgottenTopics = NonNullable<RequestInputOf<typeof ApiKey.Fetch>['forgottenTopicsData']>

/** A partition as a follower asks for it. */
export interface AskedPartition {
  readonly topic: string
  readonly topicId: string
  readonly index: number
  readonly currentLeaderEpoch: number
  readonly fetchOffset: number
  readonly lastFetchedEpoch: number
  readonly logStartOffset: number
}

const NO_SESSION = 0
const FULL = 0
const EPOCH_MAX = 2 ** 31 - 1

/**
 * A follower's side of an incremental fetch session (KIP-227): after a full request only what has changed is told. Who uses it keeps
 * account of what that is.
 */
export class FetcherSession {
  #id = NO_SESSION
  #epoch = FULL

  /** Whether the next request has to name every partition. */
  get isFull(): boolean {
    return this.#epoch === FULL
  }

  /** The session's part of the next request. */
  get header(): { readonly sessionId: number; readonly sessionEpoch: number } {
    return { sessionId: this.#id, sessionEpoch: this.#epoch }
  }

  /** The leader has answered, with the session that it keeps, if any. */
  answered(sessionId: number): void {
    if (sessionId === NO_SESSION) {
      this.reset()
      return
    }
    this.#id = sessionId
    this.#epoch = this.#epoch === EPOCH_MAX ? 1 : this.#epoch + 1
  }

  /** Nobody knows what the leader has heard: it is told everything again, and gives up the old session. */
  reset(): void {
    this.#epoch = FULL
  }

  /** As `reset`, where the leader does not know the session. */
  forget(): void {
    this.#id = NO_SESSION
    this.#epoch = FULL
  }
}

/** The topics of a request. */
export function fetchTopics(asked: readonly AskedPartition[], partitionMaxBytes: number): FetchTopics {
  const topics = Map.groupBy(asked, ({ topicId }) => topicId)
  return [...topics].map(([topicId, partitions]) => ({
    topicId,
    topic: partitions[0]?.topic ?? '',
    partitions: partitions.map((each) => ({
      partition: each.index,
      currentLeaderEpoch: each.currentLeaderEpoch,
      fetchOffset: BigInt(each.fetchOffset),
      lastFetchedEpoch: each.lastFetchedEpoch,
      logStartOffset: BigInt(each.logStartOffset),
      partitionMaxBytes,
    })),
  }))
}

/** The partitions that leave the session. */
export function forgottenTopics(forgotten: readonly AskedPartition[]): ForgottenTopics {
  const topics = Map.groupBy(forgotten, ({ topicId }) => topicId)
  return [...topics].map(([topicId, partitions]) => ({
    topicId,
    topic: partitions[0]?.topic ?? '',
    partitions: partitions.map(({ index }) => index),
  }))
}
