import { describe, expect, test } from '@jest/globals'
import { KafkaError } from '../../../../broker/client/kafka-error.ts'
import { CONFIG_MAP, EVENT, PERSISTENT_VOLUME_CLAIM, STATEFUL_SET } from '../../../../operator/api/resource.ts'
import type { KafkaCluster, Resource } from '../../../../operator/api/resource.ts'
import type { Observed } from '../../../../operator/cluster/observe.ts'
import type { KafkaState, Unreachable } from '../../../../operator/kafka/state.ts'
import { DrainStep } from '../../../../operator/scaling/drain-step.ts'
import { kafkaCluster, operatorWorld, pool } from '../../../fakes/operator.ts'
import { FakeScaling } from '../../../fakes/scaling.ts'
import { changed, kafka, partition, running, viewOf } from './world.ts'

const controllers = pool({ name: 'controllers', roles: ['controller'] })
const brokers = (replicas: number) => pool({ name: 'brokers', roles: ['broker'], replicas })
const three = (): KafkaCluster => kafkaCluster({ pools: [controllers, brokers(3)] })
const LAST = 'orders-brokers-2'
const ALL = [1000, 1001, 1002]

function draining(observed: Observed) {
  const { api, events } = operatorWorld()
  for (const claim of observed.claims) api.put(PERSISTENT_VOLUME_CLAIM, claim)
  for (const set of observed.statefulSets.values()) {
    api.put(STATEFUL_SET, { ...set, metadata: { ...set.metadata, namespace: 'kafka' } })
  }
  const admin = new FakeScaling()
  const step = new DrainStep({ api, events, adminOf: () => admin })
  const mark = (): string | undefined =>
    api.peek(PERSISTENT_VOLUME_CLAIM, 'kafka', `data-0-${LAST}`)?.metadata.annotations?.['kafka.ottla.dev/drain']
  const notes = (): string[] => (api.all(EVENT) as (Resource & { note: string })[]).map(({ note }) => note)
  return { api, admin, mark, notes, run: (state: KafkaState | Unreachable) => step.run(viewOf(observed, state)) }
}

describe('a broker that is to go', () => {
  const leaving = (mark?: string): Observed =>
    changed(running(three(), mark === undefined ? {} : { [LAST]: mark }), [controllers, brokers(2)])

  test('is marked, and gets no new replicas', async () => {
    const { run, admin, mark, notes } = draining(leaving())
    const result = await run(kafka({ brokers: ALL, partitions: [partition(0, [1002])] }))
    expect(mark()).toBe('draining')
    expect(admin.calls).toEqual(['cordon 1002'])
    expect(notes()).toEqual(['orders-brokers-2 (node 1002) is being emptied'])
    expect(result).toMatchObject({ health: { reason: 'ScalingDown', message: 'orders-brokers-2: to go when empty' } })
  })

  test('is not marked by an operator that has not seen what another one has written', async () => {
    const { api, admin, notes, run } = draining(leaving())
    const name = `data-0-${LAST}`
    const seen = api.peek(PERSISTENT_VOLUME_CLAIM, 'kafka', name)
    const stale = leaving()
    const claims = stale.claims.map((claim) => (claim.metadata.name === name && seen !== null ? seen : claim))
    await run(kafka({ brokers: ALL }))
    const late = new DrainStep({ ...operatorWorld(), api, adminOf: () => admin })
    await late.run(viewOf({ ...stale, claims }, kafka({ brokers: ALL, partitions: [partition(0, [1002])] })))
    expect(api.peek(PERSISTENT_VOLUME_CLAIM, 'kafka', name)?.metadata.annotations).toMatchObject({
      'kafka.ottla.dev/drain': 'drained',
    })
    expect(notes()).toHaveLength(2)
  })

  test('is not told twice', async () => {
    const { run, admin, notes } = draining(leaving('draining'))
    admin.cordoned.add(1002)
    await run(kafka({ brokers: ALL, partitions: [partition(0, [1002])] }))
    expect(admin.calls).toEqual([])
    expect(notes()).toEqual([])
  })

  test.each([
    ['cannot be told while it does not answer', true, 'brokers cannot be drained while they do not answer: told'],
    ['is not told as drained where it may not be cordoned', false, 'brokers cannot be drained: told'],
  ])('%s', async (_, isRetriable, message) => {
    const { run, admin, mark } = draining(leaving('draining'))
    admin.failure = new KafkaError('INVALID_REQUEST', 'told', { isRetriable })
    const result = await run(kafka({ brokers: ALL }))
    expect(result).toMatchObject({ health: { state: 'progressing', reason: 'ScalingDown', message } })
    expect(mark()).toBe('draining')
  })

  test('is drained when nothing is left on its disks', async () => {
    const { run, admin, mark } = draining(leaving('draining'))
    admin.onDisk.set(1002, 1)
    await run(kafka({ brokers: ALL }))
    expect(mark()).toBe('draining')
    admin.onDisk.set(1002, 0)
    await run(kafka({ brokers: ALL }))
    expect(mark()).toBe('drained')
  })

  test('that is away is drained when nothing is on it any more', async () => {
    const { run, admin, mark } = draining(leaving('draining'))
    admin.onDisk.set(1002, 1)
    await run(kafka({ brokers: [1000, 1001] }))
    expect(mark()).toBe('drained')
  })

  test('that gets something after all is drained again', async () => {
    const { run, mark } = draining(leaving('drained'))
    await run(kafka({ brokers: ALL, partitions: [partition(0, [1002])] }))
    expect(mark()).toBe('draining')
  })
})

