import { describe, expect, test } from '@jest/globals'
import {
  initialState,
  type InitialState,
  type Moment,
  type RaftEffect,
  type RaftEvent,
  type RaftState,
} from '../../../broker/raft/state.ts'
import { step } from '../../../broker/raft/step.ts'

const TIMEOUTS = { fetchMs: 2000, electionMs: 1000, electionBackoffMaxMs: 1000 }
const DIRECTORY = 'uEYGF8nYSKGSUEijCUSI2g'
const key = (id: number) => ({ id, directoryId: DIRECTORY })

function stateOf(ids: readonly number[], initial: Partial<InitialState> = {}): RaftState {
  return initialState({
    self: key(1),
    timeouts: TIMEOUTS,
    voters: ids.map(key),
    possibleVoters: ids.map(key),
    epoch: 4,
    leaderId: -1,
    voted: undefined,
    highWatermark: 0,
    ...initial,
  })
}

const MOMENT: Moment = { nowMs: 0, jitter: 0, log: { endOffset: 10, lastEpoch: 4 } }

type Scripted = RaftEvent | { readonly at: number; readonly event: RaftEvent }

/** Runs a script of events and writes down what each made the node do. */
function transcript(state: RaftState, script: readonly Scripted[]): { lines: string[]; state: RaftState } {
  const lines: string[] = []
  for (const scripted of script) {
    const event = 'event' in scripted ? scripted.event : scripted
    const nowMs = 'event' in scripted ? scripted.at : 0
    const next = step(state, event, { ...MOMENT, nowMs })
    state = next.state
    const granted = next.isGranted === undefined ? '' : `; ${next.isGranted ? 'granted' : 'refused'}`
    lines.push(`${event.type}: ${state.role.name} in epoch ${state.epoch}${granted}${next.effects.map(line).join('')}`)
  }
  return { lines, state }
}

function line(effect: RaftEffect): string {
  switch (effect.type) {
    case 'persistQuorumState':
      return `; persist leader ${effect.leaderId} vote ${effect.voted?.id ?? -1}`
    case 'requestVotes':
      return effect.isPreVote ? '; ask for pre-votes' : '; ask for votes'
    case 'appendLeaderChange':
      return `; leader change with votes ${effect.votes.join(',')}`
    case 'beginQuorumEpoch':
      return `; begin epoch at ${effect.voters.map(({ id }) => id).join(',')}`
    case 'endQuorumEpoch':
      return `; end epoch, successors ${effect.successors.map(({ id }) => id).join(',')}`
    case 'advanceHighWatermark':
      return `; high watermark ${effect.offset}`
    default:
      return '; leadership lost'
  }
}

const start: RaftEvent = { type: 'start' }
const tick = (at: number): Scripted => ({ at, event: { type: 'tick' } })
const preVote = (voterId: number, isGranted = true, epoch = 4): RaftEvent => ({
  type: 'voteAnswered',
  epoch,
  voterId,
  isPreVote: true,
  isGranted,
})
const vote = (voterId: number, isGranted = true, epoch = 5): RaftEvent => ({
  type: 'voteAnswered',
  epoch,
  voterId,
  isPreVote: false,
  isGranted,
})
const started = (offset: number): RaftEvent => ({ type: 'epochStarted', epoch: 5, offset })
const durable = (endOffset: number): RaftEvent => ({ type: 'logDurable', endOffset })
const fetches = (id: number, endOffset: number): RaftEvent => ({ type: 'replicaFetched', replica: key(id), endOffset })
const elected = [tick(100), preVote(2), vote(2)]
const asks = (
  id: number,
  epoch: number,
  { isPreVote = false, endOffset = 10, lastEpoch = 4 }: { isPreVote?: boolean; endOffset?: number; lastEpoch?: number },
): RaftEvent => ({ type: 'voteRequested', epoch, candidate: key(id), endOffset, lastEpoch, isPreVote })
const heard = (epoch: number, leaderId: number): RaftEvent => ({
  type: 'leaderHeard',
  epoch,
  leaderId,
  isLeaderItself: true,
})

function waiting(ids: readonly number[]): RaftState {
  return step(stateOf(ids), start, MOMENT).state
}

test('the only voter leads at once', () => {
  expect(transcript(stateOf([1]), [start, started(10), durable(11), durable(15)]).lines).toEqual([
    'start: leader in epoch 5; persist leader 1 vote -1; leader change with votes 1',
    'epochStarted: leader in epoch 5',
    'logDurable: leader in epoch 5; high watermark 11',
    'logDurable: leader in epoch 5; high watermark 15',
  ])
})

