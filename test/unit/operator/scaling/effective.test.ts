import { describe, expect, test } from '@jest/globals'
import type { KafkaCluster } from '../../../../operator/api/resource.ts'
import type { Observed } from '../../../../operator/cluster/observe.ts'
import type { KafkaState, Unreachable } from '../../../../operator/kafka/state.ts'
import { effectiveCluster, emptyPools } from '../../../../operator/scaling/effective.ts'
import { nodesOf } from '../../../../operator/specs/nodes.ts'
import { poolStatuses } from '../../../../operator/specs/pool-status.ts'
import { kafkaCluster, pool } from '../../../fakes/operator.ts'
import { changed, kafka, partition, running } from './world.ts'

const controllers = (replicas: number) => pool({ name: 'controllers', roles: ['controller'], replicas })
const brokers = (replicas: number) => pool({ name: 'brokers', roles: ['broker'], replicas })
const SEPARATE = [controllers(3), brokers(3)]
const NOBODY: Unreachable = { error: 'no pod is ready' }

function cluster(pools: KafkaCluster['spec']['pools']): KafkaCluster {
  return kafkaCluster({ pools })
}

/** `name: replicas` of the pools that are to run. */
function effective(observed: Observed, state: KafkaState | Unreachable): Record<string, number> {
  const { spec } = effectiveCluster(observed.cluster, observed, state)
  return Object.fromEntries(spec.pools.map(({ name, replicas }) => [name, replicas]))
}

const well = (partitions = [partition(0, [1000, 1001, 1002])]) =>
  kafka({ voters: [0, 1, 2], brokers: [1000, 1001, 1002], partitions })

test('what is asked for runs', () => {
  expect(effective(running(cluster(SEPARATE)), well())).toEqual({ controllers: 3, brokers: 3 })
})

test('a pool grows at once', () => {
  const observed = changed(running(cluster(SEPARATE)), [controllers(5), brokers(4)])
  expect(effective(observed, well())).toEqual({ controllers: 5, brokers: 4 })
  expect(effective(observed, NOBODY)).toEqual({ controllers: 5, brokers: 4 })
})

describe('a pool that is to shrink', () => {
  const asked = [controllers(3), brokers(2)]

  test('keeps its nodes until the last one is marked as drained', () => {
    expect(effective(changed(running(cluster(SEPARATE)), asked), well([]))).toMatchObject({ brokers: 3 })
    const draining = running(cluster(SEPARATE), { 'orders-brokers-2': 'draining' })
    expect(effective(changed(draining, asked), well([]))).toMatchObject({ brokers: 3 })
    const drained = running(cluster(SEPARATE), { 'orders-brokers-2': 'drained' })
    expect(effective(changed(drained, asked), well([]))).toMatchObject({ brokers: 2 })
  })

  test('keeps a node that has got something since it was marked', () => {
    const drained = running(cluster(SEPARATE), { 'orders-brokers-2': 'drained' })
    expect(effective(changed(drained, asked), well([partition(0, [1002])]))).toMatchObject({ brokers: 3 })
    expect(effective(changed(drained, asked), well([partition(0, [1000], { adding: [1002] })]))).toMatchObject({
      brokers: 3,
    })
  })

  test('keeps its nodes while nobody can be asked', () => {
    const drained = running(cluster(SEPARATE), { 'orders-brokers-2': 'drained' })
    expect(effective(changed(drained, asked), NOBODY)).toMatchObject({ brokers: 3 })
  })

  test('keeps a node before one that is not empty: pods go from the last on', () => {
    const drained = running(cluster(SEPARATE), { 'orders-brokers-1': 'drained' })
    expect(effective(changed(drained, [controllers(3), brokers(1)]), well([]))).toMatchObject({ brokers: 3 })
  })

  test('keeps a controller that is a voter', () => {
    const drained = running(cluster(SEPARATE), { 'orders-controllers-1': 'drained', 'orders-controllers-2': 'drained' })
    const observed = changed(drained, [controllers(1), brokers(3)])
    expect(effective(observed, kafka({ voters: [0, 1] }))).toMatchObject({ controllers: 2 })
    expect(effective(observed, kafka({ voters: [0] }))).toMatchObject({ controllers: 1 })
  })

  test('does not become larger for a broker of somebody else whose id lies in its thousand', () => {
    const observed = running(cluster(SEPARATE))
    expect(effective(observed, well([partition(0, [1000, 1500])]))).toMatchObject({ brokers: 3 })
  })
})

