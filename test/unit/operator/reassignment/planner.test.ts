import { describe, expect, test } from '@jest/globals'
import * as fc from 'fast-check'
import { Placement } from '../../../../operator/reassignment/placement.ts'
import type { Placed, PlacementBroker, PlacementPartition, Scope } from '../../../../operator/reassignment/placement.ts'
import * as planner from '../../../../operator/reassignment/planner.ts'
import type { PlacementPlan } from '../../../../operator/reassignment/planner.ts'
import { inTurns } from '../../../../operator/reassignment/planning.ts'
import { SimClock } from '../../../fakes/clock.ts'
import { atOnce } from '../../../fakes/planning.ts'

interface Case {
  readonly brokers: readonly PlacementBroker[]
  readonly gone: ReadonlySet<number>
  readonly partitions: readonly PlacementPartition[]
  readonly scope: Scope
}

const planPlacement = (...input: Parameters<typeof planner.planPlacement>): PlacementPlan =>
  atOnce(planner.planPlacement(...input))

/** Brokers 0… of up to three racks, of which some go; partitions anywhere on all of them. */
const cases: fc.Arbitrary<Case> = fc
  .record({
    racks: fc.array(fc.constantFrom('a', 'b', 'c'), { minLength: 1, maxLength: 7 }),
    going: fc.array(fc.nat(6), { maxLength: 3 }),
    topics: fc.array(
      fc.record({
        partitions: fc.integer({ min: 1, max: 6 }),
        replicas: fc.integer({ min: 1, max: 3 }),
        wanted: fc.integer({ min: 1, max: 3 }),
      }),
      { maxLength: 5 },
    ),
    seeds: fc.infiniteStream(fc.nat(1000)),
    mode: fc.constantFrom('repair' as const, 'add' as const, 'full' as const),
  })
  .map(({ racks, going, topics, seeds, mode }) => {
    const all = racks.map((rack, id) => ({ id, rack, roomBytes: null, isAway: false }))
    const gone = new Set(going.filter((id) => id < racks.length - 1))
    const brokers = all.filter(({ id }) => !gone.has(id))
    const next = (): number => seeds.next().value ?? 0
    const partitions = topics.flatMap((topic, index) =>
      Array.from({ length: topic.partitions }, (_, partition) => ({
        topic: `topic-${index}`,
        partition,
        replicas: pick(racks.length, Math.min(topic.replicas, racks.length), next()),
        bytes: next(),
        replicationFactor: Math.min(topic.wanted, brokers.length),
        isMoving: next() % 10 === 0,
      })),
    )
    const scope: Scope = mode === 'add' ? { mode, onto: new Set([brokers.at(-1)?.id ?? 0]) } : { mode }
    return { brokers, gone, partitions, scope }
  })

function pick(count: number, wanted: number, seed: number): number[] {
  return Array.from({ length: wanted }, (_, index) => (seed + index) % count)
}

/** The partitions as they are when the plan has been carried out. */
function carriedOut(partitions: readonly PlacementPartition[], plan: PlacementPlan): PlacementPartition[] {
  const moves = new Map(plan.moves.map((move) => [`${move.topic}-${move.partition}`, move.to]))
  return partitions.map((one) => ({ ...one, replicas: moves.get(`${one.topic}-${one.partition}`) ?? one.replicas }))
}

const perRack = (brokers: readonly PlacementBroker[], replicas: readonly number[]): number[] => {
  const racks = new Map(brokers.map(({ rack }) => [rack, 0]))
  for (const id of replicas) {
    const rack = brokers.find((broker) => broker.id === id)?.rack ?? null
    racks.set(rack, (racks.get(rack) ?? 0) + 1)
  }
  return [...racks.values()].sort((a, b) => b - a)
}

/** After so many plans that were carried out there is nothing more to plan. */
const LOOKS_MAX = 4

