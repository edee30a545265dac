import { expect, test } from '@jest/globals'
import { RecentMoves } from '../../../../operator/kafka/moves.ts'
import type { KafkaState, PartitionState } from '../../../../operator/kafka/state.ts'
import { planTargets } from '../../../../operator/reassignment/targets.ts'
import { kafkaState } from '../../../fakes/operator.ts'
import { atOnce } from '../../../fakes/planning.ts'

const BROKERS = [1, 2, 3, 4, 5]
const STILL = { adding: [], removing: [] }

/** Broker 4 takes the place of broker 1, as KIP-455 has it: who comes is first, who goes is last. */
const swap = { replicas: [4, 2, 3, 1], adding: [4], removing: [1] }
const raise = { replicas: [1, 2, 4], adding: [4], removing: [] }
const lower = { replicas: [1, 2, 3], adding: [], removing: [3] }

function seen(change: Partial<PartitionState>): KafkaState {
  const partition = { topic: 't', topicId: 'id', partition: 0, leader: 2, isr: [2, 3], minIsr: 1, replicas: [1, 2, 3] }
  const brokers = new Map(BROKERS.map((id) => [id, { rack: null }]))
  return kafkaState({ brokers, partitions: [{ ...partition, ...STILL, ...change }] })
}

/** What is made of `now`, so many ms after a look at which `told` was under way. */
function after(told: Partial<PartitionState>, now: Partial<PartitionState>, ms = 1000): PartitionState | undefined {
  const moves = new RecentMoves()
  moves.complete(seen(told), 0)
  return moves.complete(seen(now), ms).partitions[0]
}

test('what has ended, and the broker has not heard of it, is under way', () => {
  expect(after(swap, { ...swap, ...STILL })).toMatchObject(swap)
})

// The one that goes would get a successor: one replica more for good.
test('a broker that is emptied gets no successor where a replica of it has just gone', () => {
  const moves = new RecentMoves()
  moves.complete(seen(swap), 0)
  const kafka = moves.complete(seen({ ...swap, ...STILL, isr: [4, 2, 3, 1] }), 1000)
  const staying = new Set([2, 3, 4, 5])
  const scope = { mode: 'repair' } as const
  const leaving = new Set([1])
  const plan = planTargets({ kafka, disks: new Map(), factors: new Map(), staying, leaving, scope })
  expect(atOnce(plan).moves).toEqual([])
})

test.each([
  ['the broker has heard of its end', swap, { replicas: [4, 2, 3] }],
  ['the broker has heard that it was cancelled', swap, { replicas: [1, 2, 3] }],
  ['the topic is another one of that name', swap, { ...swap, ...STILL, topicId: 'other' }],
  ['what was to come is in sync, and nothing was to go', raise, { ...raise, ...STILL, isr: [1, 2, 4] }],
  ['it was cancelled where nothing was to come', lower, { ...lower, ...STILL }],
])('nothing is under way any more where %s', (_, told, now) => {
  expect(after(told, now)).toMatchObject(STILL)
})

test('where something was only to come it is under way until that is in sync', () => {
  expect(after(raise, { ...raise, ...STILL, isr: [1, 2] })).toMatchObject({ adding: [4] })
})

test('after ten seconds a broker has heard of everything, however often it was asked', () => {
  const moves = new RecentMoves()
  moves.complete(seen(swap), 0)
  for (let ms = 1000; ms <= 10_000; ms += 1000) {
    expect(moves.complete(seen({ ...swap, ...STILL }), ms).partitions[0]).toMatchObject(swap)
  }
  expect(moves.complete(seen({ ...swap, ...STILL }), 10_001).partitions[0]).toMatchObject(STILL)
})

test('what is told anew counts from now', () => {
  const moves = new RecentMoves()
  moves.complete(seen(swap), 0)
  moves.complete(seen(swap), 9000)
  expect(moves.complete(seen({ ...swap, ...STILL }), 15_000).partitions[0]).toMatchObject(swap)
})
