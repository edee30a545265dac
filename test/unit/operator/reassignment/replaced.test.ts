import { expect, test } from '@jest/globals'
import { ReassignmentStep } from '../../../../operator/reassignment/step.ts'
import { kafkaCluster, operatorWorld, pool } from '../../../fakes/operator.ts'
import { FakeReassignments } from '../../../fakes/reassignment.ts'
import { running, viewOf } from '../scaling/world.ts'

const THREE = [1000, 1001, 1002]

/** Runs of the step in a cluster of three brokers; each says how many replicas the topic `t` is to have. */
function world(kafka: FakeReassignments, annotations: Readonly<Record<string, string>> = {}) {
  const { clock, events } = operatorWorld()
  const pools = [
    pool({ name: 'controllers', roles: ['controller'] }),
    pool({ name: 'brokers', roles: ['broker'], replicas: 3 }),
  ]
  const cluster = kafkaCluster({ pools })
  const observed = running({ ...cluster, metadata: { ...cluster.metadata, annotations } })
  const factors = new Map<string, number>()
  const step = new ReassignmentStep({
    clock,
    adminOf: () => kafka,
    events,
    factorsOf: () => factors,
    rebalanceOf: async () => null,
  })
  const run = async (factor: number) => {
    factors.set('t', factor)
    return (await step.run(viewOf(observed, kafka.state))).status?.reassignment
  }
  return { run }
}

test('a move that does not want what is being added takes that back first, and follows in the next run', async () => {
  const kafka = new FakeReassignments(THREE).topic('t', [1000, 1001])
  const { run } = world(kafka)
  await run(3)
  await run(2)
  expect(kafka.calls).toEqual(['t-0 -> 1000,1001,1002', 't-0 -> cancel'])
  expect(await run(2)).toMatchObject({ state: 'Idle' })
  await run(1)
  expect(kafka.calls.slice(2)).toEqual(['t-0 -> 1000'])
})

test('what cannot be taken back, since only what is being added can lead, is replaced', async () => {
  const kafka = new FakeReassignments(THREE).topic('t', [1000, 1001])
  const { run } = world(kafka)
  const one = kafka.partitions.get('t/0')
  if (one !== undefined) Object.assign(one, { replicas: [1002, 1001, 1000], adding: [1002, 1001], removing: [1000] })
  if (one !== undefined) Object.assign(one, { isr: [1002], leader: 1002 })
  await run(1)
  expect(kafka.calls).toEqual(['t-0 -> 1002'])
})

test('a partition that is to add and to remove the same replica, which never ends, is freed', async () => {
  const kafka = new FakeReassignments(THREE).topic('t', [1000, 1001])
  const { run } = world(kafka)
  const one = kafka.partitions.get('t/0')
  if (one !== undefined) Object.assign(one, { replicas: THREE, isr: THREE, adding: [1002], removing: [1002] })
  expect(await run(2)).toMatchObject({ state: 'Cancelling', moves: 1 })
  expect(kafka.calls).toEqual(['t-0 -> cancel'])
  expect(await run(2)).toMatchObject({ state: 'Idle' })
  expect(kafka.replicas('t')).toEqual([[1000, 1001]])
})

test('others go on while one cannot be freed, since only what is being added could lead', async () => {
  const kafka = new FakeReassignments(THREE).topic('t', [1000, 1001], [1000, 1001])
  const { run } = world(kafka)
  const one = kafka.partitions.get('t/0')
  if (one !== undefined) Object.assign(one, { replicas: THREE, isr: [1002], adding: [1002], removing: [1002] })
  expect(await run(1)).toMatchObject({ state: 'Moving' })
  expect(kafka.calls).toEqual(['t-1 -> 1000'])
  if (one !== undefined) Object.assign(one, { isr: THREE })
  expect(await run(1)).toMatchObject({ state: 'Cancelling', moves: 1 })
  expect(kafka.calls.slice(1)).toEqual(['t-0 -> cancel'])
})

test('a stop takes back what it can; what would do harm goes on to its end', async () => {
  const kafka = new FakeReassignments(THREE).topic('t', [1000], [1000])
  const { run } = world(kafka, { 'kafka.ottla.dev/reassignment': 'stop' })
  const [first = {}, second = {}] = [...kafka.partitions.values()]
  for (const one of [first, second]) Object.assign(one, { replicas: [1002, 1000], adding: [1002], removing: [1000] })
  Object.assign(first, { isr: [1002], leader: 1002 })
  const message = expect.stringContaining('1 of them goes on to its end')
  expect(await run(1)).toMatchObject({ state: 'Cancelling', moves: 2, message })
  await run(1)
  expect(kafka.calls).toEqual(['t-1 -> cancel'])
  kafka.copied()
  expect(await run(1)).toMatchObject({ state: 'Blocked' })
})
