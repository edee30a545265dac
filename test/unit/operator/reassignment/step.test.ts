import { describe, expect, test } from '@jest/globals'
import { KafkaError } from '../../../../broker/client/kafka-error.ts'
import { EVENT } from '../../../../operator/api/resource.ts'
import type { KafkaState } from '../../../../operator/kafka/state.ts'
import type { KafkaCluster, Resource } from '../../../../operator/api/resource.ts'
import type { StepResult } from '../../../../operator/cluster/step.ts'
import { ReassignmentStep } from '../../../../operator/reassignment/step.ts'
import type { Rebalance } from '../../../../operator/reassignment/step.ts'
import { kafkaCluster, operatorWorld, pool } from '../../../fakes/operator.ts'
import { FakeReassignments } from '../../../fakes/reassignment.ts'
import { changed, running, viewOf } from '../scaling/world.ts'

const controllers = pool({ name: 'controllers', roles: ['controller'] })
const brokers = (replicas: number) => pool({ name: 'brokers', roles: ['broker'], replicas })
const BLOCKED = 10_000

/** A cluster of brokers 1000… that had `before` brokers, and is asked to have `asked`. */
function world(
  kafka: FakeReassignments,
  before: number,
  asked: number,
  spec: Partial<KafkaCluster['spec']['rebalance']> = {},
) {
  const { api, clock, events } = operatorWorld()
  const pools = [controllers, brokers(before)]
  const rebalance = { onScale: 'auto' as const, ...spec }
  let observed = changed(running(kafkaCluster({ pools, rebalance })), [controllers, brokers(asked)])
  const factors = new Map<string, number>()
  const state = {
    rebalance: null as Rebalance | null,
    annotations: {} as Record<string, string>,
    told: (told: KafkaState) => told,
  }
  const start = (): ReassignmentStep =>
    new ReassignmentStep({
      clock,
      adminOf: () => kafka,
      events,
      factorsOf: () => factors,
      rebalanceOf: async () => state.rebalance,
    })
  let step = start()
  const restart = (): void => void (step = start())
  const forget = (): void => step.forget('kafka/orders')
  /** One run; what it says is the status that the next one finds. */
  const run = async (): Promise<StepResult> => {
    const { cluster } = observed
    observed = {
      ...observed,
      cluster: { ...cluster, metadata: { ...cluster.metadata, annotations: state.annotations } },
    }
    const result = await step.run(viewOf(observed, state.told(kafka.state)))
    observed = {
      ...observed,
      cluster: { ...observed.cluster, status: { ...observed.cluster.status, ...result.status } },
    }
    return result
  }
  const finish = async (): Promise<StepResult> => {
    for (let runs = 0; runs < 200; runs++) {
      const result = await run()
      if (result.requeueAfterMs === undefined || result.requeueAfterMs === BLOCKED) return result
      kafka.copied()
    }
    throw new Error('no end')
  }
  const ask = (count: number): void => {
    const set = observed.statefulSets.get('orders-brokers')
    if (set !== undefined) set.spec.replicas = Math.max(before, asked)
    observed = changed(observed, [controllers, brokers(count)])
  }
  const notes = (): string[] => (api.all(EVENT) as (Resource & { note: string })[]).map(({ note }) => note)
  return { run, restart, forget, finish, ask, notes, factors, state, clock }
}

const THREE = [1000, 1001, 1002]
const FOUR = [...THREE, 1003]

test('nothing is done about replicas that are where they are to be', async () => {
  const kafka = new FakeReassignments(THREE).topic('t', [1000, 1001], [1001, 1002])
  const { run } = world(kafka, 3, 3)
  const result = await run()
  expect(result.status?.reassignment).toEqual({ state: 'Idle', moves: 0, bytesLeft: 0 })
  expect(result.conditions).toEqual([
    { type: 'ReplicasPlaced', status: 'True', reason: 'Placed', message: 'replicas are where they are to be' },
  ])
  expect(kafka.calls).toEqual([])
})

