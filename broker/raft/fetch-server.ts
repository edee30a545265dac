import { METADATA_TOPIC_ID } from '../lib/uuid.ts'
import type { ApiKey } from '../protocol/api-key.ts'
import type { RequestOf, ResponseInputOf } from '../protocol/apis.ts'
import { ErrorCode } from '../protocol/errors.ts'
import type { LogSlice } from '../storage/log.ts'
import { METADATA_TOPIC } from './metadata-log.ts'
import type { QuorumRequests } from './quorum-requests.ts'
import type { RaftCore } from './raft-core.ts'
import type { ReplicaProgress } from './replica-progress.ts'
import { hasCommittedEpoch, NOBODY } from './state.ts'
import { validateFetch } from './validate-fetch.ts'

type Request = RequestOf<typeof ApiKey.Fetch>
type Response = ResponseInputOf<typeof ApiKey.Fetch>
type Asked = Request['topics'][number]['partitions'][number]
type Answer = NonNullable<NonNullable<Response['responses']>[number]['partitions']>[number]

/** An answer; `isDue`: it says something that is not to wait. */
interface Attempt {
  readonly answer: Answer
  readonly isDue: boolean
}

/** A fetch that may have to wait. */
interface Waiter {
  isAbandoned: boolean
  /** Ends the wait that it is in. */
  wake: () => void
}

export interface FetchContext {
  /** Calls `gone` when nobody waits for the answer any more. */
  onAbandoned(gone: () => void): void
}

/** Fetch of the metadata log: from voters, whose progress commits it, from observers, and from whoever wants to read it. */
export class FetchServer {
  readonly #core: RaftCore
  readonly #requests: QuorumRequests
  readonly #progress: ReplicaProgress
  #waiting = new Set<() => void>()

  constructor(core: RaftCore, deps: { readonly requests: QuorumRequests; readonly progress: ReplicaProgress }) {
    this.#core = core
    this.#requests = deps.requests
    this.#progress = deps.progress
  }

  /** There may be something for those who wait: records, a new high watermark, another leader. */
  wake(): void {
    if (this.#waiting.size === 0) return
    const waiting = this.#waiting
    this.#waiting = new Set()
    for (const wake of waiting) wake()
  }

  async fetch(request: Request, context: FetchContext): Promise<Response> {
    if (!this.#requests.isOfCluster(request.clusterId)) return { errorCode: ErrorCode.INCONSISTENT_CLUSTER_ID }
    const topic = request.topics[0]
    const asked = topic?.partitions[0]
    const isMetadata = topic?.topic === METADATA_TOPIC || topic?.topicId === METADATA_TOPIC_ID
    if (!isMetadata || asked?.partition !== 0 || request.topics.length !== 1 || topic.partitions.length !== 1) {
      return { errorCode: ErrorCode.INVALID_REQUEST }
    }
    const answer = await this.#answer(request, asked, context)
    return {
      errorCode: ErrorCode.NONE,
      responses: [{ topic: METADATA_TOPIC, topicId: METADATA_TOPIC_ID, partitions: [answer] }],
      nodeEndpoints: this.#requests.nodeEndpoints(),
    }
  }

  async #answer(request: Request, asked: Asked, context: FetchContext): Promise<Answer> {
    const offset = Number(asked.fetchOffset)
    const isSound =
      request.maxWaitMs >= 0 &&
      offset >= 0 &&
      asked.lastFetchedEpoch >= 0 &&
      asked.lastFetchedEpoch <= asked.currentLeaderEpoch
    if (!isSound) return this.#empty(ErrorCode.INVALID_REQUEST)
    const refusal = this.#requests.leaderOnly(asked.currentLeaderEpoch)
    if (refusal !== ErrorCode.NONE) return this.#empty(refusal)
    this.#noteProgress(request, asked)
    const { clock } = this.#core.deps
    const endMs = clock.monotonicMs() + request.maxWaitMs
    const waiter: Waiter = { isAbandoned: false, wake: () => {} }
    context.onAbandoned(() => {
      waiter.isAbandoned = true
      waiter.wake()
    })
    for (;;) {
      // What is at hand is looked at, and the wait for more begun, without a turn in between: no wake-up is lost.
      const pending = this.#attempt(request, asked)
      const { answer, isDue } = pending instanceof Promise ? await pending : pending
      const waitMs = endMs - clock.monotonicMs()
      if (isDue || waitMs <= 0 || waiter.isAbandoned || this.#core.isStopped) return answer
      await this.#wait(waitMs, waiter)
    }
  }

  #wait(waitMs: number, waiter: Waiter): Promise<void> {
    return new Promise((resolve) => {
      const wake = () => {
        timer.cancel()
        this.#waiting.delete(wake)
        resolve()
      }
      const timer = this.#core.deps.clock.setTimer(waitMs, wake)
      this.#waiting.add(wake)
      waiter.wake = wake
    })
  }

  /** What the replica has is known only where its log is the same as this one so far. */
  #noteProgress(request: Request, asked: Asked): void {
    const id = request.replicaState.replicaId >= 0 ? request.replicaState.replicaId : request.replicaId
    if (id < 0) return
    const replica = { id, directoryId: asked.replicaDirectoryId }
    const offset = Number(asked.fetchOffset)
    const isValid = this.#verdict(asked).type === 'valid'
    if (isValid) this.#progress.fetched(replica, offset, this.#core.log.logEndOffset)
    this.#core.apply({ type: 'replicaFetched', replica, endOffset: isValid ? offset : undefined })
  }