test('one of three asks first whether it would be elected, and then to be', () => {
  expect(transcript(waiting([1, 2, 3]), elected).lines).toEqual([
    'tick: prospective in epoch 4; ask for pre-votes',
    'voteAnswered: candidate in epoch 5; persist leader -1 vote 1; ask for votes',
    'voteAnswered: leader in epoch 5; persist leader 1 vote -1; leader change with votes 1,2; begin epoch at 2,3',
  ])
})

test('who is refused asks again later, in the same epoch', () => {
  const { lines, state } = transcript(waiting([1, 2, 3]), [tick(100), preVote(2, false), preVote(3, false), tick(9000)])
  expect(lines.slice(1)).toEqual([
    'voteAnswered: prospective in epoch 4',
    'voteAnswered: unattached in epoch 4',
    'tick: prospective in epoch 4; ask for pre-votes',
  ])
  expect(state.epoch).toBe(4)
})

test('votes of an earlier epoch do not count, nor those of strangers', () => {
  const { state } = transcript(waiting([1, 2, 3]), [tick(100), preVote(2), vote(2, true, 4), vote(9)])
  expect(state.role.name).toBe('candidate')
})

test('of three logs the second longest is committed', () => {
  const { lines } = transcript(waiting([1, 2, 3]), [
    ...elected,
    started(10),
    durable(20),
    fetches(2, 15),
    fetches(3, 18),
  ])
  expect(lines.slice(4)).toEqual([
    'logDurable: leader in epoch 5',
    'replicaFetched: leader in epoch 5; high watermark 15',
    'replicaFetched: leader in epoch 5; high watermark 18',
  ])
})

test('records of earlier epochs are committed only with the first of this one', () => {
  const { lines } = transcript(waiting([1, 2, 3]), [
    ...elected,
    started(10),
    durable(11),
    fetches(2, 10),
    fetches(2, 11),
  ])
  expect(lines.slice(5)).toEqual([
    'replicaFetched: leader in epoch 5',
    'replicaFetched: leader in epoch 5; high watermark 11',
  ])
})

test('a fetch from another directory is not that of the voter', () => {
  const stranger: RaftEvent = {
    type: 'replicaFetched',
    replica: { id: 2, directoryId: 'AAAAAAAAAAAAAAAAAAAABQ' },
    endOffset: 20,
  }
  const { state } = transcript(waiting([1, 2, 3]), [...elected, started(10), durable(20), stranger])
  expect(state.highWatermark).toBe(0)
})

test('a leader that resigns names the longest logs first, and waits for another epoch', () => {
  const script = [...elected, started(10), fetches(2, 10), fetches(3, 11), { type: 'resign' as const }, tick(9000)]
  expect(transcript(waiting([1, 2, 3]), script).lines.slice(6)).toEqual([
    'resign: resigned in epoch 5; leadership lost; end epoch, successors 3,2',
    'tick: unattached in epoch 6; persist leader -1 vote -1',
  ])
})

test('a leader that a majority does not fetch from resigns', () => {
  const { lines } = transcript(waiting([1, 2, 3]), [
    ...elected,
    { at: 2000, event: fetches(2, 10) },
    tick(3000),
    tick(5000),
  ])
  expect(lines.slice(4)).toEqual([
    'tick: leader in epoch 5; begin epoch at 3',
    'tick: resigned in epoch 5; leadership lost; end epoch, successors 2,3',
  ])
})

test('a vote is given once an epoch', () => {
  expect(transcript(waiting([1, 2, 3]), [asks(2, 5, {}), asks(3, 5, {}), asks(2, 5, {})]).lines).toEqual([
    'voteRequested: unattached in epoch 5; granted; persist leader -1 vote 2',
    'voteRequested: unattached in epoch 5; refused',
    'voteRequested: unattached in epoch 5; granted',
  ])
})

test.each([
  [{ endOffset: 9 }, 'a shorter log'],
  [{ lastEpoch: 3, endOffset: 99 }, 'a log that ends in an earlier epoch'],
])('no vote for %p: %s', (log, _what) => {
  const { lines } = transcript(waiting([1, 2, 3]), [asks(2, 5, log)])
  expect(lines).toEqual(['voteRequested: unattached in epoch 5; refused; persist leader -1 vote -1'])
})

test('a pre-vote binds nobody, and is not given while there is a leader', () => {
  const fetched: RaftEvent = { type: 'fetched', epoch: 5, highWatermark: 0 }
  const lost: RaftEvent = { type: 'leaderLost', epoch: 5 }
  const ask = asks(3, 5, { isPreVote: true })
  expect(transcript(waiting([1, 2, 3]), [heard(5, 2), ask, fetched, ask, lost, ask]).lines).toEqual([
    'leaderHeard: follower in epoch 5; persist leader 2 vote -1',
    'voteRequested: follower in epoch 5; granted',
    'fetched: follower in epoch 5',
    'voteRequested: follower in epoch 5; refused',
    'leaderLost: follower in epoch 5',
    'voteRequested: follower in epoch 5; granted',
  ])
})