describe('a broker that is to go', () => {
  test('is emptied; the status tells how far it is, Events what for', async () => {
    const kafka = new FakeReassignments(FOUR).topic('t', [1003, 1000], [1001, 1003], [1000, 1002])
    const { run, finish, notes } = world(kafka, 4, 3)
    const result = await run()
    expect(result.status?.reassignment).toEqual({ state: 'Moving', moves: 2, bytesLeft: 200, draining: [1003] })
    expect(result.conditions?.[0]).toMatchObject({ status: 'False', message: '2 partitions are moving' })
    await finish()
    expect(kafka.replicas('t').flat()).not.toContain(1003)
    expect(notes()).toEqual([
      '2 partitions move, 200 bytes are to be copied: brokers 1003 are to go',
      'replicas are where they are to be',
    ])
  })

  test('stays where the others cannot take what it has, and nothing is moved', async () => {
    const kafka = new FakeReassignments(THREE).topic('t', THREE).topic('u', [1002])
    const { run } = world(kafka, 3, 2)
    const result = await run()
    expect(result.health).toEqual({
      state: 'stalled',
      reason: 'ScaleDownRefused',
      message:
        'brokers 1002 cannot go: t-0: its 3 replicas need as many brokers, and there would be 2; to let them stay, set the replicas of their pool back',
    })
    expect(result.status?.reassignment).toMatchObject({ state: 'Blocked' })
    expect(kafka.calls).toEqual([])
  })

  test('stays where the disks of the others are full', async () => {
    const kafka = new FakeReassignments(THREE).topic('t', [1000], [1001], [1002])
    kafka.roomBytes = 99
    const { run } = world(kafka, 3, 2)
    expect((await run()).health?.message).toContain(
      'brokers 1002 cannot go: t-2: no other broker has room for its 100 bytes',
    )
  })

  test('keeps what it has when it is asked for again', async () => {
    const kafka = new FakeReassignments(FOUR).topic('t', [1003, 1000], [1001, 1003])
    const { run, finish, ask } = world(kafka, 4, 3)
    await run()
    kafka.calls.length = 0
    ask(4)
    const result = await run()
    expect(kafka.calls).toEqual(['t-0 -> cancel', 't-1 -> cancel'])
    expect(result.status?.reassignment).toMatchObject({ state: 'Cancelling' })
    await finish()
    expect(kafka.replicas('t').map((ids) => new Set(ids))).toEqual([new Set([1000, 1003]), new Set([1001, 1003])])
  })

  test('that is away is emptied too where others have what it has', async () => {
    const kafka = new FakeReassignments(THREE).topic('t', [1000, 1003])
    const one = kafka.partitions.get('t/0')
    if (one !== undefined) one.isr = [1000]
    const { finish } = world(kafka, 4, 3)
    await finish()
    expect(kafka.replicas('t').flat()).not.toContain(1003)
  })
})

describe('brokers that are new', () => {
  const topic = (kafka: FakeReassignments): FakeReassignments =>
    kafka.topic('t', ...Array.from({ length: 120 }, (_, index) => [THREE[index % 3] ?? 0, THREE[(index + 1) % 3] ?? 0]))

  test('get their share', async () => {
    const kafka = topic(new FakeReassignments(FOUR))
    const { finish, clock } = world(kafka, 3, 4)
    await clock.run(60_000)
    const result = await finish()
    expect(kafka.replicas('t').filter((ids) => ids.includes(1003))).toHaveLength(60)
    expect(kafka.copiesMax).toBe(6)
    expect(result.status?.reassignment).toEqual({ state: 'Idle', moves: 0, bytesLeft: 0 })
    expect([...kafka.partitions.values()].every(({ leader, replicas }) => leader === replicas[0])).toBe(true)
  })

  test('get it again where the operator before took it away late', async () => {
    const kafka = topic(new FakeReassignments(FOUR))
    const before = kafka.replicas('t')
    const { finish, clock } = world(kafka, 3, 4)
    expect((await finish()).status?.reassignment).toMatchObject({ state: 'Idle', filling: [1003] })
    await kafka.reassign(before.map((replicas, partition) => ({ topic: 't', partition, replicas })))
    kafka.copied()
    await clock.run(60_000)
    expect((await finish()).status?.reassignment).toEqual({ state: 'Idle', moves: 0, bytesLeft: 0 })
    expect(kafka.replicas('t').filter((ids) => ids.includes(1003))).toHaveLength(60)
  })

  test('lead what they have got while more is to come', async () => {
    const kafka = new FakeReassignments(FOUR).topic('t', ...Array.from({ length: 6 }, () => [1000, 1001]))
    const { run, state } = world(kafka, 4, 4)
    const plan = [0, 1, 2, 3, 4, 5].map((partition) => ({ topic: 't', partition, replicas: [1003, 1000] }))
    state.rebalance = { plan, bytesPerSecond: null }
    await run()
    kafka.copied()
    await run()
    const leaders = [...kafka.partitions.values()].map(({ leader }) => leader)
    expect(leaders).toEqual([1003, 1000, 1000, 1000, 1000, 1000])
  })

  test('lead also where brokers have not heard yet that they are in sync', async () => {
    const kafka = topic(new FakeReassignments(FOUR))
    const { finish, state } = world(kafka, 3, 4)
    const behind = (isr: readonly number[]): number[] => isr.filter((id) => id !== 1003)
    state.told = (told) => ({ ...told, partitions: told.partitions.map((one) => ({ ...one, isr: behind(one.isr) })) })
    await finish()
    expect([...kafka.partitions.values()].every(({ leader, replicas }) => leader === replicas[0])).toBe(true)
  })

  test('get it when they are there', async () => {
    const kafka = topic(new FakeReassignments(THREE))
    const { finish } = world(kafka, 3, 4)
    const waiting = await finish()
    expect(waiting.status?.reassignment).toMatchObject({ state: 'Idle', filling: [1003] })
    kafka.brokers.add(1003)
    await finish()
    expect(kafka.replicas('t').flat()).toContain(1003)
  })

  test('get only new partitions with rebalance.onScale none', async () => {
    const kafka = topic(new FakeReassignments(FOUR))
    const { finish } = world(kafka, 3, 4, { onScale: 'none' })
    await finish()
    expect(kafka.calls).toEqual([])
  })

  test('that are given up again give back what they were getting', async () => {
    const kafka = topic(new FakeReassignments(FOUR))
    const before = kafka.replicas('t')
    const { run, finish, ask } = world(kafka, 3, 4)
    await run()
    ask(3)
    expect((await run()).status?.reassignment).toMatchObject({ state: 'Cancelling' })
    await finish()
    expect(kafka.replicas('t').map((ids) => new Set(ids))).toEqual(before.map((ids) => new Set(ids)))
  })
})