  #verdict(asked: Asked) {
    const { log, snapshots } = this.#core
    const ids = { oldest: snapshots.oldest?.id, newest: snapshots.newest?.id }
    return validateFetch(log, ids, Number(asked.fetchOffset), asked.lastFetchedEpoch)
  }

  #attempt(request: Request, asked: Asked): Attempt | Promise<Attempt> {
    const refusal = this.#requests.leaderOnly(asked.currentLeaderEpoch)
    if (refusal !== ErrorCode.NONE) return { answer: this.#empty(refusal), isDue: true }
    const verdict = this.#verdict(asked)
    if (verdict.type === 'diverging') {
      const divergingEpoch = { epoch: verdict.epoch, endOffset: BigInt(verdict.endOffset) }
      return { answer: { ...this.#empty(ErrorCode.NONE), divergingEpoch }, isDue: true }
    }
    if (verdict.type === 'snapshot') {
      const snapshotId = { endOffset: BigInt(verdict.id.endOffset), epoch: verdict.id.epoch }
      return { answer: { ...this.#empty(ErrorCode.NONE), snapshotId }, isDue: true }
    }
    const { log } = this.#core
    const isReplica = request.replicaState.replicaId >= 0 || request.replicaId >= 0
    // Whoever only reads sees what is committed.
    const limit = isReplica ? log.logEndOffset : this.#core.state.highWatermark
    const maxBytes = Math.max(0, Math.min(request.maxBytes, this.#core.options.fetchMaxBytes))
    const slice = log.read(Number(asked.fetchOffset), maxBytes, limit, true)
    if (slice instanceof Promise) return slice.then((read) => this.#records(read, asked))
    return this.#records(slice, asked)
  }

  #records({ buffers, sizeInBytes }: LogSlice, asked: Asked): Attempt {
    const answer = { ...this.#empty(ErrorCode.NONE), records: buffers }
    return { answer, isDue: sizeInBytes > 0 || asked.highWatermark < answer.highWatermark }
  }

  #empty(errorCode: ErrorCode) {
    const { state, log } = this.#core
    const highWatermark = BigInt(hasCommittedEpoch(state) ? state.highWatermark : -1)
    return {
      partitionIndex: 0,
      errorCode,
      highWatermark: errorCode === ErrorCode.NONE ? highWatermark : -1n,
      logStartOffset: BigInt(log.logStartOffset),
      currentLeader: this.#requests.currentLeader(),
      abortedTransactions: null,
      preferredReadReplica: NOBODY,
      records: [] as readonly Uint8Array[],
    }
  }
}
