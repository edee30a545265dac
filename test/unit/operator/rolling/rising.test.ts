import { expect, test } from '@jest/globals'
import type { PartitionState } from '../../../../operator/kafka/state.ts'
import type { NodeState } from '../../../../operator/rolling/node-state.ts'
import { planRoll } from '../../../../operator/rolling/planner.ts'
import { risingFactors } from '../../../../operator/rolling/rising.ts'
import { kafkaCluster, pool } from '../../../fakes/operator.ts'
import { input, kafka, node, NOW, partition } from './roll-world.ts'
import { BROKERS, settled } from './step-world.ts'

const old = { reasons: ['config: default.replication.factor'] }
const NODES = [node(0, old), node(1, old), node(2)]

function restarted(
  one: PartitionState,
  factors: ReadonlyMap<string, number> = new Map(),
  brokers = [0, 1, 2],
): number[] {
  return planRoll(input(NODES, kafka(brokers, [one]), { factors })).restart.map(({ nodeId }) => nodeId)
}

test('brokers of a partition that cannot lose one yet wait until it has the replicas that are being copied', () => {
  const copying = partition([0, 1, 2], { isr: [0, 1], adding: [2] })
  expect(restarted(copying)).toEqual([])
  const [block] = planRoll(input(NODES, kafka([0, 1, 2], [copying]))).blockedBy
  expect(block).toEqual({
    pod: 'pod-0',
    topic: 'orders',
    partition: 0,
    isr: [0, 1],
    minIsr: 2,
    message: 'orders-0 has 2 in sync and needs 2 without pod-0: it waits for the partition to have 3 replicas',
  })
  expect(restarted(partition([0, 1, 2]))).toEqual([0])
})

test('they wait for replicas that have not begun to be copied too', () => {
  expect(restarted(partition([0, 1]), new Map([['orders', 3]]))).toEqual([])
  expect(restarted(partition([0]), new Map([['orders', 3]]))).toEqual([1])
})

test.each<[string, PartitionState, ReadonlyMap<string, number>, number[]]>([
  ['no more are asked for', partition([0, 1]), new Map([['orders', 2]]), [0, 1, 2]],
  ['another topic gets more', partition([0, 1]), new Map([['payments', 3]]), [0, 1, 2]],
  ['it can lose one as it is', partition([0, 1], { minIsr: 1 }), new Map([['orders', 3]]), [0, 1, 2]],
  ['a replica moves', partition([0, 1, 2], { isr: [0, 1], adding: [2], removing: [1] }), new Map(), [0, 1, 2]],
  ['it is copied to a broker that is gone', partition([0, 1, 3], { isr: [0, 1], adding: [3] }), new Map(), [0, 1, 2]],
])('nobody waits where %s', (_, one, factors, brokers) => {
  expect(restarted(one, factors, brokers)).toEqual([0])
})

const POOLS = [pool({ name: 'brokers', roles: ['broker'], replicas: 3 })]
const FACTORS = new Map([['orders', 3]])

function rising(nodes: readonly NodeState[], registered: readonly number[], reason = 'Moving'): string[] {
  const cluster = kafkaCluster({ pools: POOLS })
  const condition = { type: 'ReplicasPlaced', status: 'False', reason, message: '', lastTransitionTime: '' } as const
  const asked = { ...cluster, status: { conditions: [condition] } }
  return [...risingFactors({ cluster, asked, nowMs: NOW }, kafka(registered, []), nodes, FACTORS).keys()]
}

test('factors are waited for while there are brokers for them, or such as are about to come', () => {
  const there = [node(0), node(1)]
  expect(rising([...there, node(2)], [0, 1, 2])).toEqual(['orders'])
  expect(rising(there, [0, 1])).toEqual([])
  expect(rising([...there, node(2, { phase: 'starting', sinceMs: NOW - 60_000 })], [0, 1])).toEqual(['orders'])
  expect(rising([...there, node(2, { phase: 'down', sinceMs: NOW - 600_000 })], [0, 1])).toEqual([])
})

test.each(['Blocked', 'ReassignmentRefused'])('nobody waits for what the reassignment cannot do: %s', (reason) => {
  expect(rising([node(0), node(1), node(2)], [0, 1, 2], reason)).toEqual([])
})

test('a durability that is raised restarts brokers when their topics are up to it', async () => {
  const world = await settled()
  world.partitions = [partition([1000, 1001])]
  world.factors = new Map([['orders', 3]])
  world.change({ config: { 'queued.max.requests': 5 } })
  await world.settle(20)
  expect(world.restarted.filter((name) => BROKERS.includes(name))).toEqual(['orders-brokers-2'])
  world.partitions = [partition([1000, 1001, 1002])]
  await world.settle()
  expect(world.restarted.slice(-3)).toEqual(['orders-brokers-2', 'orders-brokers-0', 'orders-brokers-1'])
})