describe('a replication factor', () => {
  test('is raised and lowered', async () => {
    const kafka = new FakeReassignments(THREE).topic('t', [1000], [1001]).topic('u', THREE)
    const { finish, factors } = world(kafka, 3, 3)
    factors.set('t', 2).set('u', 1)
    await finish()
    expect(kafka.replicas('t').map((ids) => ids.length)).toEqual([2, 2])
    expect(kafka.replicas('u')).toEqual([[1000]])
  })

  test('of more than there are brokers changes nothing', async () => {
    const kafka = new FakeReassignments(THREE).topic('t', [1000])
    const { finish, factors } = world(kafka, 3, 3)
    factors.set('t', 4)
    expect((await finish()).health ?? null).toBeNull()
    expect(kafka.calls).toEqual([])
  })
})

test('a replication factor waits for the brokers that it needs', async () => {
  const kafka = new FakeReassignments([1000]).topic('t', [1000])
  const { finish, factors } = world(kafka, 3, 3)
  factors.set('t', 3)
  expect((await finish()).health ?? null).toBeNull()
  expect(kafka.calls).toEqual([])
  kafka.brokers.add(1001).add(1002)
  await finish()
  expect(kafka.replicas('t')[0]).toHaveLength(3)
})

test('a drain waits for a broker that is away, which is no refusal', async () => {
  const kafka = new FakeReassignments([1000, 1001, 1003]).topic('t', [1000, 1001, 1003])
  const { run } = world(kafka, 4, 3)
  expect((await run()).health).toEqual({
    state: 'progressing',
    reason: 'BrokersAway',
    message: 't-0: brokers 1002 are away',
  })
  kafka.brokers.add(1002)
  await run()
  expect(kafka.calls).toEqual(['t-0 -> 1000,1001,1002'])
})

test('a partition that is not well is left alone until it is', async () => {
  const kafka = new FakeReassignments(FOUR).topic('t', [1000, 1001, 1003])
  const one = kafka.partitions.get('t/0')
  if (one !== undefined) one.isr = [1000, 1003]
  const { run } = world(kafka, 4, 3)
  const words = 'waits until the replicas that stay are in sync of t-0'
  expect((await run()).status?.reassignment).toMatchObject({ state: 'Moving', message: words })
  expect(kafka.calls).toEqual([])
  if (one !== undefined) one.isr = one.replicas
  expect((await run()).status?.reassignment).not.toHaveProperty('message')
  expect(kafka.calls).toEqual(['t-0 -> 1000,1001,1002'])
})

test('a throttle applies to what moves, and is gone afterwards', async () => {
  const kafka = new FakeReassignments(FOUR).topic('t', [1003]).topic('u', [1000])
  const { run, finish } = world(kafka, 4, 3, { throttle: '50M' })
  await run()
  expect([kafka.rate, [...kafka.throttled]]).toEqual([50_000_000, ['t']])
  await finish()
  expect([kafka.rate, [...kafka.throttled]]).toEqual([null, []])
})

