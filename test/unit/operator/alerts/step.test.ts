import { beforeEach, expect, test } from '@jest/globals'
import { Alertmanager } from '../../../../operator/alerts/alertmanager.ts'
import type { PostableAlert } from '../../../../operator/alerts/firing.ts'
import { AlertStep } from '../../../../operator/alerts/step.ts'
import { conditionOf, conditionsOf } from '../../../../operator/api/conditions.ts'
import type { ExtraCondition } from '../../../../operator/api/conditions.ts'
import type { KafkaCluster } from '../../../../operator/api/resource.ts'
import type { ClusterView, StepResult } from '../../../../operator/cluster/step.ts'
import type { KafkaState, PartitionState, Unreachable } from '../../../../operator/kafka/state.ts'
import { kafkaCluster, kafkaState, operatorWorld } from '../../../fakes/operator.ts'

const URL = 'http://alertmanager:9093/'
const READY = { state: 'ready', reason: 'Ready', message: 'well' } as const
const FULL: PartitionState = {
  topic: 't',
  topicId: 'id',
  partition: 0,
  leader: 0,
  replicas: [0, 1],
  isr: [0, 1],
  adding: [],
  removing: [],
  minIsr: 1,
}
const BEHIND: PartitionState = { ...FULL, isr: [0] }

let world: ReturnType<typeof operatorWorld>
let posted: { url: string; alerts: PostableAlert[] }[]
let answer: () => Promise<{ status: number }>
let cluster: KafkaCluster
let surveyed: ExtraCondition[]

beforeEach(() => {
  world = operatorWorld()
  posted = []
  answer = () => Promise.resolve({ status: 200 })
  surveyed = []
  cluster = kafkaCluster({ alerts: { underReplicatedFor: '1m', alertmanager: { url: URL } } })
})

function newStep(): AlertStep {
  const post = (url: string, body: string) => {
    posted.push({ url, alerts: JSON.parse(body) as PostableAlert[] })
    return answer()
  }
  return new AlertStep({
    ...world,
    monitoring: { apply: () => Promise.resolve(null), forget: () => {} },
    alertmanager: new Alertmanager({ post, clock: world.clock }),
    surveys: { conditionsOf: () => surveyed },
  })
}

/** Runs `step` as the reconciler does, and writes what it says into the status. */
async function run(step: AlertStep, kafka: KafkaState | Unreachable): Promise<StepResult> {
  const nowMs = world.clock.wallMs()
  const view = { cluster, asked: cluster, kafka, nowMs } as ClusterView
  const result = await step.run(view)
  const conditions = conditionsOf(READY, 1, cluster.status?.conditions, nowMs, result.conditions ?? [])
  cluster.status = { ...cluster.status, ...result.status, observedGeneration: 1, conditions }
  return result
}

/** `alertname firing` or `alertname over` of the last request. */
function lastTold(): string[] {
  return (posted.at(-1)?.alerts ?? [])
    .filter(({ labels }) => labels.alertname === 'KafkaUnderReplicatedPartitions')
    .map(({ labels, endsAt }) => `${labels.alertname} ${Date.parse(endsAt) > world.clock.wallMs() ? 'firing' : 'over'}`)
}

test('an alert is pending, then fires, then is over, through operators that come and go', async () => {
  await run(newStep(), kafkaState({ partitions: [FULL] }))
  world.clock.advance(20 * 60_000)
  expect((await run(newStep(), kafkaState({ partitions: [BEHIND] }))).requeueAfterMs).toBe(30_000)
  expect(posted).toHaveLength(1)
  world.clock.advance(60_000)
  await run(newStep(), kafkaState({ partitions: [BEHIND] }))
  expect(posted.at(-1)?.url).toBe('http://alertmanager:9093/api/v2/alerts')
  expect(lastTold()).toEqual(['KafkaUnderReplicatedPartitions firing'])
  world.clock.advance(60_000)
  await run(newStep(), kafkaState({ partitions: [FULL] }))
  expect(lastTold()).toEqual(['KafkaUnderReplicatedPartitions over'])
})

