import { describe, expect, test } from '@jest/globals'
import * as fc from 'fast-check'
import { KafkaError } from '../../../../broker/client/kafka-error.ts'
import { CONFIG_MAP, EVENT, KAFKA_REBALANCE } from '../../../../operator/api/resource.ts'
import type { KafkaRebalance, Manifest } from '../../../../operator/api/resource.ts'
import { formatPlan, parsePlan } from '../../../../operator/rebalance/plan-text.ts'
import { readPlan, RebalanceReconciler } from '../../../../operator/rebalance/reconcile.ts'
import { condition, kafkaCluster, operatorWorld, pool } from '../../../fakes/operator.ts'
import { FakeReassignments } from '../../../fakes/reassignment.ts'

const KEY = 'kafka/even'

/** A cluster of brokers 0, 1 and 2, but for those that are `draining`. */
function rebalancing(
  kafka: FakeReassignments,
  spec: Partial<KafkaRebalance['spec']> = {},
  draining: readonly number[] = [],
) {
  const world = operatorWorld()
  const reassignment = { state: 'Moving' as const, moves: 1, bytesLeft: 1, draining: [...draining] }
  const asked = kafkaCluster({ pools: [pool({ replicas: 3 - draining.length })] })
  const cluster = { ...asked, status: { ...asked.status, reassignment } }
  const others: KafkaRebalance[] = []
  const woken: string[] = []
  const state = { unreachable: false }
  const reconciler = new RebalanceReconciler({
    ...world,
    look: async () => (state.unreachable ? { error: 'connection refused' } : kafka.state),
    adminOf: () => kafka,
    clusterOf: (key) => (key === 'kafka/orders' ? cluster : undefined),
    othersOf: () => others,
    wake: (key) => void woken.push(key),
  })
  const put = (annotations: Record<string, string> = {}, more: Partial<KafkaRebalance['spec']> = {}): void => {
    const metadata = { name: 'even', namespace: 'kafka', annotations }
    const full = { cluster: { name: 'orders' }, mode: 'full' as const, approval: 'manual' as const, ...spec, ...more }
    world.api.put<KafkaRebalance>(KAFKA_REBALANCE, { ...KAFKA_REBALANCE, metadata, spec: full })
  }
  put()
  const stored = (): KafkaRebalance => {
    const found = world.api.peek<KafkaRebalance>(KAFKA_REBALANCE, 'kafka', 'even')
    if (found === null) throw new Error('it is gone')
    return found
  }
  /** What the cluster's reconciler does: all of the plan at once. */
  const carryOut = async (): Promise<void> => {
    await kafka.reassign((await readPlan(world.api, stored())) ?? [])
  }
  return { ...world, put, stored, cluster, others, woken, state, carryOut, reconcile: () => reconciler.reconcile(KEY) }
}

const uneven = (): FakeReassignments => new FakeReassignments([0, 1, 2]).topic('t', [0], [0], [0])

/** One that is under way, and is to stop. */
async function stopping(kafka: FakeReassignments): Promise<ReturnType<typeof rebalancing>> {
  const world = rebalancing(kafka, { approval: 'auto' })
  await world.reconcile()
  await world.reconcile()
  await world.carryOut()
  world.put({ 'kafka.ottla.dev/rebalance': 'stop' })
  return world
}

