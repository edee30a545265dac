import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { initialState, type RaftEffect, type RaftEvent, type RaftState, step } from '../../../broker/raft/step.ts'

/** Runs a script of events and writes down what each made the node do. */
function transcript(voters: readonly number[], script: readonly RaftEvent[]): { lines: string[]; state: RaftState } {
  let state = initialState({ nodeId: 1, voters, epoch: 4 })
  const lines: string[] = []
  for (const event of script) {
    const next = step(state, event)
    state = next.state
    lines.push(`${event.type}: ${state.role} in epoch ${state.epoch}${next.effects.map(line).join('')}`)
  }
  return { lines, state }
}

function line(effect: RaftEffect): string {
  switch (effect.type) {
    case 'persistQuorumState':
      return `; persist leader ${effect.leaderId} vote ${effect.votedId}`
    case 'appendLeaderChange':
      return `; leader change with votes ${effect.votes.join(',')}`
    case 'advanceHighWatermark':
      return `; high watermark ${effect.offset}`
    default:
      return '; leadership lost'
  }
}

const timeout: RaftEvent = { type: 'electionTimeout' }
const persisted = (epoch: number): RaftEvent => ({ type: 'quorumStatePersisted', epoch })
const vote = (voterId: number, epoch = 5): RaftEvent => ({ type: 'voteGranted', epoch, voterId })
const started = (offset: number): RaftEvent => ({ type: 'epochStarted', epoch: 5, offset })
const durable = (voterId: number, endOffset: number): RaftEvent => ({ type: 'logDurable', voterId, endOffset })

test('the only voter leads once its own vote is durable', () => {
  expect(transcript([1], [timeout, persisted(5), started(10), durable(1, 11), durable(1, 15)]).lines).toEqual([
    'electionTimeout: candidate in epoch 5; persist leader -1 vote 1',
    'quorumStatePersisted: leader in epoch 5; persist leader 1 vote -1; leader change with votes 1',
    'epochStarted: leader in epoch 5',
    'logDurable: leader in epoch 5; high watermark 11',
    'logDurable: leader in epoch 5; high watermark 15',
  ])
})

test('a candidate among three needs a second vote', () => {
  expect(transcript([1, 2, 3], [timeout, persisted(5), vote(1), vote(9), vote(3)]).lines).toEqual([
    'electionTimeout: candidate in epoch 5; persist leader -1 vote 1',
    'quorumStatePersisted: candidate in epoch 5',
    'voteGranted: candidate in epoch 5',
    'voteGranted: candidate in epoch 5',
    'voteGranted: leader in epoch 5; persist leader 1 vote -1; leader change with votes 1,3',
  ])
})

test('votes of an earlier epoch do not count', () => {
  expect(transcript([1, 2, 3], [timeout, persisted(5), timeout, persisted(6), vote(2, 5)]).state.role).toBe('candidate')
})

test('of three logs the second longest is committed', () => {
  const { lines } = transcript(
    [1, 2, 3],
    [timeout, persisted(5), vote(2), started(10), durable(1, 20), durable(2, 15), durable(3, 18)],
  )
  expect(lines.slice(4)).toEqual([
    'logDurable: leader in epoch 5',
    'logDurable: leader in epoch 5; high watermark 15',
    'logDurable: leader in epoch 5; high watermark 18',
  ])
})

test('records of earlier epochs are committed only with the first of this one', () => {
  const { lines } = transcript(
    [1, 2, 3],
    [timeout, persisted(5), vote(2), started(10), durable(1, 11), durable(2, 10), durable(2, 11)],
  )
  expect(lines.slice(5)).toEqual(['logDurable: leader in epoch 5', 'logDurable: leader in epoch 5; high watermark 11'])
})

test('a leader that resigns says so, and commits nothing any more', () => {
  const { lines } = transcript([1], [timeout, persisted(5), started(0), { type: 'resign' }, durable(1, 9)])
  expect(lines.slice(3)).toEqual(['resign: resigned in epoch 5; leadership lost', 'logDurable: resigned in epoch 5'])
})

test('a node that has no vote does not stand for election', () => {
  expect(transcript([2, 3], [timeout]).lines).toEqual(['electionTimeout: unattached in epoch 4'])
})

describe('whatever happens', () => {
  const event: fc.Arbitrary<RaftEvent> = fc.oneof(
    fc.constant(timeout),
    fc.record({ type: fc.constant('quorumStatePersisted' as const), epoch: fc.integer({ min: 4, max: 9 }) }),
    fc.record({
      type: fc.constant('voteGranted' as const),
      epoch: fc.integer({ min: 4, max: 9 }),
      voterId: fc.integer({ min: 1, max: 4 }),
    }),
    fc.record({
      type: fc.constant('epochStarted' as const),
      epoch: fc.integer({ min: 4, max: 9 }),
      offset: fc.integer({ min: 0, max: 9 }),
    }),
    fc.record({
      type: fc.constant('logDurable' as const),
      voterId: fc.integer({ min: 1, max: 4 }),
      endOffset: fc.integer({ min: 0, max: 30 }),
    }),
    fc.constant<RaftEvent>({ type: 'resign' }),
  )

  test('neither epoch nor high watermark goes back, and a leader has the votes of a majority', () => {
    fc.assert(
      fc.property(fc.array(event, { maxLength: 40 }), (script) => {
        let state = initialState({ nodeId: 1, voters: [1, 2, 3], epoch: 4 })
        for (const next of script) {
          const after = step(state, next).state
          expect(after.epoch).toBeGreaterThanOrEqual(state.epoch)
          expect(after.highWatermark).toBeGreaterThanOrEqual(state.highWatermark)
          if (after.role === 'leader') expect(after.votes.size).toBeGreaterThanOrEqual(2)
          state = after
        }
      }),
    )
  })
})