test('brokers that do not answer do not stop the clock of an alert', async () => {
  await run(newStep(), kafkaState({ partitions: [BEHIND] }))
  world.clock.advance(40_000)
  await run(newStep(), { error: 'no answer' })
  world.clock.advance(40_000)
  await run(newStep(), kafkaState({ partitions: [BEHIND] }))
  expect(lastTold()).toEqual(['KafkaUnderReplicatedPartitions firing'])
})

test('an Alertmanager that does not answer is a condition, and holds nothing up', async () => {
  await run(newStep(), kafkaState({ partitions: [BEHIND] }))
  world.clock.advance(60_000)
  answer = () => Promise.reject(new Error('fetch failed', { cause: new Error('ECONNREFUSED') }))
  const refused = await run(newStep(), kafkaState({ partitions: [BEHIND] }))
  expect(refused.conditions?.find(({ type }) => type === 'AlertsDelivered')).toMatchObject({
    status: 'False',
    message: 'the Alertmanager of spec.alerts does not take alerts: fetch failed: ECONNREFUSED',
  })
  expect(refused.health ?? null).toBeNull()
})

test('that it does not is logged once, until it has answered again', async () => {
  const logged: unknown[] = []
  world.logger.warn = (...line: unknown[]) => void logged.push(line)
  const tell = async (status: number): Promise<number> => {
    answer = () => Promise.resolve({ status })
    await run(newStep(), kafkaState({ partitions: [BEHIND] }))
    return logged.length
  }
  await tell(200)
  world.clock.advance(60_000)
  expect([await tell(503), await tell(503), await tell(200), await tell(503)]).toEqual([1, 1, 1, 2])
})

test('one that is silent is waited for three seconds', async () => {
  const alertmanager = new Alertmanager({
    clock: world.clock,
    post: (_, __, signal) =>
      new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
  })
  expect(await world.clock.runFor(alertmanager.send(URL, []), 3100)).toBe('no answer in 3 s')
})

test('without an Alertmanager nothing is sent', async () => {
  cluster = kafkaCluster()
  const { conditions } = await run(newStep(), kafkaState({ partitions: [BEHIND] }))
  expect(posted).toEqual([])
  expect(conditions?.map(({ type }) => type)).not.toContain('AlertsDelivered')
})

test('partitions are counted in the status', async () => {
  await run(newStep(), kafkaState({ partitions: [FULL, BEHIND] }))
  expect(cluster.status?.partitions).toEqual({ total: 2, underReplicated: 1, underMinIsr: 0, offline: 0 })
})

test.each([
  ['well, with metrics', {}, FULL, undefined],
  ['not well', {}, BEHIND, 30_000],
  [
    'well, and the operator raises alarms',
    { alerts: { underReplicatedFor: '1m', alertmanager: { url: URL } } },
    FULL,
    30_000,
  ],
  ['well, without metrics', { distribution: 'apache' }, FULL, 30_000],
] as const)('a cluster that is %s is looked at again as often as it needs', async (_, spec, partition, expected) => {
  cluster = kafkaCluster(spec)
  const { requeueAfterMs } = await run(newStep(), kafkaState({ partitions: [partition] }))
  expect(requeueAfterMs).toBe(expected)
})

test('what surveys tell is told, and stays as it was while they cannot', async () => {
  const full = { type: 'DisksHaveRoom', status: 'False', reason: 'NearlyFull', message: '/data of broker 1' } as const
  surveyed = [full]
  await run(newStep(), kafkaState({ partitions: [FULL] }))
  surveyed = []
  world.clock.advance(5 * 60_000)
  await run(newStep(), kafkaState({ partitions: [FULL] }))
  expect(conditionOf(cluster, 'DisksHaveRoom')).toMatchObject(full)
  const told = posted.at(-1)?.alerts.find(({ labels }) => labels.alertname === 'KafkaDiskFull')
  expect(told).toMatchObject({ labels: { severity: 'critical' }, annotations: { description: '/data of broker 1' } })
  surveyed = [{ ...full, status: 'True', reason: 'AllWell' }]
  await run(newStep(), kafkaState({ partitions: [FULL] }))
  expect(conditionOf(cluster, 'DisksHaveRoom')?.status).toBe('True')
})
