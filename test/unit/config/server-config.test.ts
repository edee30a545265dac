import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from '@jest/globals'
import { ConfigError } from '../../../broker/config/config-error.ts'
import { parseProperties } from '../../../broker/config/properties.ts'
import { parseServerConfig, withDynamicConfigs } from '../../../broker/config/server-config.ts'

const BASE = `
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@localhost:9093
listeners=PLAINTEXT://127.0.0.1:9092,CONTROLLER://127.0.0.1:9093
controller.listener.names=CONTROLLER
`

function parse(text: string) {
  return parseServerConfig(parseProperties(BASE + text))
}

function problems(text: string): readonly string[] {
  try {
    parseServerConfig(parseProperties(text))
    return []
  } catch (error) {
    if (error instanceof ConfigError) return error.problems.map(({ message }) => message)
    throw error
  }
}

/** Each line: a server.properties (its newlines written \n), and what Apache Kafka 4.3.1 says to it. */
const CASES = readFileSync(join(import.meta.dirname, 'fixtures', 'static.tsv'), 'utf8')
  .trimEnd()
  .split('\n')
  .map((row) => row.split('\t'))
  .map(([text = '', verdict = '']) => ({ text: text.replaceAll(String.raw`\n`, '\n'), verdict }))

/** Where Apache's own words are those of a Java string index. */
const OWN_WORDS = /begin 0, end -1/

test.each(CASES)('Apache Kafka 4.3.1 says the same of\n$text', ({ text, verdict }) => {
  const found = problems(text)
  if (verdict === 'OK') expect(found).toEqual([])
  else if (OWN_WORDS.test(verdict)) expect(found.join()).toContain(verdict.slice(0, verdict.indexOf(': begin')))
  else expect(found).toContain(verdict)
})

