/** The files are Kafka's: a data directory moves between this broker and Apache Kafka 4.3.1, and Apache's tools read it. */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { startApache } from '../tools/apache.ts'
import { type JavaTools, startJavaTools } from '../tools/java-tool.ts'
import type { NodeOptions, RunningNode } from '../tools/node.ts'
import { describeWith } from '../tools/requires.ts'
import { startTarget, TARGET } from '../tools/target.ts'
import { KafkajsWork } from './clients/kafkajs-client.ts'
import { expectedPartitions, planOf, RECORDS } from './clients/workload.ts'

type Start = (options: NodeOptions) => Promise<RunningNode>

const GROUP = 'moving-group'
const START_MS_MAX = 900_000
const MOVES: readonly { from: string; to: string; writer: Start; reader: Start }[] = [
  { from: TARGET, to: 'apache', writer: startTarget, reader: startApache },
  { from: 'apache', to: TARGET, writer: startApache, reader: startTarget },
]

describeWith(['java', 'mvn'], 'a data directory', () => {
  test.each(MOVES)(
    'written by $from is read to the last record by $to, and groups go on',
    async ({ writer, reader }) => {
      const directory = mkdtempSync(join(tmpdir(), 'moving-'))
      try {
        const first = await writer({ directory })
        const plan = planOf('moving', first.bootstrap, ['all'])
        const before = new KafkajsWork(plan)
        await before.write()
        const read = await before.readInGroup(GROUP, RECORDS / 3)
        await first.stop()

        const second = await reader({ directory })
        const after = new KafkajsWork({ ...plan, bootstrap: second.bootstrap })
        const runs = await after.readRuns()
        const rest = await after.readInGroup(GROUP, RECORDS - read)
        await second.stop()
        expect(runs).toEqual(Object.fromEntries(plan.runs.map(({ topic }) => [topic, expectedPartitions()])))
        expect(read + rest).toBe(RECORDS)
      } finally {
        rmSync(directory, { recursive: true, force: true })
      }
    },
    START_MS_MAX,
  )
})

describeWith(['java', 'mvn'], 'DumpLogSegments', () => {
  const directory = mkdtempSync(join(tmpdir(), 'dump-'))
  let java: JavaTools
  let logDir: string
  let topics: readonly string[]

  /** Output of DumpLogSegments over the files of a partition that end with `suffix`. */
  const dump = (partition: string, suffix: string, ...args: readonly string[]): Promise<string> => {
    const files = readdirSync(join(logDir, partition)).filter((name) => name.endsWith(suffix))
    const paths = files.map((name) => join(logDir, partition, name)).join(',')
    return java.output('org.apache.kafka.tools.DumpLogSegments', ['--files', paths, ...args])
  }

  beforeAll(async () => {
    java = await startJavaTools()
    // Small segments and a dense index, so that there is much to check.
    const overrides = { 'log.segment.bytes': String(1024 * 1024), 'log.index.interval.bytes': '512' }
    const node = await startTarget({ directory, overrides })
    logDir = node.logDir
    const plan = planOf('dump', node.bootstrap, ['all'])
    topics = plan.runs.map(({ topic }) => topic)
    const work = new KafkajsWork(plan)
    await work.write()
    await work.readInGroup('dump-group', 100)
    await node.stop()
  }, START_MS_MAX)

  afterAll(() => {
    java?.close()
    rmSync(directory, { recursive: true, force: true })
  })

  test('reads every batch of every codec', async () => {
    for (const topic of topics) {
      const told = await dump(`${topic}-0`, '.log', '--deep-iteration')
      expect(told).not.toContain('isvalid: false')
      const offsets = [...told.matchAll(/^\| offset: (\d+) /gm)].map(([, offset]) => Number(offset))
      expect(offsets).toEqual(Array.from({ length: Math.ceil(RECORDS / 3) }, (_, offset) => offset))
    }
  }, 60_000)

  test('finds the indexes sane', async () => {
    for (const topic of topics) {
      const offsetIndex = await dump(`${topic}-0`, '.index', '--index-sanity-check')
      const timeIndex = await dump(`${topic}-0`, '.timeindex', '--index-sanity-check')
      expect(offsetIndex).toContain('passed sanity check')
      expect(timeIndex).toContain('passed sanity check')
      const mismatches = await dump(`${topic}-0`, '.index')
      expect(mismatches).not.toMatch(/mismatch|not found|Mismatch/)
    }
  }, 60_000)

  test('decodes the metadata log', async () => {
    const told = await dump('__cluster_metadata-0', '.log', '--cluster-metadata-decoder', '--skip-record-metadata')
    expect(told).not.toContain('isvalid: false')
    expect(told).not.toMatch(/Error|Could not/)
    for (const topic of topics) expect(told).toContain(`"name":"${topic}"`)
    const kinds = new Set([...told.matchAll(/"type":"([A-Z_]+)"/g)].map(([, type]) => type))
    expect([...kinds]).toEqual(expect.arrayContaining(['REGISTER_BROKER_RECORD', 'TOPIC_RECORD', 'PARTITION_RECORD']))
  }, 30_000)

  test("decodes the groups' offsets", async () => {
    const partitions = readdirSync(logDir).filter((name) => name.startsWith('__consumer_offsets-'))
    const told = await Promise.all(partitions.map((partition) => dump(partition, '.log', '--offsets-decoder')))
    const all = told.join('\n')
    expect(all).toContain('"group":"dump-group"')
    expect(all).toContain('"topic":"dump-none-all"')
    expect(all).not.toMatch(/isvalid: false|Error|Could not/)
  }, 30_000)
})
