import { ApiKey } from '../protocol/api-key.ts'
import type { ResponseOf } from '../protocol/apis.ts'
import { ErrorCode } from '../protocol/errors.ts'
import type { Outbox, RaftCore } from './raft-core.ts'
import { METADATA_TOPIC } from './metadata-log.ts'
import type { ReplicaKey } from './state.ts'

/** How often the pause between two attempts doubles. */
const BACKOFF_DOUBLINGS = 3

/** What a node answers to whatever it is asked: what it knows of the leader. */
interface LeaderHint {
  readonly leaderId: number
  readonly leaderEpoch: number
}

/** Asks for votes, and tells voters who leads. */
export class QuorumMessenger implements Outbox {
  readonly #core: RaftCore
  /** Counts candidacies: what is left of an earlier one does nothing any more. */
  #candidacy = 0
  #ending: Promise<void> = Promise.resolve()

  constructor(core: RaftCore) {
    this.#core = core
  }

  /** Settles when every voter has heard, or could not be told, that this leader resigned. */
  get ending(): Promise<void> {
    return this.#ending
  }

  requestVotes(epoch: number, isPreVote: boolean): void {
    const candidacy = ++this.#candidacy
    const { role } = this.#core.state
    const isCurrent = () => {
      const { state } = this.#core
      return candidacy === this.#candidacy && state.role.name === role.name && state.epoch === epoch
    }
    for (const voter of this.#others()) void this.#askVote(voter, epoch, isPreVote, isCurrent)
  }

  #others(): ReplicaKey[] {
    return this.#core.state.voters.filter(({ id }) => id !== this.#core.self.id)
  }

  /** Until there is an answer, or the candidacy is over. */
  async #askVote(voter: ReplicaKey, epoch: number, isPreVote: boolean, isCurrent: () => boolean): Promise<void> {
    const { retryBackoffMs } = this.#core.options
    for (let attempt = 0; isCurrent(); attempt++) {
      if (await this.#tryVote(voter, epoch, isPreVote)) return
      // Who cannot be reached does not vote, for now.
      this.#core.apply({ type: 'voteAnswered', epoch, voterId: voter.id, isPreVote, isGranted: false })
      await this.#core.sleep(retryBackoffMs * 2 ** Math.min(attempt, BACKOFF_DOUBLINGS))
    }
  }

  async #tryVote(voter: ReplicaKey, epoch: number, isPreVote: boolean): Promise<boolean> {
    const core = this.#core
    const { options, self } = core
    const address = core.voterAddress(voter.id)
    if (address === undefined) return false
    const { endOffset, lastEpoch } = core.logEnd
    const partition = {
      partitionIndex: 0,
      replicaEpoch: epoch,
      replicaId: self.id,
      replicaDirectoryId: self.directoryId,
      voterDirectoryId: voter.directoryId,
      lastOffsetEpoch: lastEpoch,
      lastOffset: BigInt(endOffset),
      preVote: isPreVote,
    }
    const topics = [{ topicName: METADATA_TOPIC, partitions: [partition] }]
    const body = { clusterId: options.clusterId, voterId: voter.id, topics }
    let response: ResponseOf<typeof ApiKey.Vote>
    try {
      response = await core.deps.transport.request(address, ApiKey.Vote, body, options.requestTimeoutMs)
    } catch {
      return false
    }
    const answer = response.topics[0]?.partitions[0]
    if (core.isStopped || answer === undefined || response.errorCode !== ErrorCode.NONE) return core.isStopped
    this.#learn(answer, response.nodeEndpoints)
    const isGranted = answer.errorCode === ErrorCode.NONE && answer.voteGranted
    core.apply({ type: 'voteAnswered', epoch, voterId: voter.id, isPreVote, isGranted })
    return true
  }

  #learn(
    { leaderId, leaderEpoch }: LeaderHint,
    endpoints: readonly { readonly nodeId: number; readonly host: string; readonly port: number }[],
  ): void {
    for (const { nodeId, host, port } of endpoints) this.#core.learnAddress(nodeId, { host, port })
    this.#core.apply({ type: 'leaderHeard', epoch: leaderEpoch, leaderId, isLeaderItself: false })
  }

  beginQuorumEpoch(voters: readonly ReplicaKey[]): void {
    for (const voter of voters) void this.#begin(voter, this.#core.state.epoch)
  }

  /** Once: a voter that does not fetch is told again later. */
  async #begin(voter: ReplicaKey, leaderEpoch: number): Promise<void> {
    const { options, deps, self } = this.#core
    const address = this.#core.voterAddress(voter.id)
    if (address === undefined) return
    const partition = { partitionIndex: 0, voterDirectoryId: voter.directoryId, leaderId: self.id, leaderEpoch }
    const body = {
      clusterId: options.clusterId,
      voterId: voter.id,
      topics: [{ topicName: METADATA_TOPIC, partitions: [partition] }],
      leaderEndpoints: this.#endpoints(),
    }
    try {
      const response = await deps.transport.request(address, ApiKey.BeginQuorumEpoch, body, options.requestTimeoutMs)
      const answer = response.topics[0]?.partitions[0]
      if (answer !== undefined) this.#learn(answer, response.nodeEndpoints)
    } catch {
      // It is told again.
    }
  }

  endQuorumEpoch(epoch: number, successors: readonly ReplicaKey[]): void {
    const told = successors.map((voter) => this.#end(voter, epoch, successors))
    this.#ending = Promise.all(told).then(() => undefined)
  }

  async #end(voter: ReplicaKey, leaderEpoch: number, successors: readonly ReplicaKey[]): Promise<void> {
    const { options, deps, self } = this.#core
    const address = this.#core.voterAddress(voter.id)
    if (address === undefined) return
    const partition = {
      partitionIndex: 0,
      leaderId: self.id,
      leaderEpoch,
      preferredSuccessors: successors.map(({ id }) => id),
      preferredCandidates: successors.map(({ id, directoryId }) => ({
        candidateId: id,
        candidateDirectoryId: directoryId,
      })),
    }
    const body = {
      clusterId: options.clusterId,
      topics: [{ topicName: METADATA_TOPIC, partitions: [partition] }],
      leaderEndpoints: this.#endpoints(),
    }
    try {
      const response = await deps.transport.request(address, ApiKey.EndQuorumEpoch, body, options.requestTimeoutMs)
      const answer = response.topics[0]?.partitions[0]
      if (answer !== undefined) this.#learn(answer, response.nodeEndpoints)
    } catch {
      // It will miss its fetches.
    }
  }

  #endpoints() {
    return this.#core.options.endpoints.map(({ name, host, port }) => ({ name, host, port }))
  }
}
