import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { type JavaTools, startJavaTools } from '../../tools/java-tool.ts'
import type { RunningNode } from '../../tools/node.ts'
import { describeWith } from '../../tools/requires.ts'
import { startTarget } from '../../tools/target.ts'
import { codecOf } from './external.ts'
import { expectAll, keyValueLines, textRecords } from './text-records.ts'
import { FIRST, planOf, RECORDS } from './workload.ts'

const CONSUMER_GROUPS = 'consumer.group.ConsumerGroupCommand'
const runs = planOf('console', '').runs
const [{ topic: firstTopic } = { topic: '' }] = runs

describeWith(['java', 'mvn'], 'the Java console tools', () => {
  let node: RunningNode
  let java: JavaTools

  const tool = (name: string, ...args: readonly string[]): Promise<string> =>
    java.output(`org.apache.kafka.tools.${name}`, ['--bootstrap-server', node.bootstrap, ...args])

  const consume = (topic: string, ...args: readonly string[]): Promise<string> => {
    const printed = ['key', 'headers', 'partition'].flatMap((what) => ['--formatter-property', `print.${what}=true`])
    return tool('consumer.ConsoleConsumer', '--topic', topic, ...printed, '--timeout-ms', '20000', ...args)
  }

  const configs = (...args: readonly string[]): Promise<string> =>
    java.output('kafka.admin.ConfigCommand', ['--bootstrap-server', node.bootstrap, ...args])

  const offsetsAt = async (time: string): Promise<string[]> =>
    (await tool('GetOffsetShell', '--topic', firstTopic, '--time', time)).trim().split('\n').sort()

  beforeAll(async () => {
    java = await startJavaTools()
    node = await startTarget()
    for (const { topic } of runs) await tool('TopicCommand', '--create', '--topic', topic, '--partitions', '3')
  }, 900_000)

  afterAll(async () => {
    java?.close()
    await node?.stop()
  })

  test.each(runs)(
    'write and read with $codec and acks=$acks',
    async ({ topic, codec, acks }) => {
      const reader = ['parse.key=true', 'parse.headers=true'].flatMap((one) => ['--reader-property', one])
      const args = ['--bootstrap-server', node.bootstrap, '--topic', topic, '--compression-codec', codec, ...reader]
      const input = keyValueLines((index) => `h:${index}\t`)
      const properties = [
        '--request-required-acks',
        acks,
        '--timeout',
        '5',
        '--command-property',
        `enable.idempotence=${acks === 'all'}`,
      ]
      await java.output('org.apache.kafka.tools.ConsoleProducer', [...args, ...properties], input)
      const read = await consume(topic, '--from-beginning', '--max-messages', String(RECORDS))
      expectAll(textRecords(read), (index) => `h:${index}`)
      expect(codecOf(node.logDir, topic)).toBe(codec)
    },
    60_000,
  )

  test('topics are created, described, altered, listed and deleted', async () => {
    await tool('TopicCommand', '--create', '--topic', 'tools', '--partitions', '2', '--config', 'retention.ms=3600000')
    const described = await tool('TopicCommand', '--describe', '--topic', 'tools')
    expect(described).toContain('PartitionCount: 2\tReplicationFactor: 1\tConfigs:')
    expect(described).toContain('retention.ms=3600000')
    expect(described).toMatch(/Partition: 1\tLeader: 1\tReplicas: 1\tIsr: 1/)
    await tool('TopicCommand', '--alter', '--topic', 'tools', '--partitions', '5')
    expect(await tool('TopicCommand', '--describe', '--topic', 'tools')).toContain('PartitionCount: 5')
    expect((await tool('TopicCommand', '--list')).split('\n')).toContain('tools')
    await tool('TopicCommand', '--delete', '--topic', 'tools')
    expect((await tool('TopicCommand', '--list')).split('\n')).not.toContain('tools')
  }, 30_000)

  test('a topic that is there, one with a bad name and one with a bad config are refused with the reason', async () => {
    const create = ['--bootstrap-server', node.bootstrap, '--create', '--topic']
    const twice = await java.call('org.apache.kafka.tools.TopicCommand', [...create, firstTopic])
    const badName = await java.call('org.apache.kafka.tools.TopicCommand', [...create, 'a b'])
    const config = ['x', '--config', 'retention.ms=soon']
    const badConfig = await java.call('org.apache.kafka.tools.TopicCommand', [...create, ...config])
    expect([twice.code, badName.code, badConfig.code]).toEqual([1, 1, 1])
    expect(twice.out + twice.err).toContain(`Topic '${firstTopic}' already exists.`)
    expect(badName.out + badName.err).toContain(`Topic name is invalid: 'a b' contains`)
    expect(badConfig.out + badConfig.err).toContain('retention.ms')
  }, 30_000)

  test('configs of topics and brokers are set, described and removed', async () => {
    const topic = ['--entity-type', 'topics', '--entity-name', firstTopic]
    await configs('--alter', ...topic, '--add-config', 'max.message.bytes=2000000')
    expect(await configs('--describe', ...topic)).toContain('max.message.bytes=2000000 sensitive=false')
    await configs('--alter', ...topic, '--delete-config', 'max.message.bytes')
    expect(await configs('--describe', ...topic)).not.toContain('max.message.bytes')
    const broker = ['--entity-type', 'brokers', '--entity-default']
    await configs('--alter', ...broker, '--add-config', 'log.cleaner.threads=2')
    expect(await configs('--describe', ...broker)).toContain('log.cleaner.threads=2')
    const all = await configs('--describe', '--all', '--entity-type', 'brokers', '--entity-name', '1')
    expect(all).toContain('node.id=1 sensitive=false synonyms={STATIC_BROKER_CONFIG:node.id=1}')
    expect(all).toContain('DYNAMIC_DEFAULT_BROKER_CONFIG:log.cleaner.threads=2')
  }, 30_000)

  test('offsets are told: latest, earliest and by time', async () => {
    const latest = (await offsetsAt('-1')).map((line) => Number(line.split(':')[2]))
    expect(latest.reduce((sum, offset) => sum + offset, 0)).toBe(RECORDS)
    expect(await offsetsAt('-2')).toEqual([0, 1, 2].map((partition) => `${firstTopic}:${partition}:0`))
    expect(await offsetsAt('1')).toEqual([0, 1, 2].map((partition) => `${firstTopic}:${partition}:0`))
    const newest = await offsetsAt('max-timestamp')
    expect(newest.map((line) => Number(line.split(':')[2]) < RECORDS)).toEqual([true, true, true])
  }, 30_000)

  test('records are deleted up to an offset', async () => {
    const file = join(node.directory, 'delete.json')
    const partitions = [{ topic: 'console-gzip-all', partition: 1, offset: 100 }]
    writeFileSync(file, JSON.stringify({ partitions, version: 1 }))
    const told = await tool('DeleteRecordsCommand', '--offset-json-file', file)
    expect(told).toContain('partition: console-gzip-all-1\tlow_watermark: 100')
    const earliest = await tool('GetOffsetShell', '--topic', 'console-gzip-all', '--time', '-2')
    expect(earliest.split('\n')).toContain('console-gzip-all:1:100')
  }, 30_000)

  test('groups are listed, described, reset and deleted; a member goes on where the last one was', async () => {
    const group = ['--group', 'console-group']
    const first = await consume(firstTopic, ...group, '--from-beginning', '--max-messages', String(FIRST))
    const second = await consume(firstTopic, ...group, '--max-messages', String(RECORDS - FIRST))
    expectAll(textRecords(first + second), (index) => `h:${index}`)
    expect((await tool(CONSUMER_GROUPS, '--list')).split('\n')).toContain('console-group')
    const described = await tool(CONSUMER_GROUPS, '--describe', ...group)
    const lags = [...described.matchAll(/console-group +\S+ +\d+ +(\d+) +(\d+) +0 /g)]
    expect(lags.map(([, current, end]) => current === end)).toEqual([true, true, true])
    expect(await tool(CONSUMER_GROUPS, '--describe', '--state', ...group)).toMatch(/console-group .*Empty +0/)
    const reset = ['--reset-offsets', '--to-offset', '10', '--topic', `${firstTopic}:0`, '--execute']
    expect(await tool(CONSUMER_GROUPS, ...group, ...reset)).toMatch(/console-group +console-none-all +0 +10/)
    expect(await tool(CONSUMER_GROUPS, '--delete-offsets', '--topic', `${firstTopic}:1`, ...group)).toContain(
      'Successful',
    )
    expect(await tool(CONSUMER_GROUPS, '--delete', ...group)).toContain('was successful')
    expect((await tool(CONSUMER_GROUPS, '--list')).split('\n')).not.toContain('console-group')
  }, 60_000)

  test('log directories, producers, features, the cluster id and the API versions are told', async () => {
    const dirs = await tool('LogDirsCommand', '--describe', '--topic-list', firstTopic)
    expect(dirs).toContain(`"partition":"${firstTopic}-0"`)
    const producers = await tool('TransactionsCommand', 'describe-producers', '--topic', firstTopic, '--partition', '0')
    expect(producers).toMatch(/\n\d+\s+\d+\s+-1\s+\d+\s+\d+\s+None/)
    expect(await tool('FeatureCommand', 'describe')).toMatch(/Feature: metadata\.version\s.*FinalizedVersionLevel: \S+/)
    expect(
      await java.output('org.apache.kafka.tools.ClusterTool', ['cluster-id', '--bootstrap-server', node.bootstrap]),
    ).toMatch(/Cluster ID: \S{22}/)
    expect(await tool('BrokerApiVersionsCommand')).toMatch(/ApiVersions\(18\): 0 to \d \[usable: \d\]/)
  }, 30_000)

  test('the broker is still running', () => expect(node.running()).toBe(true))
})
