import { expect, test } from '@jest/globals'
import { parseProperties } from '../../../broker/config/properties.ts'
import { parseServerConfig } from '../../../broker/config/server-config.ts'
import { parseTopicConfig, topicConfigProblem } from '../../../broker/config/topic-config.ts'
import type { LogConfig } from '../../../broker/storage/log-config.ts'

const server = parseServerConfig(
  parseProperties(`
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@localhost:9093
listeners=PLAINTEXT://127.0.0.1:9092,CONTROLLER://127.0.0.1:9093
controller.listener.names=CONTROLLER
log.retention.hours=1
log.roll.hours=2
log.flush.interval.messages=5
`),
).config

test('what a topic does not override comes from the broker, whatever the unit', () => {
  const config: LogConfig = parseTopicConfig({ 'segment.bytes': '2097152' }, server)
  expect(config).toMatchObject({
    segmentBytes: 2_097_152,
    retentionMs: 3_600_000,
    segmentMs: 7_200_000,
    segmentJitterMs: 0,
    flushMessages: 5,
    cleanupPolicy: ['delete'],
  })
})

test('an override that is unknown or not valid does not count', () => {
  const config = parseTopicConfig({ 'retention.ms': 'soon', 'from.the.future': '1' }, server)
  expect(config.retentionMs).toBe(3_600_000)
})

test('lists of throttled replicas, which are long, are no part of what a log runs with', () => {
  const names = ['leader.replication.throttled.replicas', 'follower.replication.throttled.replicas']
  const config = parseTopicConfig(Object.fromEntries(names.map((name) => [name, '0:1,0:2'])), server)
  expect(Object.keys(config).filter((field) => field.includes('Throttled'))).toEqual([])
})

test('lags that contradict each other are refused', () => {
  const overrides = { 'min.compaction.lag.ms': '10', 'max.compaction.lag.ms': '5' }
  expect(topicConfigProblem(overrides, server)).toBe(
    'conflict topic config setting min.compaction.lag.ms (10) > max.compaction.lag.ms (5)',
  )
})

test.each(['0:1,', ',', '0:1,,1:1', '*,'])('throttled replicas may have a comma too many: %s', (value) => {
  expect(topicConfigProblem({ 'leader.replication.throttled.replicas': value }, server)).toBeNull()
})
