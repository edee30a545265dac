import type { Address } from '../env/network.ts'
import { ZERO_UUID } from '../lib/uuid.ts'
import { ApiKey } from '../protocol/api-key.ts'
import { ErrorCode } from '../protocol/errors.ts'
import type { RaftCore } from './raft-core.ts'
import { isVoter } from './state.ts'
import { KRAFT_VERSIONS, type Voter, withEndpoints } from './voters.ts'

/**
 * A follower's part in changing the voters: it tells the leader where it listens, and, where it may, makes itself a voter (KIP-853,
 * KIP-1186). It looks whether there is anything to do once a fetch timeout.
 */
export class Membership {
  readonly #core: RaftCore
  #nextMs: number
  /** The epoch whose leader knows this voter of a static quorum. */
  #reportedEpoch = -1

  constructor(core: RaftCore) {
    this.#core = core
    this.#nextMs = this.#dueMs()
  }

  #dueMs(): number {
    return this.#core.deps.clock.monotonicMs() + this.#core.options.fetchTimeoutMs
  }

  /** To be called after a fetch from the leader of `epoch`. */
  afterFetch(leader: Address, epoch: number): void {
    if (!this.#core.options.isController || this.#core.deps.clock.monotonicMs() < this.#nextMs) return
    this.#nextMs = this.#dueMs()
    void this.#review(leader, epoch)
  }

  /** What fails is tried again after the next timeout. */
  async #review(leader: Address, epoch: number): Promise<void> {
    try {
      if (isVoter(this.#core.state)) await this.#report(leader, epoch)
      else if (this.#core.options.autoJoin && this.#core.history.current.kraftVersion > 0) await this.#join(leader)
    } catch (error) {
      this.#core.deps.logger.debug({ err: error }, 'The leader of the metadata quorum could not be told of this voter')
    }
  }

  async #report(leader: Address, epoch: number): Promise<void> {
    const { self, voters, history, options, deps } = this.#core
    const isKnown =
      history.current.kraftVersion > 0
        ? withEndpoints(voters, self.id, options.endpoints) === voters && !hasOtherVersions(voters, self.id)
        : this.#reportedEpoch === epoch
    if (isKnown) return
    const body = {
      clusterId: options.clusterId,
      currentLeaderEpoch: epoch,
      voterId: self.id,
      voterDirectoryId: self.directoryId,
      listeners: this.#listeners(),
      kraftVersionFeature: { ...KRAFT_VERSIONS },
    }
    const answer = await deps.transport.request(leader, ApiKey.UpdateRaftVoter, body, options.requestTimeoutMs)
    if (answer.errorCode === ErrorCode.NONE) this.#reportedEpoch = epoch
  }

  /** A voter with this id and another directory was this node before it lost its disk: it goes first. */
  async #join(leader: Address): Promise<void> {
    const { self, voters, options, deps } = this.#core
    const { clusterId, requestTimeoutMs } = options
    const old = voters.find(({ id }) => id === self.id)
    if (old !== undefined) {
      const body = { clusterId, voterId: old.id, voterDirectoryId: old.directoryId }
      await deps.transport.request(leader, ApiKey.RemoveRaftVoter, body, requestTimeoutMs)
      return
    }
    if (self.directoryId === ZERO_UUID) return
    const body = {
      clusterId,
      timeoutMs: requestTimeoutMs,
      voterId: self.id,
      voterDirectoryId: self.directoryId,
      listeners: this.#listeners(),
      ackWhenCommitted: false,
    }
    await deps.transport.request(leader, ApiKey.AddRaftVoter, body, requestTimeoutMs)
  }

  #listeners() {
    return this.#core.options.endpoints.map(({ name, host, port }) => ({ name, host, port }))
  }
}

function hasOtherVersions(voters: readonly Voter[], id: number): boolean {
  const versions = voters.find((voter) => voter.id === id)?.kraftVersions ?? KRAFT_VERSIONS
  const { minSupportedVersion, maxSupportedVersion } = KRAFT_VERSIONS
  return versions.minSupportedVersion !== minSupportedVersion || versions.maxSupportedVersion !== maxSupportedVersion
}
