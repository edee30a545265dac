import { ZERO_UUID } from '../lib/uuid.ts'
import { ApiKey } from '../protocol/api-key.ts'
import type { RequestOf, ResponseInputOf, ResponseOf } from '../protocol/apis.ts'
import { ErrorCode } from '../protocol/errors.ts'
import type { QuorumRequests } from './quorum-requests.ts'
import type { RaftCore } from './raft-core.ts'
import type { ReplicaProgress } from './replica-progress.ts'
import { hasCommittedEpoch, isSameReplica, type ReplicaKey } from './state.ts'
import { KRAFT_VERSIONS, type KraftVersions, type Voter, type VoterEndpoint } from './voters.ts'

type AddRequest = RequestOf<typeof ApiKey.AddRaftVoter>
type AddResponse = ResponseInputOf<typeof ApiKey.AddRaftVoter>
type RemoveRequest = RequestOf<typeof ApiKey.RemoveRaftVoter>
type RemoveResponse = ResponseInputOf<typeof ApiKey.RemoveRaftVoter>
type UpdateRequest = RequestOf<typeof ApiKey.UpdateRaftVoter>
type UpdateResponse = ResponseInputOf<typeof ApiKey.UpdateRaftVoter>

/** Why a change is refused; null where it is not. */
interface Outcome {
  readonly errorCode: ErrorCode
  readonly errorMessage: string | null
}

const DONE: Outcome = { errorCode: ErrorCode.NONE, errorMessage: null }
const FEATURE = 'kraft.version'
/** Who had all of the log in the last hour will have it soon enough to be counted on. */
const CAUGHT_UP_MS = 3_600_000

/** The leader's part in changing the voters: one change at a time, each committed before the next (KIP-853). */
export class VoterChanges {
  readonly #core: RaftCore
  readonly #requests: QuorumRequests
  readonly #progress: ReplicaProgress
  #isBusy = false
  /** What the voters of a static quorum told this leader of themselves: an upgrade of kraft.version puts it in the log. */
  #reported: { readonly epoch: number; readonly voters: Map<number, Voter> } = { epoch: -1, voters: new Map() }

  constructor(core: RaftCore, deps: { readonly requests: QuorumRequests; readonly progress: ReplicaProgress }) {
    this.#core = core
    this.#requests = deps.requests
    this.#progress = deps.progress
  }