describe('whatever there is', () => {
  test('every partition has its replicas, each on another broker that stays', () => {
    fc.assert(
      fc.property(cases, ({ brokers, partitions, scope }) => {
        const plan = planPlacement(brokers, partitions, scope)
        expect(plan.unplaceable).toEqual([])
        const staying = brokers.map(({ id }) => id)
        for (const { replicas, replicationFactor } of carriedOut(partitions, plan)) {
          expect(new Set(replicas).size).toBe(replicationFactor)
          expect(replicas.every((id) => staying.includes(id))).toBe(true)
        }
      }),
    )
  })

  // New replicas may make room for a better balance: a second look may move a little more, and it ends there.
  test('nothing is left to do when the plans have been carried out', () => {
    fc.assert(
      fc.property(cases, ({ brokers, partitions, scope }) => {
        let now = partitions
        for (let look = 0; look < LOOKS_MAX; look++) now = carriedOut(now, planPlacement(brokers, now, scope))
        expect(planPlacement(brokers, now, scope).moves).toEqual([])
      }),
    )
  })

  test('a plan is the same for the same input', () => {
    fc.assert(
      fc.property(cases, ({ brokers, partitions, scope }) => {
        expect(planPlacement(brokers, partitions, scope)).toEqual(planPlacement(brokers, partitions, scope))
      }),
    )
  })

  test('a repair moves only what has to move', () => {
    fc.assert(
      fc.property(cases, ({ brokers, gone, partitions }) => {
        for (const { from, to, topic, partition } of planPlacement(brokers, partitions, { mode: 'repair' }).moves) {
          const wanted = partitions.find((one) => one.topic === topic && one.partition === partition)?.replicationFactor
          const staying = from.filter((id) => !gone.has(id))
          const kept = to.filter((id) => from.includes(id))
          expect(kept).toHaveLength(Math.min(staying.length, wanted ?? 0))
        }
      }),
    )
  })

  test('a repair chooses racks as well as its brokers allow', () => {
    fc.assert(
      fc.property(cases, ({ brokers, partitions }) => {
        // New replicas only, so that what stays cannot be in the way.
        const empty = partitions.map((one) => ({ ...one, replicas: [], isMoving: false }))
        const plan = planPlacement(brokers, empty, { mode: 'repair' })
        for (const { replicas, replicationFactor } of carriedOut(empty, plan)) {
          const ideal = bestRacks(brokers, replicationFactor)
          expect(perRack(brokers, replicas)).toEqual(ideal)
        }
      }),
    )
  })

  test('a full plan is not less even than what there was, and racks are as even as they can be', () => {
    fc.assert(
      fc.property(cases, ({ brokers, partitions }) => {
        const still = partitions.map((one) => ({ ...one, isMoving: false }))
        const plan = planPlacement(brokers, still, { mode: 'full' })
        for (const { replicas, replicationFactor } of carriedOut(still, plan)) {
          expect(perRack(brokers, replicas)).toEqual(bestRacks(brokers, replicationFactor))
        }
      }),
    )
  })
})

/** Replicas by rack, the most first, if they are dealt out one by one to the rack with the fewest that has a broker left. */
function bestRacks(brokers: readonly PlacementBroker[], replicas: number): number[] {
  const racks = [...new Set(brokers.map(({ rack }) => rack))].map((rack) => ({
    left: brokers.filter((broker) => broker.rack === rack).length,
    has: 0,
  }))
  for (let index = 0; index < replicas; index++) {
    const [rack] = racks.filter(({ left }) => left > 0).sort((a, b) => a.has - b.has)
    if (rack === undefined) break
    rack.has += 1
    rack.left -= 1
  }
  return racks.map(({ has }) => has).sort((a, b) => b - a)
}

function cluster(brokers: number, racks = 0, roomBytes: number | null = null): PlacementBroker[] {
  return Array.from({ length: brokers }, (_, id) => ({
    id,
    rack: racks === 0 ? null : `r${id % racks}`,
    roomBytes,
    isAway: false,
  }))
}

