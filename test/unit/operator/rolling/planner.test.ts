import { expect, test } from '@jest/globals'
import * as fc from 'fast-check'
import type { NodeState } from '../../../../operator/rolling/node-state.ts'
import { planRoll } from '../../../../operator/rolling/planner.ts'
import type { RollInput } from '../../../../operator/rolling/planner.ts'
import { anyInput, input, kafka, node, NOW, partition } from './roll-world.ts'

const RUNS = { numRuns: 200 }
const old = { reasons: ['image'] }
const controller = { isBroker: false, isController: true }

function ids(nodes: readonly NodeState[]): number[] {
  return nodes.map(({ nodeId }) => nodeId)
}

function restarted(world: RollInput): number[] {
  return ids(planRoll(world).restart)
}

function messages(world: RollInput): string {
  return planRoll(world)
    .blockedBy.map(({ message }) => message)
    .join('\n')
}

test('nothing to do is complete', () => {
  expect(planRoll(input([node(0)], kafka([0], [])))).toMatchObject({ state: 'Complete', restart: [], plan: [] })
})

test('brokers go one after the other', () => {
  const nodes = [node(0, old), node(1, old), node(2, old)]
  const result = planRoll(input(nodes, kafka([0, 1, 2], [partition([0, 1, 2])])))
  expect(ids(result.restart)).toEqual([0])
  expect(ids(result.plan)).toEqual([0, 1, 2])
  expect(result.state).toBe('Rolling')
})

test('the next one waits until the one before is back in sync', () => {
  const nodes = [node(0, { sinceMs: NOW }), node(1, old), node(2, old)]
  const world = input(nodes, kafka([0, 1, 2], [partition([0, 1, 2], { isr: [1, 2], minIsr: 1 })]))
  expect(planRoll(world)).toMatchObject({ state: 'Rolling', restart: [] })
  expect(messages(world)).toContain('pod-0: its replicas are not all in sync')
})

test('a broker that is down blocks, and the partition is named', () => {
  const nodes = [node(0, old), node(1, old), node(2, { phase: 'down', trouble: 'not scheduled' })]
  const world = input(nodes, kafka([0, 1], [partition([0, 1, 2], { isr: [0, 1] })]))
  const result = planRoll(world)
  expect(result).toMatchObject({ state: 'Blocked', restart: [] })
  expect(result.blockedBy[0]).toEqual({
    pod: 'pod-0',
    topic: 'orders',
    partition: 0,
    isr: [0, 1],
    minIsr: 2,
    message: 'orders-0 has 2 in sync and needs 2 without pod-0',
  })
  expect(messages(world)).toContain('pod-2: not scheduled')
})

test.each([
  ['one replica', [0], [0], 1],
  ['two replicas, two of them needed', [0, 1], [0, 1], 2],
  ['three replicas, three of them needed', [0, 1, 2], [0, 1, 2], 3],
])('a partition that cannot be kept does not block for ever: %s', (_, replicas, isr, minIsr) => {
  const nodes = [node(0, old), node(1), node(2)]
  expect(restarted(input(nodes, kafka([0, 1, 2], [partition(replicas, { isr, minIsr })])))).toEqual([0])
})

test('such a partition waits for its other replicas all the same', () => {
  const nodes = [node(0, old), node(1), node(2)]
  expect(restarted(input(nodes, kafka([0, 1, 2], [partition([0, 1], { isr: [0] })])))).toEqual([])
})

test('replicas that are on their way to a broker are not waited for', () => {
  const nodes = [node(0, old), node(1), node(2), node(3)]
  const moving = partition([0, 1, 2, 3], { isr: [0, 1, 2], adding: [3], removing: [1] })
  expect(restarted(input(nodes, kafka([0, 1, 2, 3], [moving])))).toEqual([0])
})

test('controllers go before brokers, the active one last', () => {
  const nodes = [node(0, old), ...[100, 101, 102].map((id) => node(id, { ...controller, ...old }))]
  const state = kafka([0], [], { voters: [100, 101, 102], leaderId: 100 })
  const result = planRoll(input(nodes, state, { maxUnavailable: 1 }))
  expect(ids(result.plan)).toEqual([101, 102, 100, 0])
  expect(ids(result.restart)).toEqual([101])
})

test('a controller stays where the others are no majority', () => {
  const nodes = [100, 101, 102].map((id) => node(id, { ...controller, ...old }))
  const state = kafka([], [], { voters: [100, 101, 102] })
  const voters = state.quorum.voters.map((voter) => (voter.id === 102 ? { ...voter, lagMs: 60_000 } : voter))
  const world = input(nodes, { ...state, quorum: { ...state.quorum, voters } }, { maxUnavailable: 3 })
  // The one that is behind takes nothing away.
  expect(restarted(world)).toEqual([102])
  expect(
    restarted({ ...world, nodes: nodes.map((each) => (each.nodeId === 102 ? node(102, controller) : each)) }),
  ).toEqual([])
  expect(messages({ ...world, nodes: nodes.slice(0, 2) })).toContain(
    'without it 1 of 3 voters are caught up, 2 are needed',
  )
})