  /** AddRaftVoter (80). */
  async add(request: AddRequest): Promise<AddResponse> {
    const voter = { id: request.voterId, directoryId: request.voterDirectoryId, endpoints: request.listeners }
    const refusal = this.#refusal(request.clusterId) ?? this.#unsound(voter) ?? this.#busy() ?? this.#cannotAdd(voter)
    if (refusal !== undefined) return refusal
    return this.#exclusively(async () => {
      const supported = await this.#kraftVersionsOf(voter)
      // Meanwhile anything may have changed.
      const later = this.#refusal(request.clusterId) ?? this.#cannotAdd(voter)
      if (later !== undefined) return later
      const unfit = this.#unfit(voter, supported)
      if (unfit !== undefined) return unfit
      const kraftVersions = supported ?? KRAFT_VERSIONS
      const offset = this.#core.appendVoters([...this.#core.voters, { ...voter, kraftVersions }])
      if (offset === undefined) return notLeader()
      const committed = this.#committed(offset, request.timeoutMs)
      return request.ackWhenCommitted ? committed : DONE
    })
  }

  #unsound(voter: Voter): Outcome | undefined {
    if (!isReplica(voter)) {
      return refused(ErrorCode.INVALID_REQUEST, "Add voter request didn't include a valid voter")
    }
    if (this.#hasListener(voter.endpoints)) return undefined
    const given = voter.endpoints.map(({ name, host, port }) => `ListenerName(${name})=${host}/<unresolved>:${port}`)
    const missing = `the default listener ListenerName(${this.#core.options.controllerListenerName})`
    const message = `Add voter request didn't include the endpoint (Endpoints(endpoints={${given.join(', ')}})) for ${missing}`
    return refused(ErrorCode.INVALID_REQUEST, message)
  }

  /** The listener that the other controllers ask. */
  #hasListener(endpoints: readonly VoterEndpoint[]): boolean {
    return endpoints.some(({ name }) => name === this.#core.options.controllerListenerName)
  }

  #cannotAdd(voter: Voter): Outcome | undefined {
    const untimely = this.#untimely('adding')
    if (untimely !== undefined) return untimely
    if (!this.#core.voters.some(({ id }) => id === voter.id)) return undefined
    const message = `The voter id for ${text(voter)} is already part of the set of voters ${this.#names()}.`
    return refused(ErrorCode.DUPLICATE_VOTER, message)
  }

  #unfit(voter: Voter, supported: KraftVersions | undefined): Outcome | undefined {
    if (supported === undefined) {
      return refused(ErrorCode.REQUEST_TIMED_OUT, `New voter ${text(voter)} is not ready to receive requests`)
    }
    const version = this.#core.history.current.kraftVersion
    if (supported.minSupportedVersion > version || supported.maxSupportedVersion < version) {
      const range = `(min: ${supported.minSupportedVersion}, max: ${supported.maxSupportedVersion})`
      const message = `Aborted add voter operation for ${text(voter)} since the ${FEATURE} range ${range} doesn't support the finalized version ${version}`
      return refused(ErrorCode.INVALID_REQUEST, message)
    }
    const caughtUpMs = this.#progress.get(voter)?.lastCaughtUpMs ?? -1
    if (caughtUpMs >= 0 && caughtUpMs > this.#core.deps.clock.wallMs() - CAUGHT_UP_MS) return undefined
    const message = `Aborted add voter operation for ${text(voter)} since it is lagging behind`
    return refused(ErrorCode.REQUEST_TIMED_OUT, message)
  }

  /** Asks the node itself; undefined where it does not answer. */
  async #kraftVersionsOf({ endpoints }: Voter): Promise<KraftVersions | undefined> {
    const address = this.#core.reachable(endpoints)
    if (address === undefined) return undefined
    const { deps, options } = this.#core
    const body = { clientSoftwareName: 'ottla', clientSoftwareVersion: '0.1.0' }
    let response: ResponseOf<typeof ApiKey.ApiVersions>
    try {
      response = await deps.transport.request(address, ApiKey.ApiVersions, body, options.requestTimeoutMs)
    } catch {
      return undefined
    }
    const feature = response.supportedFeatures.find(({ name }) => name === FEATURE)
    if (feature === undefined) return { minSupportedVersion: 0, maxSupportedVersion: 0 }
    return { minSupportedVersion: feature.minVersion, maxSupportedVersion: feature.maxVersion }
  }

  /** RemoveRaftVoter (81). A leader that removes itself resigns once that is committed. */
  async remove(request: RemoveRequest): Promise<RemoveResponse> {
    const removed = { id: request.voterId, directoryId: request.voterDirectoryId }
    const unsound = refused(ErrorCode.INVALID_REQUEST, "Remove voter request didn't include a valid voter")
    const refusal =
      this.#refusal(request.clusterId) ??
      (isReplica(removed) ? undefined : unsound) ??
      this.#busy() ??
      this.#untimely('removing')
    if (refusal !== undefined) return refusal
    const { voters, options } = this.#core
    const rest = voters.filter((voter) => voter.id !== removed.id || voter.directoryId !== removed.directoryId)
    if (rest.length === voters.length || rest.length === 0) {
      const message = `Cannot remove voter ${text(removed)} from the set of voters ${this.#names()}`
      return refused(ErrorCode.VOTER_NOT_FOUND, message)
    }
    return this.#exclusively(async () => {
      const offset = this.#core.appendVoters(rest)
      if (offset === undefined) return notLeader()
      return this.#committed(offset, options.requestTimeoutMs)
    })
  }

  /** UpdateRaftVoter (82): a voter listens elsewhere, or speaks other versions of kraft.version. */
  update(request: UpdateRequest): UpdateResponse {
    const { currentLeaderEpoch } = request
    const errorCode = this.#requests.isOfCluster(request.clusterId)
      ? this.#update(request, currentLeaderEpoch)
      : ErrorCode.INCONSISTENT_CLUSTER_ID
    const { leaderId, leaderEpoch } = this.#requests.currentLeader()
    const { host = '', port = -1 } = this.#requests.nodeEndpoints()[0] ?? {}
    return { errorCode, currentLeader: { leaderId, leaderEpoch, host, port } }
  }

  #update(request: UpdateRequest, epoch: number): ErrorCode {
    const refusal = this.#requests.leaderOnly(epoch)
    if (refusal !== ErrorCode.NONE) return refusal
    if (!this.#isSound(request)) return ErrorCode.INVALID_REQUEST
    if (this.#isBusy || !hasCommittedEpoch(this.#core.state)) return ErrorCode.REQUEST_TIMED_OUT
    const { history, state, voters } = this.#core
    const { kraftVersion, votersOffset } = history.current
    const { kraftVersionFeature: kraftVersions, listeners: endpoints } = request
    const voter = { id: request.voterId, directoryId: request.voterDirectoryId, endpoints, kraftVersions }
    const isSupported =
      kraftVersions.minSupportedVersion <= kraftVersion && kraftVersions.maxSupportedVersion >= kraftVersion
    if (!isSupported) return ErrorCode.INVALID_REQUEST
    const known = voters.find((one) => isSameReplica(one, voter))
    if (known === undefined) return ErrorCode.VOTER_NOT_FOUND
    if (kraftVersion === 0) {
      if (this.#reported.epoch !== epoch) this.#reported = { epoch, voters: new Map() }
      this.#reported.voters.set(voter.id, voter)
    } else {
      if (votersOffset >= state.highWatermark) return ErrorCode.REQUEST_TIMED_OUT
      const offset = this.#core.appendVoters(voters.map((one) => (one === known ? voter : one)))
      if (offset === undefined) return ErrorCode.REQUEST_TIMED_OUT
    }
    this.#core.apply({ type: 'replicaFetched', replica: voter, endOffset: undefined })
    return ErrorCode.NONE
  }

  #isSound({ voterId: id, voterDirectoryId: directoryId, listeners, kraftVersionFeature }: UpdateRequest): boolean {
    const { minSupportedVersion: min, maxSupportedVersion: max } = kraftVersionFeature
    return isReplica({ id, directoryId }) && this.#hasListener(listeners) && min >= 0 && max >= min
  }

  /**
   * Raises kraft.version from 0, and so makes the static voters dynamic; says what is against it, or null. With `validateOnly` it stays
   * at that. The change is in the log on return: what is proposed after it is committed after it.
   */
  upgrade(version: number, { validateOnly }: { readonly validateOnly: boolean }): string | null {
    const { history, voters, self, options, state } = this.#core
    const { kraftVersion } = history.current
    if (version === kraftVersion) return null
    if (version < kraftVersion) return `Unable to downgrade ${FEATURE} from ${kraftVersion} to ${version}`
    if (this.#isBusy || !hasCommittedEpoch(state)) return 'The leader handles another change of the voters'
    const reported = this.#reported.epoch === state.epoch ? this.#reported.voters : new Map<number, Voter>()
    const own = { ...self, endpoints: options.endpoints, kraftVersions: KRAFT_VERSIONS }
    const known = voters.map(({ id }) => (id === self.id ? own : reported.get(id)))
    const isFit = (voter: Voter | undefined): voter is Voter =>
      voter?.kraftVersions !== undefined && voter.kraftVersions.maxSupportedVersion >= version
    const fit = known.filter(isFit)
    if (fit.length < voters.length) {
      const missing = voters.filter(({ id }) => !fit.some((voter) => voter.id === id)).map(({ id }) => id)
      return `Unable to upgrade ${FEATURE} to ${version}: the voters ${missing.join(', ')} have not said that they support it`
    }
    if (validateOnly || this.#core.appendVoters(fit, version) !== undefined) return null
    return 'The leader cannot append to its log'
  }

  #busy(): Outcome | undefined {
    if (!this.#isBusy) return undefined
    return timedOut('Request timed out waiting for leader to handle previous voter change request')
  }

  #refusal(clusterId: string | null): Outcome | undefined {
    if (!this.#requests.isOfCluster(clusterId)) {
      const message = `The given id "${clusterId}" doesn't match the cluster id "${this.#core.options.clusterId}"`
      return refused(ErrorCode.INCONSISTENT_CLUSTER_ID, message)
    }
    const notLeading = this.#requests.leaderOnly(this.#core.state.epoch)
    return notLeading === ErrorCode.NONE ? undefined : refused(notLeading, null)
  }

  #untimely(verb: string): Outcome | undefined {
    const { state, history } = this.#core
    const { kraftVersion, votersOffset } = history.current
    if (!hasCommittedEpoch(state)) {
      return timedOut('Request timed out waiting for leader to establish HWM and fence previous voter changes')
    }
    if (kraftVersion < 1) {
      const message = `Cluster doesn't support ${verb} voter because the ${FEATURE} feature is ${kraftVersion}`
      return refused(ErrorCode.UNSUPPORTED_VERSION, message)
    }
    if (votersOffset < state.highWatermark) return undefined
    const message = `Request timed out waiting for voters to commit the latest voter change at ${votersOffset} with HWM ${state.highWatermark}`
    return timedOut(message)
  }

  async #exclusively(change: () => Promise<Outcome>): Promise<Outcome> {
    this.#isBusy = true
    try {
      return await change()
    } finally {
      this.#isBusy = false
    }
  }

  async #committed(offset: number, timeoutMs: number): Promise<Outcome> {
    const heard = this.#core.audience.heard(offset).then(
      () => DONE,
      () => notLeader(),
    )
    const late = this.#core
      .sleep(Math.max(0, timeoutMs))
      .then(() => timedOut('The change of the voters is not committed yet'))
    return Promise.race([heard, late])
  }

  #names(): string {
    return `[${this.#core.voters.map(text).join(', ')}]`
  }
}

function refused(errorCode: ErrorCode, errorMessage: string | null): Outcome {
  return { errorCode, errorMessage }
}

/** Names a node and one of its directories. */
function isReplica({ id, directoryId }: ReplicaKey): boolean {
  return id >= 0 && directoryId !== ZERO_UUID
}

function timedOut(message: string): Outcome {
  return refused(ErrorCode.REQUEST_TIMED_OUT, message)
}

function notLeader(): Outcome {
  return refused(ErrorCode.NOT_LEADER_OR_FOLLOWER, 'The leader has resigned before the change was committed')
}

/** As Apache Kafka writes a replica. */
function text({ id, directoryId }: ReplicaKey): string {
  return `ReplicaKey(id=${id}, directoryId=${directoryId})`
}