test('brokers that have nothing stay until one of those that take their place is there', async () => {
  const other = pool({ name: 'other', roles: ['broker'], replicas: 3 })
  const { run, mark } = draining(changed(running(three()), [controllers, other]))
  const result = await run(kafka({ brokers: ALL }))
  expect(mark()).toBe('draining')
  const waits = 'to go when empty, and when one of the brokers that are asked for is there'
  expect(result.health?.message).toBe(`orders-brokers-0, orders-brokers-1, orders-brokers-2: ${waits}`)
  await run(kafka({ brokers: [...ALL, 2000] }))
  expect(mark()).toBe('drained')
})

test('a controller is drained when it is a voter no more', async () => {
  const before = kafkaCluster({
    pools: [pool({ name: 'brokers', roles: ['controller'], replicas: 3 }), pool({ name: 'b' })],
  })
  const observed = changed(running(before), [pool({ name: 'brokers', roles: ['controller'] }), pool({ name: 'b' })])
  const { run, mark } = draining(observed)
  await run(kafka({ voters: [0, 2], brokers: [1000] }))
  expect(mark()).toBeUndefined()
  await run(kafka({ voters: [0], brokers: [1000] }))
  expect(mark()).toBe('drained')
})

describe('a node that is asked for again', () => {
  test('loses its mark, and gets new replicas again, once it is there', async () => {
    const { run, admin, mark } = draining(running(three(), { [LAST]: 'drained' }))
    admin.cordoned.add(1002)
    await run(kafka({ brokers: [1000, 1001] }))
    expect(mark()).toBe('drained')
    await run(kafka({ brokers: ALL }))
    expect(mark()).toBeUndefined()
    expect(admin.calls).toEqual(['uncordon 1002'])
  })
})

describe('brokers that are away', () => {
  test('for good are forgotten', async () => {
    const { run, admin } = draining(running(three()))
    admin.fenced.add(1003)
    await run(kafka({ brokers: ALL }))
    expect(admin.calls).toEqual(['unregister 1003'])
  })

  test('are not forgotten while they are to run, or have replicas', async () => {
    const { run, admin } = draining(running(three()))
    admin.fenced.add(1002)
    admin.fenced.add(1003)
    await run(kafka({ brokers: [1000, 1001], partitions: [partition(0, [1000, 1003])] }))
    expect(admin.calls).toEqual([])
  })
})

test('the StatefulSet of an empty pool is deleted, its volumes stay', async () => {
  const more = kafkaCluster({ pools: [controllers, brokers(3), pool({ name: 'old', roles: ['broker'] })] })
  const before = running(more, { 'orders-old-0': 'drained' })
  const { api, step } = (() => {
    const world = operatorWorld()
    for (const claim of before.claims) world.api.put(PERSISTENT_VOLUME_CLAIM, claim)
    const admin = new FakeScaling()
    return { api: world.api, step: new DrainStep({ api: world.api, events: world.events, adminOf: () => admin }) }
  })()
  const sets = new Map(
    [...before.statefulSets].map(([name, set]) => {
      const stored = api.put(STATEFUL_SET, { ...set, metadata: { ...set.metadata, namespace: 'kafka' } })
      return [name, stored] as const
    }),
  )
  const configMaps = ['old', 'brokers'].map((name) => {
    const labels = { 'kafka.ottla.dev/pool': name }
    const metadata = { name: `orders-${name}-config-1`, namespace: 'kafka', labels }
    return api.put(CONFIG_MAP, { apiVersion: 'v1', kind: 'ConfigMap', metadata })
  })
  const observed = changed({ ...before, statefulSets: sets, configMaps }, [controllers, brokers(3)])
  await step.run(viewOf(observed, kafka({ brokers: [...ALL, 2000], partitions: [partition(0, [2000])] })))
  expect(api.all(STATEFUL_SET)).toHaveLength(3)
  await step.run(viewOf(observed, kafka({ brokers: [...ALL, 2000] })))
  expect(api.all(STATEFUL_SET).map((set) => set.metadata.name)).toEqual(['orders-controllers', 'orders-brokers'])
  expect(api.all(CONFIG_MAP)).toHaveLength(2)
  const pod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'orders-old-0', labels: { 'kafka.ottla.dev/pool': 'old' } },
  }
  const without = { ...observed, statefulSets: new Map([...sets].filter(([name]) => name !== 'orders-old')) }
  await step.run(viewOf({ ...without, pods: [pod] }, kafka({ brokers: ALL })))
  expect(api.all(CONFIG_MAP)).toHaveLength(2)
  await step.run(viewOf(without, kafka({ brokers: ALL })))
  expect(api.all(CONFIG_MAP).map(({ metadata }) => metadata.name)).toEqual(['orders-brokers-config-1'])
  expect(api.all(PERSISTENT_VOLUME_CLAIM)).toHaveLength(before.claims.length)
})

test('controllers that cannot give way to others before there is a quorum are named', async () => {
  const before = running(three())
  const { quorum: _, ...status } = before.cluster.status ?? {}
  for (const { metadata } of before.statefulSets.values()) delete metadata.annotations?.['kafka.ottla.dev/quorum']
  const claims = before.claims.map((claim) => ({ ...claim, status: { phase: 'Bound' } }))
  const begun = { ...before, claims, cluster: { ...before.cluster, status } }
  const others = pool({ name: 'others', roles: ['controller'] })
  const { run, api } = draining(changed(begun, [others, brokers(3)]))
  const result = await run({ error: 'no pod is ready' })
  expect(result.health).toMatchObject({ state: 'stalled', reason: 'QuorumNotFormed' })
  expect(result.health?.message).toContain('orders-controllers-0 cannot go before the quorum has had a leader')
  expect(api.all(STATEFUL_SET)).toHaveLength(2)
})