test('the only controller may be restarted', () => {
  expect(restarted(input([node(100, { ...controller, ...old })], kafka([], [])))).toEqual([100])
})

test('a pod in which nothing runs is replaced even when the brokers cannot be asked, and nothing else', () => {
  const nodes = [node(0, old), node(1, { ...old, phase: 'down' }), node(2, { ...old, phase: 'down' })]
  expect(restarted(input(nodes, { error: 'refused' }))).toEqual([1, 2])
  const silent = input([node(0, old)], { error: 'refused' })
  expect(planRoll(silent)).toMatchObject({ state: 'Blocked', restart: [] })
  expect(messages(silent)).toContain('cannot be asked')
})

test('a pod in which nothing runs is not replaced by the same again', () => {
  const held = node(1, { ...old, phase: 'down', hold: 'no new pods yet' })
  for (const state of [kafka([0], []), { error: 'refused' }])
    expect(restarted(input([node(0), held], state))).toEqual([])
  expect(messages(input([node(0), held], kafka([0], [])))).toBe('pod-1: no new pods yet')
  expect(restarted(input([held], kafka([0], []), { closed: 'opens on Saturday' }))).toEqual([])
})

test('a broker that is recovering its log is left alone', () => {
  const nodes = [node(0, { ...old, phase: 'starting', trouble: 'container kafka is not ready yet' })]
  const world = input(nodes, kafka([0], []))
  expect(restarted(world)).toEqual([])
  expect(messages(world)).toContain('pod-0 is left alone while it starts')
  const forced = node(0, { ...old, phase: 'starting', isForced: true })
  expect(restarted(input([forced], kafka([0], [])))).toEqual([0])
})

test('a new pod that does not start stops the roll, until the old version is asked for again', () => {
  const crashing = { phase: 'down', isFailing: true, trouble: 'CrashLoopBackOff' } as const
  const state = kafka([1, 2], [partition([0, 1, 2], { isr: [1, 2], minIsr: 1 })])
  const nodes = [node(0, crashing), node(1, old), node(2, old)]
  const result = planRoll(input(nodes, state, { maxUnavailable: 3 }))
  expect(result).toMatchObject({ state: 'Failed', restart: [] })
  expect(result.message).toContain('pod-0: CrashLoopBackOff')
  expect(restarted(input([node(0, { ...crashing, ...old }), node(1), node(2)], state))).toEqual([0])
})

test('outside of the windows only what does not run is replaced', () => {
  const nodes = [node(0, old), node(1, { ...old, phase: 'down' })]
  const result = planRoll(input(nodes, kafka([0], []), { closed: 'opens on Saturday', maxUnavailable: 2 }))
  expect(result).toMatchObject({ state: 'Waiting', message: 'opens on Saturday' })
  expect(ids(result.restart)).toEqual([1])
})

test('paused, nothing is restarted, and the plan is shown', () => {
  const nodes = [node(0, old), node(1, { ...old, phase: 'down' })]
  const result = planRoll(input(nodes, kafka([0], []), { isPaused: true }))
  expect(result).toMatchObject({ state: 'Paused', restart: [] })
  expect(ids(result.plan)).toEqual([1, 0])
})

test('a pod whose volume is growing is not restarted before it has grown', () => {
  const nodes = [node(0, { ...old, hold: 'volume claim data-0-pod-0 is being resized' }), node(1, old)]
  const world = input(nodes, kafka([0, 1], []))
  expect(restarted(world)).toEqual([1])
  expect(messages(input(nodes.slice(0, 1), kafka([0], [])))).toContain('data-0-pod-0 is being resized')
})

test('brokers of one rack go side by side, up to maxUnavailable', () => {
  const brokers = [0, 1, 2, 3, 4, 5]
  const racks = { 0: 'a', 1: 'b', 2: 'c', 3: 'a', 4: 'b', 5: 'c' }
  const partitions = [partition([0, 1, 2]), partition([3, 4, 5]), partition([0, 4, 2]), partition([3, 1, 5])]
  const nodes = brokers.map((id) => node(id, old))
  expect(restarted(input(nodes, kafka(brokers, partitions, { racks }), { maxUnavailable: 2 }))).toEqual([0, 3])
  expect(restarted(input(nodes, kafka(brokers, partitions, { racks }), { maxUnavailable: 6 }))).toEqual([0, 3])
})

test('the next of a rack goes while another one is still away', () => {
  const nodes = [node(0, { phase: 'starting', trouble: 'starting' }), node(1, old), node(2, old)]
  const state = kafka([1, 2], [partition([0, 1], { isr: [1], minIsr: 1 }), partition([2], { minIsr: 1 })])
  expect(restarted(input(nodes, state, { maxUnavailable: 2 }))).toEqual([2])
})