function striped(
  count: number,
  partitions: number,
  replicas: number,
  brokers: number,
  bytes = 1,
): PlacementPartition[] {
  return Array.from({ length: count * partitions }, (_, index) => ({
    topic: `topic-${Math.floor(index / partitions)}`,
    partition: index % partitions,
    replicas: pick(brokers, replicas, index),
    bytes,
    replicationFactor: replicas,
    isMoving: false,
  }))
}

function counts(partitions: readonly PlacementPartition[], of: (replicas: readonly number[]) => readonly number[]) {
  const result = new Map<number, number>()
  for (const { replicas } of partitions) for (const id of of(replicas)) result.set(id, (result.get(id) ?? 0) + 1)
  return result
}

test('a new broker gets its share of replicas, leaders and of every topic, and only it gets any', () => {
  const partitions = striped(4, 12, 3, 3)
  const plan = planPlacement(cluster(4), partitions, { mode: 'add', onto: new Set([3]) })
  expect(plan.moves.every(({ from, to }) => to.filter((id) => !from.includes(id)).join() === '3')).toBe(true)
  const after = carriedOut(partitions, plan)
  expect(counts(after, (replicas) => replicas).get(3)).toBe(36)
  expect(counts(after, ([leader = -1]) => [leader]).get(3)).toBeGreaterThanOrEqual(11)
  for (let topic = 0; topic < 4; topic++) {
    const ofTopic = after.filter((one) => one.topic === `topic-${topic}`)
    expect(counts(ofTopic, (replicas) => replicas).get(3)).toBe(9)
  }
})

test('a broker that goes is left by its replicas, the others take equal parts', () => {
  const partitions = striped(4, 12, 2, 4)
  const plan = planPlacement(cluster(3), partitions, { mode: 'repair' })
  expect(plan.moves).toHaveLength(24)
  expect([...counts(carriedOut(partitions, plan), (replicas) => replicas).values()]).toEqual([32, 32, 32])
})

test('what does not fit is told, and stays', () => {
  const partitions = striped(1, 2, 2, 3, 100)
  const plan = planPlacement(cluster(2, 0, 99), partitions, { mode: 'repair' })
  expect(plan.unplaceable).toEqual([
    { topic: 'topic-0', partition: 1, why: 'no other broker has room for its 100 bytes', mayPass: false },
  ])
  expect(plan.moves).toEqual([])
})

test('more replicas than brokers are told', () => {
  const plan = planPlacement(cluster(2), striped(1, 1, 3, 3), { mode: 'repair' })
  expect(plan.unplaceable).toEqual([
    {
      topic: 'topic-0',
      partition: 0,
      why: 'its 3 replicas need as many brokers, and there would be 2',
      mayPass: false,
    },
  ])
})

test('bytes become even too where sizes differ', () => {
  const partitions = striped(1, 40, 1, 2).map((one, index) => ({ ...one, bytes: index % 2 === 0 ? 100 : 1 }))
  const plan = planPlacement(cluster(2), partitions, { mode: 'full' })
  expect(plan.before).toEqual({ replicas: 0, leaders: 0, bytes: 98 })
  expect(plan.after.replicas).toBe(0)
  expect(plan.after.bytes).toBeLessThanOrEqual(5)
})

test('10,000 partitions on brokers that some are added to become even', () => {
  const partitions = striped(500, 20, 3, 9).map((one, index) => ({ ...one, bytes: (index * 7919) % 10_007 }))
  const plan = planPlacement(cluster(12, 3), partitions, { mode: 'add', onto: new Set([9, 10, 11]) })
  expect(plan.before).toEqual({ replicas: 33, leaders: 33, bytes: 33 })
  expect(plan.after.replicas).toBeLessThanOrEqual(1)
  expect(plan.after.bytes).toBeLessThanOrEqual(5)
})

