import {
  answeredIsr,
  committedIsr,
  expandIsr,
  type IsrAnswer,
  type IsrProposal,
  type IsrState,
  type IsrVerdict,
  maximalIsr,
  shrinkIsr,
} from './isr.ts'
import { type FollowerPosition, RemoteReplica } from './remote-replica.ts'

/** A partition's replicas as the metadata log has them. */
export interface ReplicaSet {
  readonly replicas: readonly number[]
  readonly isr: readonly number[]
  readonly leaderEpoch: number
  readonly partitionEpoch: number
}

export interface LeadershipOptions {
  readonly nodeId: number
  readonly set: ReplicaSet
  /** Where the log ended when the epoch began. */
  readonly epochStartOffset: number
  readonly nowMs: number
}

export interface LeadershipDeps {
  /** replica.lag.time.max.ms */
  lagMaxMs(): number
  /** Whether a broker is registered with this epoch (-1: any), unfenced and not shutting down: fit for the ISR. */
  isEligible(brokerId: number, brokerEpoch: number): boolean
}

/** One leader epoch as its leader lives it: where the followers are, who is in sync, and what is committed. */
export class Leadership {
  readonly epochStartOffset: number
  readonly #nodeId: number
  readonly #deps: LeadershipDeps
  #isr: IsrState
  #remotes: RemoteReplica[] = []

  constructor(options: LeadershipOptions, deps: LeadershipDeps) {
    const { isr, leaderEpoch, partitionEpoch } = options.set
    this.epochStartOffset = options.epochStartOffset
    this.#nodeId = options.nodeId
    this.#deps = deps
    this.#isr = { isr, leaderEpoch, partitionEpoch, pending: undefined }
    this.#follow(options.set, options.nowMs)
  }

  /** As the controller has committed it. */
  get isr(): readonly number[] {
    return this.#isr.isr
  }
  get leaderEpoch(): number {
    return this.#isr.leaderEpoch
  }
  get partitionEpoch(): number {
    return this.#isr.partitionEpoch
  }
  /** All that may be in the ISR: with those that are being added. */
  get maximalIsr(): readonly number[] {
    return maximalIsr(this.#isr)
  }
  get remotes(): readonly RemoteReplica[] {
    return this.#remotes
  }

  /** The metadata log has changed the partition within this leader epoch. */
  update(set: ReplicaSet, nowMs: number): void {
    const { isr } = this.#isr
    this.#isr = committedIsr(this.#isr, set)
    this.#follow(set, nowMs)
    for (const remote of this.#remotes)
      if (isr.includes(remote.brokerId) && !this.#isr.isr.includes(remote.brokerId)) remote.leftIsr(nowMs)
  }

  #follow({ replicas, isr }: ReplicaSet, nowMs: number): void {
    const known = new Map(this.#remotes.map((remote) => [remote.brokerId, remote]))
    this.#remotes = replicas
      .filter((id) => id !== this.#nodeId)
      .map((id) => known.get(id) ?? new RemoteReplica(id, isr.includes(id) ? nowMs : undefined))
  }

  #remote(brokerId: number): RemoteReplica | undefined {
    for (const remote of this.#remotes) if (remote.brokerId === brokerId) return remote
    return undefined
  }

  /** Notes where a follower is. False where it is no replica, or is known to run in a later broker epoch (KIP-903). */
  fetched(brokerId: number, position: FollowerPosition, leaderEndOffset: number, nowMs: number): boolean {
    const remote = this.#remote(brokerId)
    if (remote === undefined) return false
    if (position.brokerEpoch !== -1 && position.brokerEpoch < remote.brokerEpoch) return false
    remote.fetched(position, leaderEndOffset, nowMs)
    return true
  }

  /** Whether that is where a follower has been noted last. */
  isAt(brokerId: number, position: FollowerPosition): boolean {
    return this.#remote(brokerId)?.isAt(position) === true
  }

  /** As `fetched`, again and again from the same position, and at the same end of the leader's log, the last time at `atMs`. */
  fetchedUntil(brokerId: number, position: FollowerPosition, atMs: number): void {
    this.#remote(brokerId)?.fetchedUntil(position, atMs)
  }

  /** The broker epoch that a member of the ISR has told; -1 where it has not. */
  brokerEpochOf(brokerId: number): number {
    return this.#remote(brokerId)?.brokerEpoch ?? -1
  }

  /**
   * What is committed, where this replica has everything below `localOffset`: what all have that are in the ISR, may be in it, or are
   * about to join. The latter are waited for since they would never catch up with a high watermark that runs away from them.
   */
  committedOffset(localOffset: number, nowMs: number): number {
    let committed = localOffset
    if (this.#remotes.length === 0) return committed
    const inSync = this.maximalIsr
    for (const remote of this.#remotes) {
      if (remote.logEndOffset >= committed) continue
      if (inSync.includes(remote.brokerId) || this.#isJoining(remote, localOffset, nowMs))
        committed = remote.logEndOffset
    }
    return committed
  }

  /** Where the log begins of those replicas that are alive: no record before it can be read again (KIP-107). */
  lowWatermark(localLogStartOffset: number): number {
    let low = localLogStartOffset
    for (const { brokerId, logStartOffset } of this.#remotes)
      if (logStartOffset < low && this.#deps.isEligible(brokerId, -1)) low = logStartOffset
    return low
  }

  #isJoining(remote: RemoteReplica, localOffset: number, nowMs: number): boolean {
    return (
      remote.isCaughtUp(localOffset, nowMs, this.#deps.lagMaxMs()) &&
      this.#deps.isEligible(remote.brokerId, remote.brokerEpoch)
    )
  }

  /**
   * The proposal to add a follower that has caught up: with the high watermark, and with the start of this epoch, since before that the
   * high watermark may lag behind what earlier leaders have committed.
   */
  expansion(brokerId: number, highWatermark: number): IsrProposal | undefined {
    if (this.#isr.pending !== undefined || this.#isr.isr.includes(brokerId)) return undefined
    const remote = this.#remote(brokerId)
    if (remote === undefined || remote.logEndOffset < Math.max(highWatermark, this.epochStartOffset)) return undefined
    if (!this.#deps.isEligible(brokerId, remote.brokerEpoch)) return undefined
    this.#isr = expandIsr(this.#isr, brokerId)
    return this.#isr.pending
  }

  /** The proposal to take out who has not caught up for replica.lag.time.max.ms. */
  shrinkage(leaderEndOffset: number, nowMs: number): IsrProposal | undefined {
    if (this.#isr.pending !== undefined || this.#isr.isr.length === 1) return undefined
    const lagMaxMs = this.#deps.lagMaxMs()
    const behind = this.#remotes
      .filter(({ brokerId }) => this.#isr.isr.includes(brokerId))
      .filter((remote) => !remote.isCaughtUp(leaderEndOffset, nowMs, lagMaxMs))
    if (behind.length === 0) return undefined
    this.#isr = shrinkIsr(
      this.#isr,
      behind.map(({ brokerId }) => brokerId),
    )
    return this.#isr.pending
  }

  /** The controller's answer to a proposal. */
  answered(proposal: IsrProposal, answer: IsrAnswer): IsrVerdict {
    const { state, verdict } = answeredIsr(this.#isr, proposal, answer)
    this.#isr = state
    return verdict
  }
}