describe('a KafkaRebalance', () => {
  test('shows its plan, and waits for approval', async () => {
    const kafka = uneven()
    const { reconcile, stored, api } = rebalancing(kafka)
    expect(await reconcile()).toEqual({})
    expect(stored().status).toMatchObject({
      state: 'Proposed',
      plan: {
        moves: 2,
        reorders: 0,
        bytes: 200,
        before: { replicas: 200, leaders: 200, bytes: 200 },
        after: { replicas: 0, leaders: 0, bytes: 0 },
        configMap: 'even-rebalance',
      },
    })
    expect(condition(stored(), 'Reconciling')).toBe(
      'True Proposed: 2 partitions move, 0 get another leader, 200 bytes are copied; approve it with the annotation kafka.ottla.dev/rebalance=approve',
    )
    const { data } = api.peek<Manifest>(CONFIG_MAP, 'kafka', 'even-rebalance') as Manifest & {
      data: Record<string, string>
    }
    expect(JSON.parse(data['reassignment.json'] ?? '')).toMatchObject({ version: 1, partitions: [{ topic: 't' }, {}] })
    await reconcile()
    expect(kafka.calls).toEqual([])
  })

  test('is carried out once it is approved, and done when all is as planned', async () => {
    const kafka = uneven()
    const { reconcile, stored, put, woken, carryOut } = rebalancing(kafka)
    await reconcile()
    put({ 'kafka.ottla.dev/rebalance': 'approve' })
    await reconcile()
    expect(stored().status).toMatchObject({ state: 'Rebalancing', progress: { moves: 2 } })
    expect(stored().metadata.annotations).toEqual({})
    expect(woken).toEqual(['kafka/orders'])
    await carryOut()
    await reconcile()
    expect(condition(stored(), 'Ready')).toBe(
      'False Rebalancing: partitions move as planned; status.progress tells how many have still to',
    )
    kafka.copied()
    expect(await reconcile()).toEqual({})
    expect(condition(stored(), 'Ready')).toBe('True Rebalanced: all 2 partitions are as planned')
    expect(stored().status).toMatchObject({ state: 'Done', progress: { moves: 0 } })
  })

  test.each([
    ['is gone', null],
    ['was written into', '{"version":1,"partitions":[{"topic":"t"}]}'],
    ['is no JSON', 'moves: none'],
  ])('says so when its plan %s, and begins nothing', async (_, text) => {
    const kafka = uneven()
    const { reconcile, stored, put, api } = rebalancing(kafka)
    await reconcile()
    const map = api.peek<Manifest>(CONFIG_MAP, 'kafka', 'even-rebalance')
    if (map === null) throw new Error('no plan')
    if (text === null) api.remove(CONFIG_MAP, 'kafka', 'even-rebalance')
    else api.put(CONFIG_MAP, { ...map, data: { 'reassignment.json': text } })
    put({ 'kafka.ottla.dev/rebalance': 'approve' })
    await reconcile()
    expect(condition(stored(), 'Stalled')).toContain('True PlanLost: ConfigMap even-rebalance is gone')
    expect(await readPlan(api, stored())).toBeNull()
    put({ 'kafka.ottla.dev/rebalance': 'refresh' })
    await reconcile()
    expect(stored().status?.state).toBe('Proposed')
  })

  test('leaves a ConfigMap alone that is not its own', async () => {
    const { reconcile, stored, api } = rebalancing(uneven())
    const metadata = { name: 'even-rebalance', namespace: 'kafka' }
    api.put<Manifest>(CONFIG_MAP, { ...CONFIG_MAP, metadata, data: { mine: 'yes' } })
    await reconcile()
    expect(condition(stored(), 'Stalled')).toContain('True NameConflict')
    expect(api.peek<Manifest>(CONFIG_MAP, 'kafka', 'even-rebalance')).toMatchObject({ data: { mine: 'yes' } })
  })

  test('tells how far it is in the status, and not by an Event each time', async () => {
    const kafka = uneven()
    const { reconcile, stored, put, carryOut, api } = rebalancing(kafka)
    await reconcile()
    put({ 'kafka.ottla.dev/rebalance': 'approve' })
    await reconcile()
    await carryOut()
    await reconcile()
    const events = api.all(EVENT).length
    const [moving] = [...kafka.partitions.values()].filter(({ adding }) => adding.length > 0)
    if (moving === undefined) throw new Error('nothing moves')
    Object.assign(moving, { replicas: moving.adding, isr: moving.adding, adding: [], removing: [] })
    await reconcile()
    expect(stored().status).toMatchObject({ state: 'Rebalancing', progress: { moves: 1 } })
    expect(api.all(EVENT)).toHaveLength(events)
  })

  test('waits for nobody with approval auto', async () => {
    const { reconcile, stored } = rebalancing(uneven(), { approval: 'auto' })
    await reconcile()
    await reconcile()
    expect(stored().status?.state).toBe('Rebalancing')
  })

  test('has nothing to do where the brokers are even', async () => {
    const { reconcile, stored } = rebalancing(new FakeReassignments([0, 1, 2]).topic('t', [0], [1], [2]))
    await reconcile()
    expect(condition(stored(), 'Ready')).toContain('True Balanced')
  })

  test('is stopped: what is under way is cancelled, and it can be planned anew', async () => {
    const kafka = uneven()
    const { reconcile, stored, put } = await stopping(kafka)
    await reconcile()
    expect(kafka.replicas('t')).toEqual([[0], [0], [0]])
    expect(condition(stored(), 'Stalled')).toContain('Stopped')
    put({ 'kafka.ottla.dev/rebalance': 'refresh' })
    await reconcile()
    expect(stored().status?.state).toBe('Proposed')
  })

  test('is stopped, and what cannot be taken back without harm goes on to its end', async () => {
    const kafka = uneven()
    const { reconcile } = await stopping(kafka)
    const [lost, ...others] = [...kafka.partitions.values()].filter(({ adding }) => adding.length > 0)
    if (lost !== undefined) lost.isr = lost.adding
    kafka.calls.length = 0
    await reconcile()
    expect(kafka.calls).toEqual(others.map(({ topic, partition }) => `${topic}-${partition} -> cancel`))
    expect(lost?.adding).toHaveLength(1)
  })

  test('is stopped also where the first attempt fails', async () => {
    const kafka = uneven()
    const { reconcile, stored } = await stopping(kafka)
    kafka.intercept = () => {
      throw new KafkaError('NETWORK_EXCEPTION', 'connection lost', { isRetriable: true })
    }
    await expect(reconcile()).rejects.toThrow('connection lost')
    kafka.intercept = () => {}
    await reconcile()
    expect(kafka.replicas('t')).toEqual([[0], [0], [0]])
    expect(stored().metadata.annotations).toEqual({})
  })

  test('does what is written while it does something else', async () => {
    const { reconcile, stored, put, api } = rebalancing(uneven())
    await reconcile()
    put({ 'kafka.ottla.dev/rebalance': 'approve' })
    api.intercept = (call) => {
      if (call !== 'applyStatus KafkaRebalance') return
      api.intercept = () => {}
      put({ 'kafka.ottla.dev/rebalance': 'stop' })
    }
    await reconcile()
    expect(stored().metadata.annotations).toEqual({ 'kafka.ottla.dev/rebalance': 'stop' })
    await reconcile()
    expect(stored().status?.state).toBe('Stopped')
  })

  test('puts nothing on brokers that are being emptied, and does not wait for what was to go there', async () => {
    const kafka = uneven()
    const { reconcile, stored, api } = rebalancing(kafka, { approval: 'auto' }, [2])
    await reconcile()
    const plan = (await readPlan(api, stored())) ?? []
    expect(plan.flatMap(({ replicas }) => replicas)).toEqual([1])
    await reconcile()
    const text = JSON.stringify({ version: 1, partitions: [{ topic: 't', partition: 0, replicas: [2] }] })
    await api.patch(CONFIG_MAP, 'kafka', 'even-rebalance', { data: { 'reassignment.json': text } })
    await reconcile()
    expect(condition(stored(), 'Ready')).toContain('True Rebalanced')
  })

  test('is planned anew when its spec changes', async () => {
    const { reconcile, stored, put } = rebalancing(uneven())
    await reconcile()
    put({}, { mode: 'remove-brokers', brokers: [0] })
    await reconcile()
    expect(stored().status).toMatchObject({ state: 'Proposed', observedGeneration: 2, plan: { moves: 3 } })
  })

  test('waits while another one of its cluster is carried out', async () => {
    const { reconcile, stored, others } = rebalancing(uneven(), { approval: 'auto' })
    others.push({
      ...stored(),
      metadata: { ...stored().metadata, name: 'other', uid: 'other' },
      status: { state: 'Rebalancing' },
    })
    await reconcile()
    await reconcile()
    expect(condition(stored(), 'Ready')).toBe('False Proposed: it waits for KafkaRebalance kafka/other')
  })

  test('its approval stands while it waits for another one', async () => {
    const { reconcile, stored, others, put } = rebalancing(uneven())
    await reconcile()
    others.push({
      ...stored(),
      metadata: { ...stored().metadata, name: 'other', uid: 'other' },
      status: { state: 'Rebalancing' },
    })
    put({ 'kafka.ottla.dev/rebalance': 'approve' })
    await reconcile()
    expect(condition(stored(), 'Ready')).toContain('it waits for KafkaRebalance kafka/other')
    others.pop()
    await reconcile()
    expect(stored().status?.state).toBe('Rebalancing')
  })

  test('does not wait for what cannot be any more', async () => {
    const kafka = uneven()
    const { reconcile, stored } = rebalancing(kafka, { approval: 'auto' })
    await reconcile()
    await reconcile()
    kafka.brokers.delete(1)
    kafka.brokers.delete(2)
    await reconcile()
    expect(condition(stored(), 'Ready')).toBe(
      'True Rebalanced: all 2 partitions are as planned, but for 2 that cannot be any more',
    )
  })

  test.each<[Partial<KafkaRebalance['spec']>, string]>([
    [{ mode: 'add-brokers', brokers: [7] }, 'spec.brokers: 7 are not brokers of the cluster that are there'],
    [
      { mode: 'remove-brokers', brokers: [0, 1, 2] },
      't-0 cannot be placed: its 1 replicas need as many brokers, and there would be 0',
    ],
  ])('says what it cannot do: %j', async (spec, words) => {
    const { reconcile, stored } = rebalancing(uneven(), spec)
    await reconcile()
    expect(condition(stored(), 'Stalled')).toBe(`True CannotBePlanned: ${words}`)
  })

  test('says that the brokers do not answer', async () => {
    const { reconcile, stored, state } = rebalancing(uneven())
    state.unreachable = true
    expect(await reconcile()).toEqual({ requeueAfterMs: 10_000 })
    expect(condition(stored(), 'Ready')).toBe('False BrokersUnreachable: the brokers do not answer: connection refused')
    expect(stored().status?.observedGeneration).toBe(-1)
  })
})