describe('a server.properties', () => {
  test('gives every key its type', () => {
    const { config } = parse(
      'log.segment.bytes=2097152\nauto.create.topics.enable=false\nlog.cleanup.policy=compact, delete',
    )
    expect(config.logSegmentBytes).toBe(2_097_152)
    expect(config.autoCreateTopicsEnable).toBe(false)
    expect(config.logCleanupPolicy).toEqual(['compact', 'delete'])
    expect(config.brokerRack).toBeNull()
  })

  test('gives its listeners with their protocols, advertised without the controllers', () => {
    const { config } = parse('advertised.listeners=PLAINTEXT://kafka.example:19092,CONTROLLER://kafka.example:9093')
    expect(config.listeners).toEqual([
      { name: 'PLAINTEXT', host: '127.0.0.1', port: 9092, protocol: 'PLAINTEXT' },
      { name: 'CONTROLLER', host: '127.0.0.1', port: 9093, protocol: 'PLAINTEXT' },
    ])
    expect(config.advertisedListeners).toEqual([
      { name: 'PLAINTEXT', host: 'kafka.example', port: 19_092, protocol: 'PLAINTEXT' },
    ])
    expect(config.advertisedControllerListeners).toEqual([
      { name: 'CONTROLLER', host: 'kafka.example', port: 9093, protocol: 'PLAINTEXT' },
    ])
    expect(config.controllerQuorumVoters).toEqual([{ id: 1, host: 'localhost', port: 9093 }])
  })

  test.each([
    ['with static voters, by its entry among them', 'controller.quorum.voters=1@kafka-1:19093', 'kafka-1', 19_093],
    ['by the address it has', 'listeners=PLAINTEXT://:9092,CONTROLLER://10.0.0.7:9093', '10.0.0.7', 9093],
    [
      "bound to every interface, by the machine's name",
      'listeners=PLAINTEXT://:9092,CONTROLLER://0.0.0.0:9093',
      '',
      9093,
    ],
    ['also of IPv6', 'listeners=PLAINTEXT://:9092,CONTROLLER://[::]:9093', '', 9093],
  ])('a controller listener that is not advertised is reached %s', (_how, text, host, port) => {
    const quorum = text.includes('voters') ? '' : 'controller.quorum.voters=\ncontroller.quorum.bootstrap.servers=a:1\n'
    const name = 'CONTROLLER'
    expect(parse(quorum + text).config.advertisedControllerListeners).toEqual([
      { name, host, port, protocol: 'PLAINTEXT' },
    ])
  })

  test.each([
    ['', 604_800_000],
    ['log.retention.hours=2', 7_200_000],
    ['log.retention.hours=2\nlog.retention.minutes=3', 180_000],
    ['log.retention.minutes=3\nlog.retention.ms=7', 7],
    ['log.retention.hours=-1', -1],
  ])('takes the finest unit of retention: %j', (text, expected) => {
    expect(parse(text).config.logRetentionMs).toBe(expected)
  })

  test('reports all bad values at once', () => {
    expect(problems(`${BASE}num.partitions=0\nmessage.max.bytes=big\nlog.cleanup.policy=burn`).length).toBe(3)
  })

  test('warns about an unknown key and goes on', () => {
    expect(parse('no.such.key=1\nlistener.name.plaintext.max.connections=3').warnings).toEqual([
      'Unknown configuration key no.such.key is ignored.',
    ])
  })

  test('warns about a key that somebody has set and that changes nothing', () => {
    expect(parse('compression.lz4.level=12').warnings).toEqual([
      'compression.lz4.level=12 has no effect: the LZ4 codec has one level.',
    ])
  })

  test.each([
    ['max.connection.creation.rate=5', ['max.connection.creation.rate=5 has no effect in this version.']],
    ['listener.name.plaintext.max.connection.creation.rate=5', [expect.stringContaining('has no effect')]],
    ['socket.send.buffer.bytes= 102400', []],
    ['max.connections.per.ip.overrides=10.0.0.1:3', []],
    ['max.connections.per.ip.overrides=client.example:3', [expect.stringContaining('names are not looked up')]],
  ])('warns of what changes nothing, unless it is the default: %s', (text, warnings) => {
    expect(parse(text).warnings).toEqual(warnings)
  })

  test.each([
    ['log.roll.ms=0', 'log.roll.ms must be greater than or equal to 1'],
    ['log.roll.ms=-1', 'log.roll.ms must be greater than or equal to 1'],
    ['log.roll.jitter.ms=-1', 'log.roll.jitter.ms must be greater than or equal to 0'],
    ['log.cleaner.dedupe.buffer.size=1048576', 'must be at least 1MB per cleaner thread.'],
    ['max.connections.per.ip.overrides=a b:3,[::1]:4', 'contains invalid addresses : a b,[::1]'],
    ['connections.max.idle.ms=100', 'connection.failed.authentication.delay.ms=100 should always be less than'],
    ['controller.listener.names=CONTROLLER,OTHER', 'must only contain values appearing'],
    ['advertised.listeners=PLAINTEXT://a:1,CONTROLLER://0.0.0.0:1', 'nonroutable meta-address 0.0.0.0'],
    ['controller.quorum.voters=1@0.0.0.0:9093', 'Host string (0.0.0.0) is not routeable'],
    ['controller.quorum.voters=1@a:9093,2@0.0.0.0:9093', 'Host string (0.0.0.0) is not routeable'],
  ])('refuses what Apache Kafka refuses: %s', (text, part) => {
    expect(problems(BASE + text)).toEqual([expect.stringContaining(part)])
  })

  test('lets idle connections be for ever', () => {
    expect(parse('connections.max.idle.ms=-1').config.connectionsMaxIdleMs).toBe(-1)
  })

  test('does not show a password in an error', () => {
    const found = problems(
      `${BASE}sasl.jaas.config=hunter2\nlistener.name.plaintext.ssl.key.password=hunter2\nnum.partitions=0`,
    )
    expect(found.join()).not.toContain('hunter2')
  })

  test.each([
    [
      'listener.security.protocol.map=PLAINTEXT:SASL_SSL,CONTROLLER:PLAINTEXT\ninter.broker.listener.name=PLAINTEXT',
      'PLAINTEXT:SASL_SSL',
    ],
    ['authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer', 'authorizer.class.name'],
    ['remote.log.storage.system.enable=true', 'remote.log.storage.system.enable'],
  ])('is refused rather than half obeyed: %s', (text, part) => {
    const found = problems(BASE + text)
    expect(found.join()).toContain(part)
    expect(found.join()).toContain('not available in this version')
  })

  test('lets the command line win', () => {
    const { config } = parseServerConfig(parseProperties(`${BASE}num.partitions=3`), new Map([['num.partitions', '5']]))
    expect(config.numPartitions).toBe(5)
  })

  test.each([
    ['metrics.listen=', null],
    ['metrics.listen=0.0.0.0:9500', { host: '0.0.0.0', port: 9500 }],
    ['', { host: '127.0.0.1', port: 9404 }],
  ])('says where the metrics are: %j', (text, expected) => {
    expect(parse(text).config.metricsListen).toEqual(expected)
  })
})

test('a dynamic value wins over the static one, that of this broker over that of all, and goes again', () => {
  const { config } = parse('background.threads=11')
  const empty = new Map<string, string>()
  const all = new Map([['background.threads', '12']])
  const own = new Map([['background.threads', '13']])
  expect(withDynamicConfigs(config, { perBroker: empty, clusterWide: all }).backgroundThreads).toBe(12)
  const both = withDynamicConfigs(config, { perBroker: own, clusterWide: all })
  expect(both.backgroundThreads).toBe(13)
  expect(withDynamicConfigs(both, { perBroker: empty, clusterWide: empty }).backgroundThreads).toBe(11)
})
