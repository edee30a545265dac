import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from '@jest/globals'
import {
  ConfigSource,
  describeBroker,
  describeClientMetrics,
  describeClusterDefault,
  describeGroup,
  describeTopic,
} from '../../../broker/config/describe.ts'
import type { ConfigSynonym, DescribedConfig } from '../../../broker/config/describe.ts'
import { parseProperties } from '../../../broker/config/properties.ts'
import { parseServerConfig, withDynamicConfigs } from '../../../broker/config/server-config.ts'

/** The configuration of the Apache Kafka 4.3.1 node whose answers the fixtures hold. */
const STATIC = `
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:19493
listeners=PLAINTEXT://127.0.0.1:19492,CONTROLLER://127.0.0.1:19493
controller.listener.names=CONTROLLER
log.dirs=/data
offsets.topic.replication.factor=1
log.retention.minutes=600
foo.custom=bar
log.roll.ms=1000000
log.roll.hours=3
background.threads=11
ssl.key.password=hunter2
`
const CLUSTER_WIDE = {
  'background.threads': '12',
  'log.cleanup.policy': 'compact',
  'log.retention.ms': '5000000',
  'min.insync.replicas': '1',
}
const PER_BROKER = {
  'background.threads': '14',
  'foo.bar': '1',
  'listener.name.plaintext.max.connections': '6',
  'listener.name.controller.sasl.jaas.config': 'x',
  'max.connections': '600',
}

const server = withDynamicConfigs(parseServerConfig(parseProperties(STATIC)).config, {
  perBroker: new Map(Object.entries(PER_BROKER)),
  clusterWide: new Map(Object.entries(CLUSTER_WIDE)),
})

const TYPES = ['UNKNOWN', 'BOOLEAN', 'STRING', 'INT', 'SHORT', 'LONG', 'DOUBLE', 'LIST', 'CLASS', 'PASSWORD']
const SOURCES = new Map<number, string>([
  [ConfigSource.DYNAMIC_TOPIC, 'DYNAMIC_TOPIC_CONFIG'],
  [ConfigSource.DYNAMIC_BROKER, 'DYNAMIC_BROKER_CONFIG'],
  [ConfigSource.DYNAMIC_DEFAULT_BROKER, 'DYNAMIC_DEFAULT_BROKER_CONFIG'],
  [ConfigSource.STATIC_BROKER, 'STATIC_BROKER_CONFIG'],
  [ConfigSource.DEFAULT, 'DEFAULT_CONFIG'],
  [ConfigSource.CLIENT_METRICS, 'DYNAMIC_CLIENT_METRICS_CONFIG'],
  [ConfigSource.GROUP, 'DYNAMIC_GROUP_CONFIG'],
])

function line(entry: DescribedConfig): string {
  const synonyms = entry.synonyms.map((synonym: ConfigSynonym) => {
    return `${synonym.name}=${synonym.value}@${SOURCES.get(synonym.source)}`
  })
  const { name, type, value, source } = entry
  const flags = [entry.readOnly ? 'ro' : 'rw', entry.isSensitive ? 'sens' : '']
  return [name, TYPES[type], String(value), SOURCES.get(source), ...flags, synonyms.join('|')].join('\t')
}

function apacheSays(resource: string): string[] {
  const path = join(import.meta.dirname, 'fixtures', `describe-${resource}.tsv`)
  return readFileSync(path, 'utf8').replace(/\n$/, '').split('\n')
}

/**
 * Where Apache contradicts itself, and we do not: its `max.connections` shows the old value beside the dynamic one, and
 * `log.retention.minutes` null beside its static one.
 */
const APACHE_SLIPS = new Set(['max.connections', 'log.retention.minutes'])
const OURS = new Set(['metrics.listen'])

const nameOf = (text: string) => text.split('\t')[0] ?? ''

function comparable(lines: readonly string[]): string[] {
  return lines.filter((text) => !APACHE_SLIPS.has(nameOf(text)) && !OURS.has(nameOf(text))).sort()
}

describe('DescribeConfigs says what Apache Kafka 4.3.1 says', () => {
  test('of a broker', () => {
    expect(comparable(describeBroker(server).map(line))).toEqual(comparable(apacheSays('broker')))
  })

  test('of the dynamic defaults of all brokers', () => {
    expect(describeClusterDefault(server).map(line).sort()).toEqual(apacheSays('cluster-default'))
  })

  test('of a topic without overrides', () => {
    expect(describeTopic({}, server).map(line).sort()).toEqual(apacheSays('topic'))
  })

  test('of a topic with overrides', () => {
    const overrides = { 'retention.ms': '1234567', 'cleanup.policy': 'compact,delete' }
    expect(describeTopic(overrides, server).map(line).sort()).toEqual(apacheSays('topic-with-overrides'))
  })

  test('of a group', () => {
    const overrides = { 'consumer.session.timeout.ms': '50000' }
    expect(describeGroup(overrides, server).map(line).sort()).toEqual(apacheSays('group'))
  })

  test('of a client metrics subscription', () => {
    expect(describeClientMetrics({ 'interval.ms': '1000' }).map(line).sort()).toEqual(apacheSays('client-metrics'))
  })
})

test('a limit on the copying of replicas is shown as Apache Kafka 4.3.1 shows it, though it is no key of server.properties', () => {
  const name = 'leader.replication.throttled.rate'
  const limited = withDynamicConfigs(server, { perBroker: new Map(), clusterWide: new Map([[name, '5000']]) })
  const shown = { name, value: '5000', source: 3, readOnly: false, isSensitive: false, type: 5 }
  const synonyms = [{ name, value: '5000', source: 3 }]
  expect(describeClusterDefault(limited)).toMatchObject([{ ...shown, synonyms }])
  expect(describeBroker(limited).find((entry) => entry.name === name)).toMatchObject({ ...shown, synonyms })
  expect(describeBroker(server).some((entry) => entry.name === name)).toBe(false)
})

test('no password is shown, neither as a value nor as a synonym', () => {
  const shown = JSON.stringify(describeBroker(server))
  expect(shown).not.toContain('hunter2')
  expect(shown).not.toContain('"bar"')
})
