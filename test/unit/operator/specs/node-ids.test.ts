import { expect, test } from '@jest/globals'
import * as fc from 'fast-check'
import type { KafkaCluster } from '../../../../operator/api/resource.ts'
import { formatNodeIds, nodeIdsOf, parseNodeIds } from '../../../../operator/specs/node-ids.ts'
import { nodesOf } from '../../../../operator/specs/nodes.ts'
import { poolStatuses } from '../../../../operator/specs/pool-status.ts'
import { directoryId, quorumProblem } from '../../../../operator/specs/quorum.ts'
import { kafkaCluster, pool } from '../../../fakes/operator.ts'

const firstsOf = (cluster: KafkaCluster) => [...nodeIdsOf(cluster)].map(([name, { first }]) => [name, first])

test('pools begin at thousands, in the order of the list', () => {
  expect(firstsOf(kafkaCluster({ pools: [pool({ name: 'c' }), pool({ name: 'b' })] }))).toEqual([
    ['c', 0],
    ['b', 1000],
  ])
})

test('a pool keeps its ids wherever it stands, and a new one takes those that are free', () => {
  const cluster = kafkaCluster({ pools: ['new', 'b', 'c'].map((name) => pool({ name })) })
  cluster.status = {
    pools: [
      { name: 'c', replicas: 1, ready: 0, nodeIds: [0] },
      { name: 'b', replicas: 1, ready: 0, nodeIds: [1000] },
    ],
  }
  expect(firstsOf(cluster)).toEqual([
    ['new', 2000],
    ['b', 1000],
    ['c', 0],
  ])
})

test('whatever pools come and go, no two nodes ever have one id, and none changes its own', () => {
  const names = fc.uniqueArray(fc.constantFrom('a', 'b', 'c', 'd', 'e'), { minLength: 1 })
  fc.assert(
    fc.property(fc.array(names, { minLength: 1, maxLength: 5 }), (steps) => {
      const cluster = kafkaCluster()
      let before = new Map<string, number>()
      for (const step of steps) {
        cluster.spec.pools = step.map((name) => pool({ name, replicas: 3 }))
        const now = new Map(nodesOf(cluster).map(({ podName, nodeId }) => [podName, nodeId]))
        expect(new Set(now.values()).size).toBe(now.size)
        for (const [podName, id] of before) expect(now.get(podName) ?? id).toBe(id)
        cluster.status = { pools: poolStatuses(cluster, []) }
        before = now
      }
    }),
  )
})

test.each(['', '7', '8-7', 'a-b', '-1-3'])('%j is no range of node ids', (text) => {
  expect(parseNodeIds(text)).toBeNull()
})

test('a range of node ids is read as it was written', () => {
  expect(formatNodeIds({ first: 1000, count: 3 })).toBe('1000-1002')
  expect(parseNodeIds('1000-1002')).toEqual({ first: 1000, count: 3 })
})

test('directory ids are uuids, the same each time, and no two nodes have the same', () => {
  const ids = Array.from({ length: 2000 }, (_, nodeId) => directoryId('AAAAAAAAAAAAAAAAAAAAAQ', nodeId))
  expect(new Set(ids).size).toBe(2000)
  expect(ids[7]).toBe(directoryId('AAAAAAAAAAAAAAAAAAAAAQ', 7))
  expect(ids[7]).not.toBe(directoryId('AAAAAAAAAAAAAAAAAAAAAg', 7))
  expect(ids.every((id) => /^[\w-]{22}$/.test(id))).toBe(true)
})

test.each([
  [[pool({ replicas: 2 })], 'the number of controllers must be odd, not 2'],
  [[pool({ roles: ['broker'] })], 'the number of controllers must be odd, not 0'],
  [[pool({ roles: ['controller'] })], 'at least one pool must have the role broker'],
])('pools of which no cluster can come are refused: %j', (pools, words) => {
  expect(quorumProblem(kafkaCluster({ pools }))).toContain(words)
})

test('separate and combined pools make a cluster', () => {
  expect(quorumProblem(kafkaCluster({ pools: [pool({ replicas: 3 })] }))).toBeNull()
  const apart = [pool({ name: 'c', roles: ['controller'], replicas: 3 }), pool({ roles: ['broker'], replicas: 2 })]
  expect(quorumProblem(kafkaCluster({ pools: apart }))).toBeNull()
})