test('a plan is read as it was written', () => {
  const moves = fc.array(
    fc.record({
      topic: fc.string({ minLength: 1 }),
      partition: fc.nat(),
      from: fc.constant([]),
      to: fc.uniqueArray(fc.nat(), { minLength: 1, maxLength: 3 }),
      bytes: fc.constant(0),
    }),
  )
  fc.assert(
    fc.property(moves, (plan) => {
      const { text, count } = formatPlan(plan)
      expect(count).toBe(plan.length)
      expect(parsePlan(text)).toEqual(plan.map(({ topic, partition, to }) => ({ topic, partition, replicas: to })))
    }),
  )
})

test('of a plan that is too large for a ConfigMap the first part is written', () => {
  const moves = Array.from({ length: 30_000 }, (_, partition) => ({
    topic: 't',
    partition,
    from: [1],
    to: [2],
    bytes: 0,
  }))
  const { text, count } = formatPlan(moves)
  expect(text.length).toBeLessThan(2 ** 20)
  expect(parsePlan(text)).toHaveLength(count)
  expect(count).toBeGreaterThan(10_000)
})

describe('the annotation kafka.ottla.dev/paused', () => {
  const PAUSED = { 'kafka.ottla.dev/paused': 'true' }
  const APPROVED = { 'kafka.ottla.dev/rebalance': 'approve' }

  test('on a KafkaRebalance keeps it where it is, and says so', async () => {
    const { put, reconcile, stored } = rebalancing(uneven())
    await reconcile()
    const before = condition(stored(), 'Ready')
    put({ ...PAUSED, ...APPROVED })
    await reconcile()
    expect(stored().status?.state).toBe('Proposed')
    expect(condition(stored(), 'Ready')).toMatch(/^True Paused: paused by the annotation/)
    put()
    await reconcile()
    expect(condition(stored(), 'Ready')).toBe(before)
    put(APPROVED)
    await reconcile()
    expect(stored().status?.state).toBe('Rebalancing')
  })

  test('on its KafkaCluster lets the approval wait', async () => {
    const { put, reconcile, stored, cluster } = rebalancing(uneven())
    await reconcile()
    cluster.metadata.annotations = PAUSED
    put(APPROVED)
    expect(await reconcile()).toEqual({ requeueAfterMs: 10_000 })
    expect(stored().status?.state).toBe('Proposed')
    expect(condition(stored(), 'Ready')).toContain('it waits: KafkaCluster kafka/orders is paused')
    cluster.metadata.annotations = {}
    await reconcile()
    expect(stored().status?.state).toBe('Rebalancing')
  })
})
