import { describe, expect, test } from '@jest/globals'
import type { KafkaState, PartitionState } from '../../../../operator/kafka/state.ts'
import { nextBatch, overtaken, unwanted } from '../../../../operator/reassignment/batch.ts'
import type { Move } from '../../../../operator/reassignment/placement.ts'

const FOUR = [1000, 1001, 1002, 1003]

/** `count` partitions, on these replicas in turn. */
function stateOf(count: number, ...replicas: number[][]): KafkaState {
  const partitions = Array.from({ length: count }, (_, partition): PartitionState => {
    const ids = replicas[partition % replicas.length] ?? []
    const [leader = -1] = ids
    return {
      topic: 't',
      topicId: 'id',
      partition,
      leader,
      replicas: ids,
      isr: ids,
      adding: [],
      removing: [],
      minIsr: 1,
    }
  })
  const brokers = new Map(FOUR.map((id) => [id, { rack: null }]))
  const quorum = { leaderId: 1, voters: [], observers: [] }
  return { clusterId: 'c', brokers, quorum, partitions, metadataVersion: { finalized: 1, min: 1, max: 1 } }
}

function movesOf({ partitions }: KafkaState, to: (from: readonly number[]) => readonly number[]): Move[] {
  return partitions.map(({ topic, partition, replicas }) => {
    return { topic, partition, from: replicas, to: to(replicas), bytes: 1 }
  })
}

function begun(state: KafkaState, moves: readonly Move[]): KafkaState {
  const targets = new Map(moves.map(({ partition, to }) => [partition, to]))
  const partitions = state.partitions.map((one) => {
    const to = targets.get(one.partition)
    if (to === undefined) return one
    const adding = to.filter((id) => !one.replicas.includes(id))
    return { ...one, adding, replicas: [...one.replicas, ...adding] }
  })
  return { ...state, partitions }
}

const toNew = ([, second = -1]: readonly number[]): number[] => [1003, second]

describe('copies to a broker at a time', () => {
  test.each([
    ['one where it holds nothing', 0, 1],
    ['a tenth of what it holds', 55, 6],
    ['twenty at most', 1000, 20],
  ])('are %s', (_, held, expected) => {
    const others = stateOf(2000, [1000, 1001], [1001, 1002], [1002, 1000])
    const own = stateOf(held, [1003, 1001])
    const state = {
      ...others,
      partitions: [...others.partitions, ...own.partitions.map((one) => ({ ...one, topic: 'u' }))],
    }
    expect(nextBatch(movesOf(others, toNew), state)).toHaveLength(expected)
  })

  test('count with those under way', () => {
    const state = stateOf(30, [1000, 1001], [1001, 1002], [1002, 1000])
    const moves = movesOf(state, toNew)
    const first = nextBatch(moves, state)
    expect(first).toHaveLength(1)
    expect(nextBatch(moves.slice(1), begun(state, first))).toEqual([])
  })
})

test('a broker that is emptied gives a tenth of what it holds at a time', () => {
  const state = stateOf(30, [1000, 1001])
  const others = stateOf(300, [1002, 1003])
  const moves = movesOf(state, () => [1002, 1003])
  const partitions = [...state.partitions, ...others.partitions.map((one) => ({ ...one, topic: 'u' }))]
  expect(nextBatch(moves, { ...state, partitions })).toHaveLength(3)
})

test.each([
  ['one of few', 6, 1],
  ['a tenth', 42, 5],
  ['a thousand at most', 20_000, 1000],
])('partitions that change without a copy at a time are %s', (_, count, expected) => {
  const state = stateOf(count, [1000, 1001])
  expect(
    nextBatch(
      movesOf(state, ([, second = -1]) => [second]),
      state,
    ),
  ).toHaveLength(expected)
})

describe('a reassignment from 1000 and 1001 to 1002 and 1003 that nobody wants any more', () => {
  const ADDED = [1002, 1003]
  const ORIGINAL = [1000, 1001]

  const under = (minIsr: number, isr: readonly number[]): KafkaState => {
    const state = stateOf(1, [...ADDED, ...ORIGINAL])
    const way = { adding: ADDED, removing: ORIGINAL, minIsr, isr }
    return { ...state, partitions: state.partitions.map((one) => ({ ...one, ...way })) }
  }

  test.each([
    ['is taken back', 2, ORIGINAL, true],
    ['is taken back, though more are in sync, where enough stay', 2, [...ADDED, ...ORIGINAL], true],
    ['is taken back where nothing in sync is lost by that, however few there are', 2, [1000], true],
    ['is taken back where there never were as many as min.insync.replicas', 3, [...ADDED, ...ORIGINAL], true],
    ['goes on while fewer than min.insync.replicas would be left', 2, [1000, 1002], false],
    ['goes on while still fewer would be left than there are', 3, [1000, 1002], false],
    ['goes on while nobody would be left who has all records', 1, [1002], false],
    ['goes on while nobody is in sync', 1, [], false],
  ])('%s', (_, minIsr, isr, isTakenBack) => {
    const state = under(minIsr, isr)
    const count = isTakenBack ? 1 : 0
    expect(unwanted(state, new Set([1003]), new Set())).toHaveLength(count)
    expect(unwanted(state, new Set(), new Set([1000]))).toHaveLength(count)
    const other = movesOf(state, () => [1002])
    expect(overtaken(other, state).size).toBe(count)
  })
})
