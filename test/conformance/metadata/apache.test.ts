import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { formatCommand } from '../../../broker/format-command.ts'
import { nodeEnv } from '../../../broker/host/env.ts'
import { ResourceType } from '../../../broker/metadata/image.ts'
import { startApache } from '../../tools/apache.ts'
import { type JavaTools, startJavaTools } from '../../tools/java-tool.ts'
import { freePorts } from '../../tools/node.ts'
import { describeWith } from '../../tools/requires.ts'
import { MetadataNode } from './metadata-node.ts'

const CLUSTER_ID = '5Yi1kKp9T3-1e6cP3tYw6g'
const START_MS = 120_000

let tools: JavaTools
let directory: string

/** Everything that is printed for `kafka-dump-log` of the metadata log and its snapshots. */
async function dump(logDir: string): Promise<string> {
  const metadata = join(logDir, '__cluster_metadata-0')
  const files = readdirSync(metadata)
    .filter((name) => name.endsWith('.log') || name.endsWith('.checkpoint'))
    .map((name) => join(metadata, name))
  const args = ['--cluster-metadata-decoder', '--files', files.join(',')]
  return tools.output('org.apache.kafka.tools.DumpLogSegments', args)
}

function topicTool(bootstrap: string, ...args: readonly string[]): Promise<string> {
  return tools.output('org.apache.kafka.tools.TopicCommand', ['--bootstrap-server', bootstrap, ...args])
}

describeWith(['java', 'mvn'], 'the metadata log, beside Apache Kafka', () => {
  beforeAll(async () => {
    tools = await startJavaTools()
    directory = mkdtempSync(join(tmpdir(), 'metadata-'))
  }, START_MS)

  afterAll(() => {
    tools.close()
    rmSync(directory, { recursive: true, force: true })
  })

  test(
    'a log that Apache wrote replays here, goes on here, and Apache goes on with that',
    async () => {
      const home = join(directory, 'theirs')
      mkdirSync(home)
      const first = await startApache({ directory: home })
      await topicTool(
        first.bootstrap,
        '--create',
        '--topic',
        'one',
        '--partitions',
        '3',
        '--config',
        'retention.ms=7000',
      )
      await first.stop()

      const node = await MetadataNode.open(join(home, 'server.properties'))
      const { image } = node.loader
      expect(image.topic('one')?.partitions.length).toBe(3)
      expect([...image.configsOf(ResourceType.TOPIC, 'one')]).toEqual([['retention.ms', '7000']])
      expect(image.features.get('metadata.version')).toBe(30)
      expect(image.features.get('transaction.version')).toBe(2)
      expect(image.brokers.get(1)?.endpoints[0]?.port).toBe(first.port)
      await node.join()
      expect(node.loader.image.topic('one')?.partitions.map(({ leader }) => leader)).toEqual([1, 1, 1])
      expect(await node.createTopic('two', 2, { 'cleanup.policy': 'compact' })).toBe(0)
      await node.snapshot()
      expect(await node.createTopic('three', 1, {})).toBe(0)
      await node.close()

      const dumped = await dump(first.logDir)
      expect(dumped).toContain('"name":"two"')
      expect(dumped).not.toMatch(/Could not decode|isvalid: false|errors|exception/i)

      const second = await startApache({ directory: home })
      const described = await topicTool(second.bootstrap, '--describe')
      await second.stop()
      expect(described).toMatch(/Topic: one\s.*PartitionCount: 3\s.*retention.ms=7000/)
      expect(described).toMatch(/Topic: two\s.*PartitionCount: 2\s.*cleanup.policy=compact/)
      expect(described).toMatch(/Topic: three\s+Partition: 0\s+Leader: 1/)
    },
    START_MS,
  )

  test(
    'a directory formatted and filled here is opened by Apache',
    async () => {
      const home = join(directory, 'ours')
      const logDir = join(home, 'data')
      mkdirSync(home)
      const file = join(home, 'server.properties')
      const [broker = 0, controller = 0, metrics = 0] = await freePorts(3)
      // What starts Apache below keeps these ports: they are in the quorum's records.
      writeFileSync(join(home, 'ports.json'), JSON.stringify({ broker, controller, metrics }))
      writeFileSync(file, properties(broker, controller, logDir))
      expect(format(['--standalone', '-t', CLUSTER_ID, '-c', file])).toEqual({ code: 0, lines: expect.any(Number) })
      const info = await tools.call('kafka.tools.StorageTool', ['info', '-c', file])
      expect(info).toMatchObject({ code: 0, out: expect.stringContaining(`cluster.id=${CLUSTER_ID}`) })

      const node = await MetadataNode.open(file)
      await node.join()
      expect(await node.createTopic('mine', 4, { 'segment.bytes': '1048576' })).toBe(0)
      await node.close()
      expect(await dump(logDir)).not.toMatch(/Could not decode|isvalid: false|errors|exception/i)

      const apache = await startApache({ directory: home })
      const described = await topicTool(apache.bootstrap, '--describe')
      await apache.stop()
      expect(described).toMatch(/Topic: mine\s.*PartitionCount: 4\s.*segment.bytes=1048576/)
      expect(described).toMatch(/Topic: mine\s+Partition: 3\s+Leader: 1/)
    },
    START_MS,
  )
})

function properties(broker: number, controller: number, logDir: string): string {
  const listeners = `PLAINTEXT://127.0.0.1:${broker},CONTROLLER://127.0.0.1:${controller}`
  return [
    'process.roles=broker,controller',
    'node.id=1',
    `listeners=${listeners}`,
    `advertised.listeners=PLAINTEXT://127.0.0.1:${broker}`,
    'controller.listener.names=CONTROLLER',
    `controller.quorum.bootstrap.servers=127.0.0.1:${controller}`,
    'listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT',
    `log.dirs=${logDir}`,
    '',
  ].join('\n')
}

function format(args: readonly string[]): { code: number; lines: number } {
  let lines = 0
  const count = () => {
    lines++
  }
  const code = formatCommand(args, { ...nodeEnv(), out: count, error: count })
  return { code, lines }
}