test('fifty brokers of five racks are rolled in ten rounds', () => {
  const brokers = Array.from({ length: 50 }, (_, id) => id)
  const racks = Object.fromEntries(brokers.map((id) => [id, String(id % 5)]))
  const partitions = Array.from({ length: 3000 }, (_, index) =>
    partition(
      [0, 1, 2].map((replica) => (((index * 7 + replica * 10) % 10) * 5 + ((index + replica) % 5)) % 50),
      {
        partition: index,
      },
    ),
  )
  const done = new Set<number>()
  let rounds = 0
  for (; done.size < brokers.length; rounds++) {
    const nodes = brokers.map((id) => node(id, done.has(id) ? {} : old))
    const restart = restarted(input(nodes, kafka(brokers, partitions, { racks }), { maxUnavailable: 5 }))
    if (restart.length === 0) throw new Error('stuck')
    for (const id of restart) done.add(id)
  }
  expect(rounds).toBe(10)
})

test('whatever has happened, nothing that runs goes where something would be lost by it', () => {
  fc.assert(
    fc.property(anyInput, (world) => {
      const { restart } = planRoll(world)
      const running = restart.filter(({ phase }) => phase !== 'down')
      if (world.isPaused) expect(restart).toEqual([])
      for (const each of restart) expect(each.reasons).not.toEqual([])
      if (running.length === 0) return
      expect(world.closed).toBeNull()
      const state = world.kafka
      if ('error' in state) throw new Error('the brokers could not be asked')
      const going = new Set(ids(running))
      for (const each of running) {
        expect(each).toMatchObject({
          phase: each.isForced ? expect.stringMatching(/ready|starting/) : 'ready',
          hold: null,
        })
      }
      expect(going.size).toBeLessThanOrEqual(world.maxUnavailable)
      for (const each of state.partitions) {
        const gone = each.isr.filter((id) => going.has(id))
        expect(each.replicas.filter((id) => going.has(id)).length).toBeLessThanOrEqual(1)
        const needed = Math.min(each.minIsr, each.replicas.length - 1)
        if (gone.length > 0) expect(each.isr.length - gone.length).toBeGreaterThanOrEqual(needed)
      }
    }),
    RUNS,
  )
})

test('whatever has happened, the quorum keeps its majority, and the active controller goes last', () => {
  fc.assert(
    fc.property(anyInput, (world) => {
      const { restart, plan } = planRoll(world)
      const state = world.kafka
      if ('error' in state) return
      const going = restart.filter(({ phase, isController }) => phase !== 'down' && isController)
      const { voters, leaderId } = state.quorum
      const away = new Set(ids(world.nodes.filter(({ phase }) => phase !== 'ready').concat(going)))
      const left = voters.filter(({ id, lagMs }) => !away.has(id) && lagMs !== null && lagMs < 10_000)
      if (going.length > 0) {
        expect(left.length).toBeGreaterThanOrEqual(Math.min(Math.floor(voters.length / 2) + 1, voters.length - 1))
        expect(restart.filter(({ phase, isController }) => phase !== 'down' && !isController)).toEqual([])
      }
      if (going.some(({ nodeId }) => nodeId === leaderId)) {
        expect(plan.filter(({ isController, phase }) => isController && phase !== 'down')).toHaveLength(1)
      }
    }),
    RUNS,
  )
})

test('a cluster that is well is rolled to the end, each pod once', () => {
  fc.assert(
    fc.property(anyInput, (world) => {
      if ('error' in world.kafka) return
      const state = {
        ...world.kafka,
        brokers: new Map(world.nodes.filter(({ isBroker }) => isBroker).map(({ nodeId }) => [nodeId, { rack: null }])),
        partitions: world.kafka.partitions.map((each) => ({ ...each, isr: each.replicas })),
        quorum: { ...world.kafka.quorum, voters: world.kafka.quorum.voters.map((voter) => ({ ...voter, lagMs: 0 })) },
      }
      const done = new Set<number>()
      for (let round = 0; round <= world.nodes.length; round++) {
        const nodes = world.nodes.map(({ nodeId, isBroker, isController }) =>
          node(nodeId, { isBroker, isController, ...(done.has(nodeId) ? {} : old) }),
        )
        const result = planRoll(input(nodes, state, { maxUnavailable: world.maxUnavailable }))
        if (result.state === 'Complete') break
        expect(result.restart).not.toEqual([])
        for (const id of ids(result.restart)) expect(done.has(id)).toBe(false)
        for (const id of ids(result.restart)) done.add(id)
      }
      expect(done.size).toBe(world.nodes.length)
    }),
    RUNS,
  )
})

test('where nothing is restarted though something is to be, it is said why', () => {
  fc.assert(
    fc.property(anyInput, (world) => {
      const { state, restart, plan, blockedBy, message } = planRoll(world)
      if (state !== 'Rolling' && state !== 'Blocked') return
      expect(plan).not.toEqual([])
      expect(message).not.toBe('')
      if (restart.length === 0) expect(blockedBy).not.toEqual([])
    }),
    RUNS,
  )
})
