import { ZERO_UUID } from '../lib/uuid.ts'
import type { ApiKey } from '../protocol/api-key.ts'
import type { RequestOf, ResponseInputOf } from '../protocol/apis.ts'
import { ErrorCode } from '../protocol/errors.ts'
import { METADATA_TOPIC } from './metadata-log.ts'
import type { RaftCore } from './raft-core.ts'
import { leaderOf } from './state.ts'
import type { VoterEndpoint } from './voters.ts'

type VoteRequest = RequestOf<typeof ApiKey.Vote>
type VoteResponse = ResponseInputOf<typeof ApiKey.Vote>
type BeginRequest = RequestOf<typeof ApiKey.BeginQuorumEpoch>
type BeginResponse = ResponseInputOf<typeof ApiKey.BeginQuorumEpoch>
type EndRequest = RequestOf<typeof ApiKey.EndQuorumEpoch>
type EndResponse = ResponseInputOf<typeof ApiKey.EndQuorumEpoch>
type SnapshotRequest = RequestOf<typeof ApiKey.FetchSnapshot>
type SnapshotResponse = ResponseInputOf<typeof ApiKey.FetchSnapshot>

interface TopicOf<P> {
  readonly topicName: string
  readonly partitions: readonly P[]
}

/** What other members of the quorum ask: bodies in, bodies out. Nothing that they send makes it throw. */
export class QuorumRequests {
  readonly #core: RaftCore

  constructor(core: RaftCore) {
    this.#core = core
  }

