import type { Clock } from '../env/clock.ts'
import type { Compute } from '../env/compute.ts'
import type { PartitionLog } from '../storage/log.ts'
import { LogDelivery } from './log-delivery.ts'
import { type CommittedBatch, type LeaderAndEpoch, NotLeaderError, type RaftListener } from './raft-types.ts'
import type { Snapshot } from './snapshot-file.ts'
import { NOBODY } from './state.ts'

interface Waiter {
  readonly offset: number
  readonly resolve: (offset: number) => void
  readonly reject: (error: Error) => void
}

/** Who leads, and what the listeners must have heard before they are told of it. */
export interface Leadership extends LeaderAndEpoch {
  /** Infinity: not known yet. */
  readonly readyOffset: number
}

/** The listeners of a quorum's member: tells them what is committed, once and in order, and who leads. */
export class Audience {
  readonly #nodeId: number
  readonly #delivery: LogDelivery
  readonly #listeners: RaftListener[] = []
  #waiters: Waiter[] = []
  #leadership: Leadership = { leaderId: NOBODY, epoch: 0, readyOffset: Infinity }
  #announced: LeaderAndEpoch = { leaderId: NOBODY, epoch: 0 }

  constructor(
    options: { readonly nodeId: number; readonly startOffset: number },
    deps: {
      readonly log: PartitionLog
      readonly clock: Clock
      readonly compute: Pick<Compute, 'decompressSync'>
      readonly fail: (error: unknown) => void
    },
  ) {
    this.#nodeId = options.nodeId
    const deliver = (batches: readonly CommittedBatch[], nextOffset: number) => this.#deliver(batches, nextOffset)
    this.#delivery = new LogDelivery(options, { ...deps, deliver })
  }

  register(listener: RaftListener): void {
    this.#listeners.push(listener)
  }

  /** Everything below it has been told. */
  get nextOffset(): number {
    return this.#delivery.nextOffset
  }

  /** Everything below `offset` is committed. */
  advance(offset: number): void {
    this.#delivery.advance(offset)
  }

  /** The listeners begin again with a snapshot. */
  load(snapshot: Snapshot): void {
    this.#delivery.skipTo(snapshot.id.endOffset)
    for (const listener of this.#listeners) listener.onSnapshot(snapshot)
    this.#announce()
  }

  /** Resolves with `offset` when the listeners have heard it; rejects when this node leads no more before that. */
  heard(offset: number): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#waiters.push({ offset, resolve, reject })
    })
  }

  /** This node leads no more: what it proposed may be committed or not. */
  leadershipLost(): void {
    const error = new NotLeaderError('This node does not lead the metadata quorum any more')
    const waiters = this.#waiters
    this.#waiters = []
    for (const { reject } of waiters) reject(error)
  }

  setLeadership(leadership: Leadership): void {
    this.#leadership = leadership
    this.#announce()
  }

  close(): void {
    this.#delivery.close()
  }

  #deliver(batches: readonly CommittedBatch[], nextOffset: number): void {
    for (const listener of this.#listeners) listener.onCommit(batches)
    this.#announce()
    let count = 0
    for (const { offset } of this.#waiters) {
      if (offset >= nextOffset) break
      count++
    }
    for (const { offset, resolve } of this.#waiters.splice(0, count)) resolve(offset)
  }

  #announce(): void {
    const { leaderId, epoch, readyOffset } = this.#leadership
    const isReady = leaderId === NOBODY || this.nextOffset >= readyOffset
    if (isReady) this.#tell({ leaderId, epoch })
    else if (this.#announced.leaderId === this.#nodeId && this.#announced.epoch !== epoch)
      this.#tell({ leaderId: NOBODY, epoch })
  }

  #tell(leader: LeaderAndEpoch): void {
    const { leaderId, epoch } = this.#announced
    if (leader.leaderId === leaderId && (leaderId === NOBODY || leader.epoch === epoch)) return
    this.#announced = leader
    for (const listener of this.#listeners) listener.onLeaderChange(leader)
  }
}
