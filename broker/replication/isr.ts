import { ErrorCode } from '../protocol/errors.ts'

/** An ISR that a leader has asked the controller for. */
export interface IsrProposal {
  readonly change: 'expand' | 'shrink'
  readonly isr: readonly number[]
  readonly leaderEpoch: number
  /** Of the state that the proposal changes: the controller refuses one that is based on an older state. */
  readonly partitionEpoch: number
}

/** What a leader knows of its partition's ISR: what the controller has committed, and the change that is under way, if any. */
export interface IsrState {
  readonly isr: readonly number[]
  readonly leaderEpoch: number
  readonly partitionEpoch: number
  readonly pending: IsrProposal | undefined
}

/** The controller's answer to a proposal; the state is that which it has, where there is no error. */
export interface IsrAnswer {
  readonly error: number
  readonly isr: readonly number[]
  readonly leaderEpoch: number
  readonly partitionEpoch: number
}

/** What is to be done about an answer: nothing more, or the same proposal once again. */
export type IsrVerdict = 'done' | 'failed' | 'retry'

/** Refused for good: the old ISR stands, and another change may be asked for. */
const REVERTS: ReadonlySet<number> = new Set<number>([ErrorCode.OPERATION_NOT_ATTEMPTED, ErrorCode.INELIGIBLE_REPLICA])
/** The controller knows better: the metadata log will tell, and until then the change stays pending. */
const OVERTAKEN: ReadonlySet<number> = new Set<number>([
  ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
  ErrorCode.UNKNOWN_TOPIC_ID,
  ErrorCode.FENCED_LEADER_EPOCH,
  ErrorCode.INVALID_UPDATE_VERSION,
  ErrorCode.INVALID_REQUEST,
  ErrorCode.NEW_LEADER_ELECTED,
])

/**
 * The ISR as far as it may reach: of a change under way, both outcomes. A record counts as committed only when all of these have it,
 * since the controller may have put any of them in the ISR already (KIP-497).
 */
export function maximalIsr({ isr, pending }: IsrState): readonly number[] {
  if (pending === undefined) return isr
  return pending.change === 'expand' ? pending.isr : isr
}

/** `state` with a change that adds `brokerId`; only where none is under way. */
export function expandIsr(state: IsrState, brokerId: number): IsrState {
  return propose(state, 'expand', [...state.isr, brokerId])
}

/** `state` with a change that takes `brokerIds` out; only where none is under way. */
export function shrinkIsr(state: IsrState, brokerIds: readonly number[]): IsrState {
  return propose(
    state,
    'shrink',
    state.isr.filter((id) => !brokerIds.includes(id)),
  )
}

function propose(state: IsrState, change: IsrProposal['change'], isr: readonly number[]): IsrState {
  const { leaderEpoch, partitionEpoch } = state
  return { ...state, pending: { change, isr, leaderEpoch, partitionEpoch } }
}

/** The metadata log has spoken: what is older than what the controller has answered already is passed over. */
export function committedIsr(
  state: IsrState,
  committed: { readonly isr: readonly number[]; readonly leaderEpoch: number; readonly partitionEpoch: number },
): IsrState {
  if (committed.partitionEpoch < state.partitionEpoch) return state
  // The same state again is no answer to a change of it.
  if (committed.partitionEpoch === state.partitionEpoch) return state
  const { isr, leaderEpoch, partitionEpoch } = committed
  return { isr, leaderEpoch, partitionEpoch, pending: undefined }
}

/** Takes in the answer to `proposal`, which counts only while that is what is pending. */
export function answeredIsr(
  state: IsrState,
  proposal: IsrProposal,
  answer: IsrAnswer,
): { readonly state: IsrState; readonly verdict: IsrVerdict } {
  const { error, isr, leaderEpoch, partitionEpoch } = answer
  if (state.pending !== proposal) {
    // The metadata log was faster than the answer.
    const isKnown = error === ErrorCode.NONE && partitionEpoch <= state.partitionEpoch
    return { state, verdict: isKnown ? 'done' : 'failed' }
  }
  if (REVERTS.has(error)) return { state: { ...state, pending: undefined }, verdict: 'failed' }
  if (OVERTAKEN.has(error)) return { state, verdict: 'failed' }
  if (error !== ErrorCode.NONE) return { state, verdict: 'retry' }
  if (leaderEpoch !== state.leaderEpoch || partitionEpoch < state.partitionEpoch) return { state, verdict: 'failed' }
  return { state: { isr, leaderEpoch, partitionEpoch, pending: undefined }, verdict: 'done' }
}