describe('a pool that is taken out', () => {
  const more = [
    ...SEPARATE,
    pool({ name: 'old', roles: ['broker'], replicas: 2, storage: { size: '5Gi', volumes: 2 } }),
  ]

  test('lives on as it was until it is empty, with its ids', () => {
    const observed = changed(running(cluster(more)), SEPARATE)
    const { spec, status } = effectiveCluster(observed.cluster, observed, well())
    expect(spec.pools.at(-1)).toEqual(more.at(-1))
    expect(nodesOf({ ...observed.cluster, spec, status: status ?? {} }).at(-1)).toMatchObject({ nodeId: 2001 })
    expect(emptyPools({ ...observed.cluster, spec }, observed)).toEqual([])
  })

  test('is gone when it is empty, and its StatefulSet may go', () => {
    const marks = { 'orders-old-0': 'drained', 'orders-old-1': 'drained' }
    const observed = changed(running(cluster(more), marks), SEPARATE)
    const next = effectiveCluster(observed.cluster, observed, well())
    expect(next.spec.pools).toEqual(SEPARATE)
    expect(emptyPools(next, observed)).toEqual(['orders-old'])
  })

  test('leaves its ids to its volumes: a new pool gets others', () => {
    const marks = { 'orders-old-0': 'drained', 'orders-old-1': 'drained' }
    const gone = { ...running(cluster(more), marks), statefulSets: running(cluster(SEPARATE)).statefulSets }
    const observed = changed(gone, [...SEPARATE, pool({ name: 'new', roles: ['broker'] })])
    const next = effectiveCluster(observed.cluster, observed, well())
    expect(nodesOf(next).at(-1)).toMatchObject({ podName: 'orders-new-0', nodeId: 3000 })
    expect(poolStatuses(next, []).at(-1)).toEqual({ name: 'old', replicas: 0, ready: 0, nodeIds: [2000, 2001] })
  })

  test('is not every StatefulSet that says so: it has to have the name of one', () => {
    const observed = changed(running(cluster(more)), SEPARATE)
    const copied = observed.statefulSets.get('orders-old')
    if (copied === undefined) throw new Error('no StatefulSet')
    const other = { ...copied, metadata: { ...copied.metadata, name: 'copied' } }
    const there = { ...observed, statefulSets: new Map([['copied', other]]) }
    expect(emptyPools(effectiveCluster(there.cluster, there, well()), there)).toEqual([])
  })

  test('whose StatefulSet does not tell what it was is left alone', () => {
    const observed = changed(running(cluster(more)), SEPARATE)
    delete observed.statefulSets.get('orders-old')?.metadata.annotations?.['kafka.ottla.dev/pool']
    const next = effectiveCluster(observed.cluster, observed, well())
    expect(emptyPools(next, observed)).toEqual([])
  })
})

describe('roles', () => {
  const combined = pool({ name: 'nodes', replicas: 3 })

  test('are added at once, and given up when nobody needs them any more', () => {
    const asked = [controllers(3), pool({ name: 'nodes', roles: ['broker'], replicas: 3 })]
    const observed = changed(running(cluster([combined])), asked)
    const roles = (state: KafkaState | Unreachable) =>
      effectiveCluster(observed.cluster, observed, state).spec.pools.find(({ name }) => name === 'nodes')?.roles
    expect(roles(kafka({ voters: [0, 1, 2] }))).toEqual(['broker', 'controller'])
    expect(roles(NOBODY)).toEqual(['broker', 'controller'])
    expect(roles(kafka({ voters: [1000, 1001, 1002] }))).toEqual(['broker'])
  })
})

describe('before the quorum has been formed', () => {
  const begun = (pools: KafkaCluster['spec']['pools']): Observed => {
    const observed = running(cluster(pools))
    const { quorum: _, ...status } = observed.cluster.status ?? {}
    for (const { metadata } of observed.statefulSets.values()) delete metadata.annotations?.['kafka.ottla.dev/quorum']
    return { ...observed, cluster: { ...observed.cluster, status } }
  }

  test('its controllers stay those that it was begun with', () => {
    const before = begun([controllers(1), brokers(1)])
    const asked = [controllers(3), brokers(2), pool({ name: 'more', roles: ['controller'], replicas: 2 })]
    const observed = { ...before, cluster: { ...before.cluster, spec: { ...before.cluster.spec, pools: asked } } }
    expect(effective(observed, NOBODY)).toEqual({ controllers: 1, brokers: 2 })
  })

  const bound = ({ claims, ...observed }: Observed, phase: string): Observed => ({
    ...observed,
    claims: claims.map((claim) => ({ ...claim, status: { phase } })),
  })
  const others = [pool({ name: 'others', roles: ['controller'], replicas: 3 }), brokers(3)]

  test('a pool that never had a volume gives way to another one, which stays', () => {
    const observed = changed(bound(begun(SEPARATE), 'Pending'), others)
    expect(effective(observed, NOBODY)).toEqual({ others: 3, brokers: 3 })
    const next = effectiveCluster(observed.cluster, observed, NOBODY)
    expect(emptyPools(next, observed)).toEqual(['orders-controllers'])
    const status = { ...observed.cluster.status, pools: poolStatuses(next, []) }
    const after = { ...observed, cluster: { ...observed.cluster, status }, statefulSets: new Map() }
    expect(effective(after, NOBODY)).toEqual({ others: 3, brokers: 3 })
    expect(effective(changed(after, [controllers(1), ...others]), NOBODY)).toEqual({
      others: 3,
      brokers: 3,
      controllers: 3,
    })
  })

  test('one that had volumes does not: it may have begun', () => {
    const observed = changed(bound(begun(SEPARATE), 'Bound'), others)
    expect(effective(observed, NOBODY)).toEqual({ controllers: 3, brokers: 3 })
  })

  test('nor one that is asked for', () => {
    const more = pool({ name: 'more', roles: ['controller'], replicas: 2 })
    const observed = changed(bound(begun(SEPARATE), 'Pending'), [...SEPARATE, more])
    expect(effective(observed, NOBODY)).toEqual({ controllers: 3, brokers: 3 })
  })

  test('it counts as formed as soon as it has a leader', () => {
    const observed = begun(SEPARATE)
    const { status } = effectiveCluster(observed.cluster, observed, well())
    expect(status?.quorum).toEqual({ leader: 0, voters: [0, 1, 2] })
  })
})

test('a cluster that is made again has the nodes that its volumes tell of, but those that were drained', () => {
  const before = running(cluster(SEPARATE), { 'orders-brokers-2': 'drained' })
  const fresh = { ...before, statefulSets: new Map(), cluster: cluster([controllers(1), brokers(1)]) }
  expect(effective(changed(fresh, fresh.cluster.spec.pools), NOBODY)).toEqual({ controllers: 3, brokers: 2 })
})
