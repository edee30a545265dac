import { describe, expect, test } from '@jest/globals'
import { durationMs } from '../../../../operator/alerts/duration.ts'
import { alertsOf } from '../../../../operator/alerts/firing.ts'
import type { Condition } from '../../../../operator/api/conditions.ts'
import { timestamp } from '../../../../operator/api/conditions.ts'
import { kafkaCluster } from '../../../fakes/operator.ts'

const SINCE_MS = Date.parse('2026-01-01T00:00:00Z')
const MINUTE_MS = 60_000
const cluster = kafkaCluster({ alerts: { underReplicatedFor: '2m' } })

function condition(status: Condition['status'], type = 'PartitionsInSync'): Condition {
  return { type, status, reason: 'Why', message: 'words', lastTransitionTime: timestamp(SINCE_MS) }
}

function after(ms: number, ...conditions: readonly Condition[]) {
  return alertsOf(cluster, conditions, SINCE_MS + ms)
}

test('an alert waits for its time, and is looked at when that is over', () => {
  expect(after(90_000, condition('False'))).toEqual({ alerts: [], againMs: 30_000 })
})

test('an alert fires after its time, and is said again each minute', () => {
  const { alerts, againMs } = after(2 * MINUTE_MS, condition('False'))
  expect(againMs).toBe(MINUTE_MS)
  expect(alerts).toEqual([
    {
      labels: {
        alertname: 'KafkaUnderReplicatedPartitions',
        severity: 'warning',
        namespace: 'kafka',
        kafka_cluster: 'orders',
      },
      annotations: {
        summary: 'Partitions lack replicas in sync',
        description: 'words',
        runbook_url: expect.stringMatching(/docs\/runbooks\/KafkaUnderReplicatedPartitions\.md$/),
      },
      startsAt: '2026-01-01T00:02:00Z',
      endsAt: '2026-01-01T00:07:00Z',
    },
  ])
})

test('what is over is said to be over since then, for a while', () => {
  const { alerts, againMs } = after(5 * MINUTE_MS, condition('True'))
  expect(alerts).toMatchObject([{ endsAt: '2026-01-01T00:00:00Z' }])
  expect(againMs).toBeNull()
  expect(after(16 * MINUTE_MS, condition('True')).alerts).toEqual([])
})

test('what is not known is neither firing nor over', () => {
  expect(after(5 * MINUTE_MS, condition('Unknown'))).toEqual({ alerts: [], againMs: null })
})

test('who comes next says the same with the same labels', () => {
  const before = after(3 * MINUTE_MS, condition('False')).alerts[0]
  const next = after(4 * MINUTE_MS, { ...condition('False'), message: 'other words' }).alerts[0]
  expect(next?.labels).toEqual(before?.labels)
  expect(next?.startsAt).toEqual(before?.startsAt)
})

test('the soonest of several is what is waited for', () => {
  const { againMs } = after(30_000, condition('False'), condition('False', 'PartitionsOnline'))
  expect(againMs).toBe(30_000)
})

test.each([
  ['RolloutUnblocked', 'False', 'KafkaRolloutBlocked'],
  ['Stalled', 'True', 'KafkaClusterStalled'],
  ['Ready', 'Unknown', 'KafkaClusterUnreachable'],
] as const)('%s=%s is %s', (type, status, alertname) => {
  expect(after(14 * MINUTE_MS + MINUTE_MS, condition(status, type)).alerts).toMatchObject([{ labels: { alertname } }])
})

test('a cluster that is ready raises nothing', () => {
  const late = 60 * MINUTE_MS
  expect(after(late, condition('True', 'Ready'), condition('True')).alerts).toEqual([])
})

describe('durations', () => {
  test.each([
    ['90s', 90_000],
    ['5m', 300_000],
    ['1h30m', 5_400_000],
    ['1d', 86_400_000],
  ])('%s is %i ms', (text, ms) => {
    expect(durationMs(text)).toBe(ms)
  })

  test.each(['', '5', 'm', '5m1h', '-5m'])('%j is none', (text) => {
    expect(() => durationMs(text)).toThrow('is not a duration')
  })
})