  /** Vote (52), KIP-595, KIP-853 and KIP-996. */
  vote(request: VoteRequest): VoteResponse {
    const asked = this.#partitionOf(request)
    if (typeof asked === 'number') return { errorCode: asked }
    const isGrantable = this.#checkVote(request.voterId, asked)
    const isGranted =
      isGrantable === ErrorCode.NONE &&
      this.#core.apply({
        type: 'voteRequested',
        epoch: asked.replicaEpoch,
        candidate: { id: asked.replicaId, directoryId: asked.replicaDirectoryId },
        lastEpoch: asked.lastOffsetEpoch,
        endOffset: Number(asked.lastOffset),
        isPreVote: asked.preVote,
      })
    const partition = { partitionIndex: 0, errorCode: isGrantable, voteGranted: isGranted, ...this.currentLeader() }
    return {
      errorCode: ErrorCode.NONE,
      topics: [{ topicName: METADATA_TOPIC, partitions: [partition] }],
      nodeEndpoints: this.nodeEndpoints(),
    }
  }

  #checkVote(voterId: number, asked: VoteRequest['topics'][number]['partitions'][number]): ErrorCode {
    const { replicaId, replicaEpoch, lastOffsetEpoch, lastOffset, preVote } = asked
    const isPast = preVote ? lastOffsetEpoch <= replicaEpoch : lastOffsetEpoch < replicaEpoch
    if (!isPast || lastOffset < 0n || lastOffsetEpoch < 0) return ErrorCode.INVALID_REQUEST
    if (replicaEpoch < this.#core.state.epoch) return ErrorCode.FENCED_LEADER_EPOCH
    if (replicaId < 0) return ErrorCode.INVALID_REQUEST
    if (this.#core.isStopped) return ErrorCode.BROKER_NOT_AVAILABLE
    if (this.#isMeant(voterId, asked.voterDirectoryId)) return ErrorCode.NONE
    this.#core.apply({ type: 'leaderHeard', epoch: replicaEpoch, leaderId: -1, isLeaderItself: false })
    return ErrorCode.INVALID_VOTER_KEY
  }

  /** BeginQuorumEpoch (53): who was elected says so. */
  beginQuorumEpoch(request: BeginRequest): BeginResponse {
    const asked = this.#partitionOf(request)
    if (typeof asked === 'number') return { errorCode: asked }
    const { leaderId, leaderEpoch } = asked
    let errorCode = this.#checkLeader(leaderId, leaderEpoch)
    if (errorCode === ErrorCode.NONE) {
      this.#learn(leaderId, request.leaderEndpoints)
      this.#core.apply({ type: 'leaderHeard', epoch: leaderEpoch, leaderId, isLeaderItself: true })
      if (!this.#isMeant(request.voterId, asked.voterDirectoryId)) errorCode = ErrorCode.INVALID_VOTER_KEY
    }
    const partition = { partitionIndex: 0, errorCode, ...this.currentLeader() }
    return {
      errorCode: ErrorCode.NONE,
      topics: [{ topicName: METADATA_TOPIC, partitions: [partition] }],
      nodeEndpoints: this.nodeEndpoints(),
    }
  }

  /** EndQuorumEpoch (54): the leader resigns. */
  endQuorumEpoch(request: EndRequest): EndResponse {
    const asked = this.#partitionOf(request)
    if (typeof asked === 'number') return { errorCode: asked }
    const { leaderId, leaderEpoch, preferredCandidates, preferredSuccessors } = asked
    const errorCode = this.#checkLeader(leaderId, leaderEpoch)
    if (errorCode === ErrorCode.NONE) {
      this.#learn(leaderId, request.leaderEndpoints)
      const candidates = preferredCandidates.map((one) => ({
        id: one.candidateId,
        directoryId: one.candidateDirectoryId,
      }))
      const { directoryId } = this.#core.self
      const successors = candidates.length > 0 ? candidates : preferredSuccessors.map((id) => ({ id, directoryId }))
      this.#core.apply({ type: 'leaderEnds', epoch: leaderEpoch, leaderId, successors })
    }
    const partition = { partitionIndex: 0, errorCode, ...this.currentLeader() }
    return {
      errorCode: ErrorCode.NONE,
      topics: [{ topicName: METADATA_TOPIC, partitions: [partition] }],
      nodeEndpoints: this.nodeEndpoints(),
    }
  }

  /** FetchSnapshot (59), KIP-630: a part of a snapshot of this leader's. */
  async fetchSnapshot(request: SnapshotRequest): Promise<SnapshotResponse> {
    if (!this.isOfCluster(request.clusterId)) return { errorCode: ErrorCode.INCONSISTENT_CLUSTER_ID }
    const topic = request.topics[0]
    const asked = topic?.partitions[0]
    if (topic === undefined || asked === undefined) return { errorCode: ErrorCode.INVALID_REQUEST }
    const answer = { index: asked.partition, snapshotId: asked.snapshotId, currentLeader: this.currentLeader() }
    const respond = (partition: object): SnapshotResponse => ({
      topics: [{ name: topic.name, partitions: [{ ...answer, unalignedRecords: [], ...partition }] }],
      nodeEndpoints: this.nodeEndpoints(),
    })
    if (topic.name !== METADATA_TOPIC || asked.partition !== 0) {
      return respond({ errorCode: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION })
    }
    const refusal = this.leaderOnly(asked.currentLeaderEpoch)
    if (refusal !== ErrorCode.NONE) return respond({ errorCode: refusal })
    const replica = { id: request.replicaId, directoryId: asked.replicaDirectoryId }
    this.#core.apply({ type: 'replicaFetched', replica, endOffset: undefined })
    const id = { endOffset: Number(asked.snapshotId.endOffset), epoch: asked.snapshotId.epoch }
    const position = Number(asked.position)
    // The snapshot of the format command is each node's own.
    const from = Math.max(0, position)
    const maxBytes = Math.min(request.maxBytes, this.#core.options.fetchSnapshotMaxBytes)
    const read = id.endOffset === 0 ? undefined : await this.#core.snapshots.read(id, from, maxBytes)
    if (read === undefined) return respond({ errorCode: ErrorCode.SNAPSHOT_NOT_FOUND })
    if (position < 0 || position >= read.size) return respond({ errorCode: ErrorCode.POSITION_OUT_OF_RANGE })
    const errorCode = ErrorCode.NONE
    return respond({ errorCode, size: BigInt(read.size), position: asked.position, unalignedRecords: [read.bytes] })
  }

  isOfCluster(clusterId: string | null): boolean {
    return clusterId === null || clusterId === this.#core.options.clusterId
  }

  /** NONE where this node leads in `epoch`. */
  leaderOnly(epoch: number): ErrorCode {
    const { state, isStopped } = this.#core
    if (isStopped) return ErrorCode.BROKER_NOT_AVAILABLE
    if (epoch < state.epoch) return ErrorCode.FENCED_LEADER_EPOCH
    if (epoch > state.epoch) return ErrorCode.UNKNOWN_LEADER_EPOCH
    return state.role.name === 'leader' ? ErrorCode.NONE : ErrorCode.NOT_LEADER_OR_FOLLOWER
  }

  currentLeader(): { readonly leaderId: number; readonly leaderEpoch: number } {
    const { state } = this.#core
    return { leaderId: leaderOf(state), leaderEpoch: state.epoch }
  }

  /** Where the leader listens. */
  nodeEndpoints(): { readonly nodeId: number; readonly host: string; readonly port: number }[] {
    const nodeId = leaderOf(this.#core.state)
    const address = nodeId < 0 ? undefined : this.#core.addressOf(nodeId)
    return address === undefined ? [] : [{ nodeId, host: address.host, port: address.port }]
  }

  #checkLeader(leaderId: number, leaderEpoch: number): ErrorCode {
    const { state, isStopped } = this.#core
    if (isStopped) return ErrorCode.BROKER_NOT_AVAILABLE
    if (leaderEpoch < state.epoch) return ErrorCode.FENCED_LEADER_EPOCH
    if (leaderId < 0) return ErrorCode.INVALID_REQUEST
    // Nobody else can have been elected in the same epoch.
    const isOther = leaderEpoch === state.epoch && state.leaderId >= 0 && state.leaderId !== leaderId
    return isOther ? ErrorCode.INVALID_REQUEST : ErrorCode.NONE
  }

  #learn(leaderId: number, endpoints: readonly VoterEndpoint[]): void {
    const address = this.#core.reachable(endpoints)
    if (address !== undefined) this.#core.learnAddress(leaderId, address)
  }

  /** Whether the request is for this replica, and not for one that was at this address before it. */
  #isMeant(voterId: number, voterDirectoryId: string): boolean {
    const { id, directoryId } = this.#core.self
    return voterId < 0 || (voterId === id && (voterDirectoryId === ZERO_UUID || voterDirectoryId === directoryId))
  }

  #partitionOf<P extends { readonly partitionIndex: number }>(request: {
    readonly clusterId: string | null
    readonly topics: readonly TopicOf<P>[]
  }): P | ErrorCode {
    if (!this.isOfCluster(request.clusterId)) return ErrorCode.INCONSISTENT_CLUSTER_ID
    const [topic] = request.topics
    const partition = topic?.partitions[0]
    if (topic?.topicName !== METADATA_TOPIC || partition?.partitionIndex !== 0) return ErrorCode.INVALID_REQUEST
    return partition
  }
}
