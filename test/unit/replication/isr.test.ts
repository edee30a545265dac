import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { ErrorCode } from '../../../broker/protocol/errors.ts'
import {
  answeredIsr,
  committedIsr,
  expandIsr,
  type IsrProposal,
  type IsrState,
  maximalIsr,
  shrinkIsr,
} from '../../../broker/replication/isr.ts'

const STATE: IsrState = { isr: [1, 2], leaderEpoch: 5, partitionEpoch: 10, pending: undefined }

function pendingOf(state: IsrState): IsrProposal {
  if (state.pending === undefined) throw new Error('nothing is pending')
  return state.pending
}

describe('an ISR change under way', () => {
  test('counts who is added, and who is not taken out yet', () => {
    expect(maximalIsr(expandIsr(STATE, 3))).toEqual([1, 2, 3])
    expect(maximalIsr(shrinkIsr(STATE, [2]))).toEqual([1, 2])
  })

  test('is over when the controller has made it', () => {
    const state = expandIsr(STATE, 3)
    const answer = { error: ErrorCode.NONE, isr: [1, 2, 3], leaderEpoch: 5, partitionEpoch: 11 }
    expect(answeredIsr(state, pendingOf(state), answer)).toEqual({
      state: { isr: [1, 2, 3], leaderEpoch: 5, partitionEpoch: 11, pending: undefined },
      verdict: 'done',
    })
  })

  test.each([
    [ErrorCode.INELIGIBLE_REPLICA, 'failed', false],
    [ErrorCode.OPERATION_NOT_ATTEMPTED, 'failed', false],
    [ErrorCode.INVALID_UPDATE_VERSION, 'failed', true],
    [ErrorCode.FENCED_LEADER_EPOCH, 'failed', true],
    [ErrorCode.NEW_LEADER_ELECTED, 'failed', true],
    [ErrorCode.UNKNOWN_SERVER_ERROR, 'retry', true],
    [ErrorCode.REQUEST_TIMED_OUT, 'retry', true],
  ])('that is answered with error %i has %s, and is pending afterwards: %s', (error, verdict, isPending) => {
    const state = expandIsr(STATE, 3)
    const answered = answeredIsr(state, pendingOf(state), { error, isr: [], leaderEpoch: 5, partitionEpoch: 10 })
    expect(answered.verdict).toBe(verdict)
    expect(answered.state.pending !== undefined).toBe(isPending)
    expect(answered.state.isr).toEqual([1, 2])
  })

  test('that the metadata log has told of is not answered any more', () => {
    const state = expandIsr(STATE, 3)
    const told = committedIsr(state, { isr: [1], leaderEpoch: 5, partitionEpoch: 11 })
    const answer = { error: ErrorCode.NONE, isr: [1, 2, 3], leaderEpoch: 5, partitionEpoch: 12 }
    expect(answeredIsr(told, pendingOf(state), answer).state).toEqual(told)
  })
})

/** The controller's side: applies what is asked for unless it is stale, and its answers and records reach the leader in any order. */
type Step =
  | { readonly kind: 'expand' | 'shrink' | 'other'; readonly broker: number }
  | { readonly kind: 'answer' | 'lose' | 'record' }

const STEP: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    kind: fc.constantFrom('expand' as const, 'shrink' as const, 'other' as const),
    broker: fc.integer({ min: 2, max: 4 }),
  }),
  fc.record({ kind: fc.constantFrom('answer' as const, 'lose' as const, 'record' as const) }),
)

interface Committed {
  readonly isr: readonly number[]
  readonly leaderEpoch: number
  readonly partitionEpoch: number
}

/** A leader and its controller; all that the controller commits is in `log`. */
class Play {
  leader: IsrState = STATE
  readonly log: Committed[] = [STATE]
  #told = 0
  #flying: { readonly proposal: IsrProposal; readonly answer: Committed & { readonly error: number } } | undefined

  get committed(): Committed {
    return this.log.at(-1) ?? STATE
  }

  step(step: Step): void {
    if (!('broker' in step)) this.#hear(step.kind)
    else if (step.kind === 'other') this.#commit(this.committed.isr.filter((id) => id !== step.broker))
    else this.#propose(step.kind, step.broker)
  }

  #hear(kind: 'answer' | 'lose' | 'record'): void {
    if (kind === 'record') this.#record()
    else this.#answer(kind === 'lose')
  }

  #propose(kind: 'expand' | 'shrink', broker: number): void {
    if (this.leader.pending !== undefined || this.leader.isr.includes(broker) === (kind === 'expand')) return
    this.leader = kind === 'expand' ? expandIsr(this.leader, broker) : shrinkIsr(this.leader, [broker])
    this.#send(pendingOf(this.leader))
  }

  #send(proposal: IsrProposal): void {
    const isStale = proposal.partitionEpoch !== this.committed.partitionEpoch
    if (!isStale) this.#commit(proposal.isr)
    const error = isStale ? ErrorCode.INVALID_UPDATE_VERSION : ErrorCode.NONE
    this.#flying = { proposal, answer: { error, ...this.committed } }
  }

  #commit(isr: readonly number[]): void {
    const { leaderEpoch, partitionEpoch } = this.committed
    this.log.push({ isr, leaderEpoch, partitionEpoch: partitionEpoch + 1 })
  }

  #answer(isLost: boolean): void {
    if (this.#flying === undefined) return
    const { proposal, answer } = this.#flying
    this.#flying = undefined
    const heard = isLost ? { ...answer, error: ErrorCode.REQUEST_TIMED_OUT } : answer
    const { state, verdict } = answeredIsr(this.leader, proposal, heard)
    this.leader = state
    if (verdict === 'retry') this.#send(proposal)
  }

  #record(): void {
    const next = this.log[this.#told + 1]
    if (next === undefined) return
    this.#told++
    this.leader = committedIsr(this.leader, next)
  }
}

test("whoever the controller has in the ISR by the leader's doing, the leader counts", () => {
  fc.assert(
    fc.property(fc.array(STEP, { maxLength: 60 }), (steps) => {
      const play = new Play()
      for (const step of steps) {
        play.step(step)
        const known = play.leader.partitionEpoch
        // What others have changed since only ever takes members out.
        const added = play.committed.isr.filter((id) => !maximalIsr(play.leader).includes(id))
        expect(added).toEqual([])
        expect(play.committed.partitionEpoch).toBeGreaterThanOrEqual(known)
      }
    }),
    { numRuns: 500 },
  )
})