test.each(['goes on', 'has died'])('a throttle that no status tells of is gone too: the operator %s', async (what) => {
  const kafka = new FakeReassignments(THREE).topic('t', [1000])
  const { run, restart, factors } = world(kafka, 3, 3, { throttle: '1M' })
  expect((await run()).status?.reassignment?.state).toBe('Idle')
  factors.set('t', 2)
  kafka.intercept = () => {
    if (kafka.calls.length > 0) throw new KafkaError('NETWORK_EXCEPTION', 'connection lost', { isRetriable: true })
  }
  expect((await run()).status).toBeUndefined()
  kafka.intercept = () => {}
  expect(kafka.rate).toBe(1_000_000)
  kafka.copied()
  if (what === 'has died') restart()
  expect((await run()).status?.reassignment?.state).toBe('Idle')
  expect([kafka.rate, [...kafka.throttled]]).toEqual([null, []])
})

test('the annotation stops it: what is under way is cancelled, and nothing begun', async () => {
  const kafka = new FakeReassignments(FOUR).topic('t', [1003], [1002])
  const { run, finish, state } = world(kafka, 4, 3, { throttle: '1M' })
  await run()
  state.annotations['kafka.ottla.dev/reassignment'] = 'stop'
  await run()
  expect(kafka.replicas('t')).toEqual([[1003], [1002]])
  expect((await run()).status?.reassignment).toMatchObject({ state: 'Blocked', draining: [1003] })
  expect(kafka.rate).toBeNull()
  delete state.annotations['kafka.ottla.dev/reassignment']
  await finish()
  expect(kafka.replicas('t').flat()).not.toContain(1003)
})

test('an approved rebalance is carried out, but for what it would put on brokers that go', async () => {
  const kafka = new FakeReassignments(FOUR).topic('t', [1000], [1001], [1002])
  const { finish, state } = world(kafka, 4, 3)
  const planned = (partition: number, broker: number) => ({ topic: 't', partition, replicas: [broker] })
  state.rebalance = { plan: [planned(0, 1002), planned(1, 1003)], bytesPerSecond: 5 }
  await finish()
  expect(kafka.replicas('t')).toEqual([[1002], [1001], [1002]])
})

describe('what Kafka refuses or does not answer', () => {
  const placed = (result: StepResult) => result.conditions?.find(({ type }) => type === 'ReplicasPlaced')

  test('is told in the condition until it works again', async () => {
    const kafka = new FakeReassignments(FOUR).topic('t', [1003, 1000])
    const { run } = world(kafka, 4, 3)
    kafka.intercept = () => {
      throw new KafkaError('REQUEST_TIMED_OUT', 'broker 1001 did not answer', { isRetriable: true })
    }
    const result = await run()
    expect(placed(result)).toEqual({
      type: 'ReplicasPlaced',
      status: 'False',
      reason: 'ReassignmentFailing',
      message: 'replicas cannot be moved, it is tried again: broker 1001 did not answer (REQUEST_TIMED_OUT)',
    })
    expect(result.health ?? null).toBeNull()
    kafka.intercept = () => {}
    expect(placed(await run())?.reason).toBe('Moving')
  })

  test('stalls the cluster where it is a refusal, and is not asked for every second', async () => {
    const kafka = new FakeReassignments(FOUR).topic('t', [1003, 1000])
    const { run } = world(kafka, 4, 3)
    kafka.intercept = () => {
      throw new KafkaError('CLUSTER_AUTHORIZATION_FAILED', 'not allowed', { isRetriable: false })
    }
    const { health, requeueAfterMs } = await run()
    expect(health).toMatchObject({ state: 'stalled', reason: 'ReassignmentRefused' })
    expect(requeueAfterMs).toBe(BLOCKED)
  })
})

test('a cluster that is made anew is looked at for a throttle that was left, once', async () => {
  const kafka = new FakeReassignments(THREE).topic('t', [1000, 1001])
  const { run, forget } = world(kafka, 3, 3)
  await run()
  kafka.rate = 50
  await run()
  expect(kafka.rate).toBe(50)
  forget()
  await run()
  expect(kafka.rate).toBeNull()
})

test('it goes on after a failure of any call, and ends the same', async () => {
  let calls = 0
  const make = () => {
    const kafka = new FakeReassignments(FOUR).topic('t', [1003, 1000], [1001, 1003], [1000, 1002])
    return { kafka, ...world(kafka, 4, 3, { throttle: '1M' }) }
  }
  const clean = make()
  clean.kafka.intercept = () => void calls++
  await clean.finish()
  expect(calls).toBeGreaterThan(10)
  for (let failAt = 0; failAt < calls; failAt++) {
    const { kafka, finish } = make()
    let seen = 0
    kafka.intercept = () => {
      if (seen++ === failAt) throw new KafkaError('NETWORK_EXCEPTION', 'connection lost', { isRetriable: true })
    }
    await finish()
    expect(kafka.replicas('t')).toEqual(clean.kafka.replicas('t'))
    expect([kafka.rate, kafka.throttled.size]).toEqual([null, 0])
  }
})