test('a follower whose leader is gone stands for election long before the timeout', () => {
  const lost: RaftEvent = { type: 'leaderLost', epoch: 5 }
  const { lines } = transcript(waiting([1, 2, 3]), [heard(5, 2), { at: 100, event: lost }, tick(300)])
  expect(lines[2]).toBe('tick: prospective in epoch 5; ask for pre-votes')
})

test('the first successor stands for election at once, the second waits', () => {
  const ends = (ids: readonly number[]): RaftEvent => ({
    type: 'leaderEnds',
    epoch: 5,
    leaderId: 2,
    successors: ids.map(key),
  })
  const first = transcript(waiting([1, 2, 3]), [heard(5, 2), ends([1, 3]), tick(0)])
  expect(first.lines[2]).toBe('tick: prospective in epoch 5; ask for pre-votes')
  const second = transcript(waiting([1, 2, 3]), [heard(5, 2), ends([3, 1]), tick(100), tick(300)])
  expect(second.lines.slice(2)).toEqual([
    'tick: follower in epoch 5',
    'tick: prospective in epoch 5; ask for pre-votes',
  ])
})

test('a later epoch deposes a leader', () => {
  expect(transcript(waiting([1, 2, 3]), [...elected, heard(6, 3)]).lines[3]).toBe(
    'leaderHeard: follower in epoch 6; persist leader 3 vote -1; leadership lost',
  )
})

test('who led before a restart does not lead in that epoch again, nor vote in it', () => {
  const before = stateOf([1, 2, 3], { leaderId: 1 })
  const { lines } = transcript(before, [start, asks(2, 4, {}), tick(9000)])
  expect(lines).toEqual([
    'start: resigned in epoch 4',
    'voteRequested: resigned in epoch 4; refused',
    'tick: unattached in epoch 5; persist leader -1 vote -1',
  ])
})

test('a node that has no vote follows, and does not stand for election', () => {
  expect(transcript(stateOf([2, 3]), [start, tick(99_999), heard(5, 2), tick(199_999)]).lines).toEqual([
    'start: unattached in epoch 4',
    'tick: unattached in epoch 4',
    'leaderHeard: follower in epoch 5; persist leader 2 vote -1',
    'tick: follower in epoch 5',
  ])
})

test('a voter that is added counts at once', () => {
  const changed: RaftEvent = { type: 'votersChanged', voters: [1, 2].map(key), possibleVoters: [1].map(key) }
  const script = [start, started(10), durable(11), changed, durable(12), fetches(2, 12)]
  expect(transcript(stateOf([1]), script).lines.slice(2)).toEqual([
    'logDurable: leader in epoch 5; high watermark 11',
    'votersChanged: leader in epoch 5',
    'logDurable: leader in epoch 5',
    'replicaFetched: leader in epoch 5; high watermark 12',
  ])
})

describe('a voter that was removed', () => {
  const removed = { voters: [2, 3].map(key), possibleVoters: [1, 2, 3].map(key) }
  const committed: RaftEvent = { type: 'votersChanged', voters: [2, 3].map(key), possibleVoters: [2, 3].map(key) }

  test('stands for election while that is not committed, with the votes of the others alone', () => {
    const script = [start, tick(9999), preVote(2), preVote(3), vote(2), vote(3)]
    expect(transcript(stateOf([], removed), script).lines.slice(1)).toEqual([
      'tick: prospective in epoch 4; ask for pre-votes',
      'voteAnswered: prospective in epoch 4',
      'voteAnswered: candidate in epoch 5; persist leader -1 vote 1; ask for votes',
      'voteAnswered: candidate in epoch 5',
      'voteAnswered: leader in epoch 5; persist leader 1 vote -1; leader change with votes 2,3; begin epoch at 2,3',
    ])
  })

  test('does not once that is committed', () => {
    expect(transcript(stateOf([], removed), [start, committed, tick(9999)]).lines.slice(1)).toEqual([
      'votersChanged: unattached in epoch 4',
      'tick: unattached in epoch 4',
    ])
  })
})

test('a stopped node does nothing and promises nothing', () => {
  expect(transcript(stateOf([1]), [start, { type: 'stop' }, asks(2, 9, {}), durable(99)]).lines.slice(1)).toEqual([
    'stop: stopped in epoch 5; leadership lost',
    'voteRequested: stopped in epoch 5',
    'logDurable: stopped in epoch 5',
  ])
})
