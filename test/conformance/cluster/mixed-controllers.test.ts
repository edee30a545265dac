/**
 * A metadata quorum in which one controller is Apache Kafka 4.3.1's and two are ours: whichever leads, brokers of both kinds are told the same, and
 * the snapshots that each writes of one offset have the same records.
 */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { type JavaTools, startJavaTools } from '../../tools/java-tool.ts'
import { describeWith } from '../../tools/requires.ts'
import { TestCluster } from './rig/cluster.ts'
import { type Kind, separate } from './rig/plan.ts'
import { activeController, inSync, until } from './rig/watch.ts'

const TEST_MS_MAX = 180_000
const SNAPSHOT = /^(?!0+-0+\.)\d+-\d+\.checkpoint$/
/** Small: each node writes a snapshot every few changes, at the same offsets as the others where they hear of these together. */
const OVERRIDES = {
  'broker.session.timeout.ms': '5000',
  'broker.heartbeat.interval.ms': '1000',
  'metadata.log.max.record.bytes.between.snapshots': '500',
}

/** What a record says. Features have no order; no log directory is cordoned, whether a broker has told so yet or not. */
function meaningOf(line: string): string {
  const { type, version, data } = JSON.parse(line.slice(line.indexOf('{')))
  const { features = [], cordonedLogDirs, ...fields } = data
  const supported = features.map((feature: object) => JSON.stringify(feature)).toSorted()
  return JSON.stringify([type, version, fields, supported, cordonedLogDirs ?? []])
}

describeWith(['java', 'mvn'], 'a quorum of both kinds', () => {
  let java: JavaTools
  let cluster: TestCluster
  let topics = 0

  beforeAll(async () => {
    const nodes = separate(['ours', 'apache', 'ours'], ['apache', 'ours'])
    const plan = { name: 'mixed-controllers', nodes, overrides: OVERRIDES }
    ;[java, cluster] = await Promise.all([startJavaTools(), TestCluster.start(plan)])
  }, 600_000)

  afterAll(async () => {
    java?.close()
    await cluster?.[Symbol.asyncDispose]()
  }, 60_000)

  const tool = (name: string, ...args: readonly string[]): Promise<string> =>
    java.output(`org.apache.kafka.tools.${name}`, ['--bootstrap-server', cluster.bootstrap, ...args])

  /** Stops controllers that lead, and starts them again, until one of `kind` does. */
  async function ledBy(kind: Kind): Promise<number> {
    for (;;) {
      const leader = await until(
        'led',
        () => activeController(cluster),
        (id) => id > 0,
        30_000,
      )
      const node = cluster.node(leader)
      if (node.kind === kind) return leader
      await node.stop()
      await until(
        'led by another',
        () => activeController(cluster),
        (id) => id > 0 && id !== leader,
        30_000,
      )
      await node.start()
    }
  }

  async function changeMetadata(): Promise<void> {
    await using admin = cluster.admin()
    const names = Array.from({ length: 4 }, () => `topic-${topics++}`)
    for (const name of names) await admin.createTopics([{ name, partitions: 3, replicationFactor: 2 }])
    for (const name of names) await inSync(cluster, name)
    await tool('TopicCommand', '--delete', '--topic', names[0] ?? '')
  }

  /** The records of every snapshot that the node has, by its name. */
  async function snapshotsOf(logDir: string): Promise<Map<string, string[]>> {
    const directory = join(logDir, '__cluster_metadata-0')
    const found = new Map<string, string[]>()
    for (const name of readdirSync(directory).filter((file) => SNAPSHOT.test(file))) {
      const args = ['--cluster-metadata-decoder', '--skip-record-metadata', '--files', join(directory, name)]
      const told = await java.output('org.apache.kafka.tools.DumpLogSegments', args)
      const records = told.split('\n').filter((line) => line.includes('"type":"'))
      found.set(name, records.map(meaningOf).toSorted())
    }
    return found
  }

  test(
    'is led by either, and any broker tells by which',
    async () => {
      for (const kind of ['ours', 'apache', 'ours', 'apache'] as const) {
        const leader = await ledBy(kind)
        // First of all: the brokers may still hold on to the controller that led before.
        const status = await tool('MetadataQuorumCommand', 'describe', '--status')
        expect(status).toMatch(new RegExp(`LeaderId: +${leader}\n`))
        await changeMetadata()
      }
    },
    TEST_MS_MAX,
  )

  test(
    'writes the same snapshots, whoever writes them',
    async () => {
      const [first, ...others] = await Promise.all(cluster.nodes.map(({ logDir }) => snapshotsOf(logDir)))
      let compared = 0
      for (const other of others) {
        for (const [name, records] of other) {
          const expected = first?.get(name)
          if (expected === undefined) continue
          expect({ name, records }).toEqual({ name, records: expected })
          compared++
        }
      }
      expect(compared).toBeGreaterThan(5)
    },
    TEST_MS_MAX,
  )
})
