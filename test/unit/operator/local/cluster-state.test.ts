import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { identify } from '../../../../operator/local/cluster-state.ts'
import { nodesOf } from '../../../../operator/specs/nodes.ts'
import { kafkaCluster, pool } from '../../../fakes/operator.ts'
import { SimRandom } from '../../../fakes/random.ts'

let directory = ''
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'ottla-'))
})
afterEach(() => rmSync(directory, { recursive: true }))

const [A, B] = [pool({ name: 'a' }), pool({ name: 'b', roles: ['broker'] })]

test('a cluster has the same ids at every start, in whatever order its pools are', () => {
  const first = identify(kafkaCluster({ pools: [A, B] }), directory, new SimRandom(1))
  const second = identify(kafkaCluster({ pools: [B, A] }), directory, new SimRandom(2))
  expect(second.clusterId).toBe(first.clusterId)
  const ids = (cluster: typeof first.cluster) =>
    nodesOf(cluster)
      .map(({ podName, nodeId }) => `${podName} ${nodeId}`)
      .sort()
  expect(ids(second.cluster)).toEqual(ids(first.cluster))
})

test('data of other pools is not touched', () => {
  identify(kafkaCluster({ pools: [A] }), directory, new SimRandom(1))
  expect(() =>
    identify(kafkaCluster({ pools: [pool({ name: 'a', replicas: 3 })] }), directory, new SimRandom(1)),
  ).toThrow('has the pools a (1 nodes)')
})