test('a broker that is away keeps what it has, and is waited for where nobody else can take a replica', () => {
  const [first, second, third] = cluster(3)
  if (first === undefined || second === undefined || third === undefined) throw new Error('three brokers')
  const partitions = [
    ...striped(1, 1, 2, 2),
    { ...striped(1, 1, 2, 2)[0], topic: 'u', replicas: [0, 9] },
  ] as PlacementPartition[]
  const away = { ...second, isAway: true }
  const plan = planPlacement([first, away], partitions, { mode: 'full' })
  expect(plan.unplaceable).toEqual([{ topic: 'u', partition: 0, why: 'brokers 1 are away', mayPass: true }])
  expect(planPlacement([first, away, third], partitions, { mode: 'repair' }).moves).toMatchObject([
    { topic: 'u', to: [2, 0] },
  ])
})

/** As `count` brokers in three racks that were filled at random: some have twice as much as others. */
function filled(count: number, partitions: number): { brokers: PlacementBroker[]; partitions: PlacementPartition[] } {
  let seed = 1
  const next = (below: number): number => (seed = (seed * 16_807) % 2_147_483_647) % below
  const brokers = Array.from({ length: count }, (_, id) => ({
    id,
    rack: `rack-${id % 3}`,
    roomBytes: null,
    isAway: false,
  }))
  const made = Array.from({ length: partitions }, (_, index) => ({
    topic: `topic-${index % 1000}`,
    partition: Math.floor(index / 1000),
    replicas: pick(count, 3, Math.min(next(count), next(count))),
    bytes: next(1000) * next(1000),
    replicationFactor: 3,
    isMoving: false,
  }))
  return { brokers, partitions: made }
}

/** Counts how often it is weighed whether a replica fits somewhere. */
class Weighing extends Placement {
  steps = 0

  override fits(placed: Placed, id: number): boolean {
    this.steps += 1
    return super.fits(placed, id)
  }
}

// The lease of an operator that thinks for ten seconds is lost.
test('a hundred brokers with ten thousand partitions are made even by a bounded number of steps', () => {
  const { brokers, partitions } = filled(100, 10_000)
  const placement = new Weighing(brokers, partitions)
  const { before, after } = atOnce(planner.planFrom(placement, { mode: 'full' }))
  expect(before.replicas).toBeGreaterThan(80)
  expect(after.replicas).toBe(1)
  // Who can pass on nothing at first can when others have.
  expect(after.leaders).toBeLessThan(3)
  expect(after.bytes).toBeLessThan(15)
  expect(placement.steps / partitions.length).toBeLessThan(100)
})

test.each([
  ['everything', { mode: 'full' }],
  ['new brokers', { mode: 'add', onto: new Set([90, 91, 92]) }],
] as const)('whoever makes a plan for %s may do something else soon, again and again', (_, scope) => {
  const { brokers, partitions } = filled(100, 10_000)
  const placement = new Weighing(brokers, partitions)
  const planning = planner.planFrom(placement, scope)
  let most = 0
  for (let before = 0; planning.next().done !== true; before = placement.steps) {
    most = Math.max(most, placement.steps - before)
  }
  expect(placement.steps).toBeGreaterThan(30_000)
  expect(most).toBeLessThan(5000)
})

/** Every look at it takes a millisecond. */
class SlowClock extends SimClock {
  turns = 0
  #ms = 0

  override monotonicMs(): number {
    return this.#ms++
  }

  override defer(callback: () => void): void {
    this.turns += 1
    setImmediate(callback)
  }
}

test('the plan is the same where much else happens in between', async () => {
  const { brokers, partitions } = filled(10, 100)
  const clock = new SlowClock()
  const plan = await inTurns(planner.planPlacement(brokers, partitions, { mode: 'full' }), clock)
  expect(plan).toEqual(planPlacement(brokers, partitions, { mode: 'full' }))
  expect(clock.turns).toBeGreaterThan(10)
})
