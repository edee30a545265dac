/** Apache Kafka's own tools against three brokers and three controllers; `KAFKA_TARGET=apache` tries the test itself. */
import { cpSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { javaTool, type JavaTools, startJavaTools, type ToolResult } from '../../tools/java-tool.ts'
import { describeWith } from '../../tools/requires.ts'
import { TARGET } from '../../tools/target.ts'
import { TestCluster } from './rig/cluster.ts'
import { separate } from './rig/plan.ts'
import { activeController, inSync, leaderOf, partitionsOnce, until } from './rig/watch.ts'

const TEST_MS_MAX = 60_000
const TOPIC = 'tools'
const RECORDS = 600
const CONFIGS = 'kafka.admin.ConfigCommand'

/** A line of the verifiable clients. */
interface Report {
  readonly name: string
  readonly count: number
  readonly success: boolean
}

/** What the tool says of each thing, by lines with tabs between their columns. */
const rows = (told: string): string[][] =>
  told
    .trimEnd()
    .split('\n')
    .map((line) =>
      line
        .trim()
        .split(/\t|\s{2,}/)
        .map((column) => column.trim()),
    )

describeWith(['java', 'mvn'], `the tools of Apache Kafka against a cluster of ${TARGET}`, () => {
  let java: JavaTools
  let cluster: TestCluster

  beforeAll(async () => {
    const nodes = separate([TARGET, TARGET, TARGET], [TARGET, TARGET, TARGET])
    ;[java, cluster] = await Promise.all([startJavaTools(), TestCluster.start({ name: 'tools', nodes })])
    const assignment = ['1:2:3', '2:3:1', '3:1:2'].join(',')
    await tool('TopicCommand', '--create', '--topic', TOPIC, '--replica-assignment', assignment)
    await inSync(cluster, TOPIC)
  }, 600_000)

  afterAll(async () => {
    java?.close()
    await cluster?.[Symbol.asyncDispose]()
  }, 60_000)

  const bootstrap = (): string[] => ['--bootstrap-server', cluster.bootstrap]

  const tool = (name: string, ...args: readonly string[]): Promise<string> =>
    java.output(`org.apache.kafka.tools.${name}`, [...bootstrap(), ...args])

  const call = (name: string, ...args: readonly string[]): Promise<ToolResult> =>
    java.call(`org.apache.kafka.tools.${name}`, [...bootstrap(), ...args])

  /** Writes `content` where a tool can read it, and gives the place. */
  const file = (name: string, content: unknown): string => {
    const path = join(cluster.node(1).logDir, '..', name)
    writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content))
    return path
  }

  const reassignment = (...replicas: readonly (readonly number[])[]): string => {
    const partitions = replicas.map((ids, partition) => ({ topic: TOPIC, partition, replicas: ids }))
    return file('reassignment.json', { version: 1, partitions })
  }

  const reassign = (...args: readonly string[]): Promise<string> =>
    tool('reassign.ReassignPartitionsCommand', '--reassignment-json-file', ...args)

  test(
    'VerifiableProducer and VerifiableConsumer: what is written with acks=all is read, by a group',
    async () => {
      const verifiable = async (name: string, ...args: readonly string[]): Promise<string> => {
        // They end in hooks of the JVM: each has one of its own.
        const all = [...bootstrap(), '--topic', TOPIC, '--max-messages', String(RECORDS), ...args]
        return (await javaTool(`org.apache.kafka.tools.${name}`, all)).stdout
      }
      const produced = await verifiable('VerifiableProducer')
      expect(produced.match(/"name":"producer_send_success"/g)).toHaveLength(RECORDS)
      expect(produced).not.toContain('producer_send_error')
      const consumed = await verifiable('VerifiableConsumer', '--group-id', 'verifiable', '--reset-policy', 'earliest')
      const reports = consumed
        .trimEnd()
        .split('\n')
        .map((line): Report => JSON.parse(line))
      const read = reports.filter(({ name }) => name === 'records_consumed')
      expect(read.reduce((sum, { count }) => sum + count, 0)).toBe(RECORDS)
      const commits = reports.filter(({ name }) => name === 'offsets_committed')
      expect(commits.every(({ success }) => success) && commits.length > 0).toBe(true)
    },
    TEST_MS_MAX,
  )

  test(
    'TopicCommand tells of partitions that are under-replicated, and at or under min ISR, while a broker is down',
    async () => {
      const problems = async (): Promise<number[]> => {
        const asked = ['--under-replicated-partitions', '--at-min-isr-partitions', '--under-min-isr-partitions']
        const told: number[] = []
        for (const what of asked) {
          const described = await tool('TopicCommand', '--describe', '--topic', TOPIC, what)
          told.push((described.match(/Partition: /g) ?? []).length)
        }
        return told
      }
      expect(await problems()).toEqual([0, 0, 0])
      await cluster.node(3).stop()
      await partitionsOnce(cluster, TOPIC, 'without broker 3', (all) => all.every(({ isr }) => !isr.includes(3)))
      expect(await problems()).toEqual([3, 3, 0])
      await cluster.node(3).start()
      await cluster.ready()
      await inSync(cluster, TOPIC)
      expect(await problems()).toEqual([0, 0, 0])
    },
    TEST_MS_MAX,
  )

  test(
    'LeaderElectionCommand elects the preferred leaders',
    async () => {
      expect(await leaderOf(cluster, TOPIC, 2)).not.toBe(3)
      const elect = ['--election-type', 'preferred', '--all-topic-partitions']
      // Other partitions may have had to wait for their first replica too.
      expect(await tool('LeaderElectionCommand', ...elect)).toMatch(
        new RegExp(`Successfully completed leader election \\(PREFERRED\\) for partitions .*\\b${TOPIC}-2\\b`),
      )
      // The broker that is asked may hear of it later than the tool.
      await partitionsOnce(cluster, TOPIC, 'led by broker 3', (all) => all[2]?.leader === 3)
      const again = await tool(
        'LeaderElectionCommand',
        '--election-type',
        'preferred',
        '--topic',
        TOPIC,
        '--partition',
        '2',
      )
      expect(again).toContain(`Valid replica already elected for partitions ${TOPIC}-2`)
    },
    TEST_MS_MAX,
  )

  test(
    'ReassignPartitionsCommand moves replicas with a throttle, verifies, and takes the throttle away',
    async () => {
      const away = reassignment([2, 3], [3, 1], [1, 2])
      const told = await reassign(away, '--execute', '--throttle', '1000000')
      expect(told).toContain('The inter-broker throttle limit was set to 1000000 B/s')
      expect(told).toContain(`Successfully started partition reassignments for ${TOPIC}-0,${TOPIC}-1,${TOPIC}-2`)
      await partitionsOnce(cluster, TOPIC, 'moved', (all) =>
        all.every(({ replicas, isr }) => replicas.length + isr.length === 4),
      )
      const verified = await reassign(away, '--verify')
      for (const partition of [0, 1, 2])
        expect(verified).toContain(`Reassignment of partition ${TOPIC}-${partition} is completed.`)
      expect(verified).toContain('Clearing broker-level throttles on brokers 1,2,3')
      expect(verified).toContain(`Clearing topic-level throttles on topic ${TOPIC}`)
      const broker = ['--entity-type', 'brokers', '--entity-name', '1', '--describe']
      expect(await java.output(CONFIGS, [...bootstrap(), ...broker])).not.toContain('throttled.rate')
      const back = reassignment([1, 2, 3], [2, 3, 1], [3, 1, 2])
      await reassign(back, '--execute')
      await partitionsOnce(cluster, TOPIC, 'back', (all) =>
        all.every(({ replicas, isr }) => replicas.length + isr.length === 6),
      )
      expect((await reassign(back, '--verify')).match(/is completed/g)).toHaveLength(3)
    },
    TEST_MS_MAX,
  )

  test(
    'ReassignPartitionsCommand lists a reassignment that is under way, throttled, and cancels it',
    async () => {
      await tool('TopicCommand', '--create', '--topic', 'slow', '--replica-assignment', '2:3')
      const records = ['--num-records', '300', '--record-size', '10000', '--throughput', '-1']
      await tool('ProducerPerformance', '--topic', 'slow', ...records)
      const path = file('slow.json', { version: 1, partitions: [{ topic: 'slow', partition: 0, replicas: [2, 1] }] })
      const list = (): Promise<string> => tool('reassign.ReassignPartitionsCommand', '--list')
      await reassign(path, '--execute', '--throttle', '1')
      expect(await list()).toContain('slow-0: replicas: 2,1,3. adding: 1. removing: 3.')
      const described = await tool('TopicCommand', '--describe', '--topic', 'slow')
      expect(described).toMatch(/Adding Replicas: 1\tRemoving Replicas: 3/)
      expect(await reassign(path, '--verify', '--preserve-throttles')).toContain(
        'Reassignment of partition slow-0 is still in progress.',
      )
      expect(await reassign(path, '--cancel')).toContain('Successfully cancelled partition reassignment for: slow-0')
      expect(await list()).toContain('No partition reassignments found.')
      await partitionsOnce(cluster, 'slow', 'as before', ([one]) => one?.replicas.join() === '2,3')
    },
    TEST_MS_MAX,
  )

  test(
    'ReassignPartitionsCommand generates a plan for all brokers',
    async () => {
      const topics = file('topics.json', { version: 1, topics: [{ topic: TOPIC }] })
      const plan = ['--topics-to-move-json-file', topics, '--broker-list', '1,2,3', '--generate']
      const told = await tool('reassign.ReassignPartitionsCommand', ...plan)
      expect(told).toMatch(/Current partition replica assignment\n\{.*"replicas":\[1,2,3\]/)
      expect(told).toContain('Proposed partition reassignment configuration')
    },
    TEST_MS_MAX,
  )

  test(
    'MetadataQuorumCommand describes the quorum, from brokers and from controllers',
    async () => {
      const leader = await activeController(cluster)
      const status = await tool('MetadataQuorumCommand', 'describe', '--status')
      expect(status).toMatch(new RegExp(`LeaderId: +${leader}\n`))
      expect(status).toMatch(/CurrentVoters: +\[\{"id": 101, .*"id": 102, .*"id": 103, .*"endpoints": \["CONTROLLER:/)
      for (const id of [1, 2, 3]) expect(status).toMatch(new RegExp(`CurrentObservers: .*"id": ${id}, `))
      const args = ['--bootstrap-controller', cluster.controllerBootstrap, 'describe', '--replication']
      const replication = rows(await java.output('org.apache.kafka.tools.MetadataQuorumCommand', args))
      const roles = replication.slice(1).map((columns) => [columns[0], columns.at(-1)])
      expect(new Map(roles as [string, string][])).toEqual(
        new Map(
          [101, 102, 103, 1, 2, 3].map((id) => [
            String(id),
            id === leader ? 'Leader' : id > 100 ? 'Follower' : 'Observer',
          ]),
        ),
      )
    },
    TEST_MS_MAX,
  )

  test(
    'MetadataQuorumCommand removes a controller and adds it again',
    async () => {
      const leader = await activeController(cluster)
      const other = cluster.controllers.find(({ id }) => id !== leader) ?? cluster.node(101)
      const status = (): Promise<string> => tool('MetadataQuorumCommand', 'describe', '--status')
      const directoryId = new RegExp(`"id": ${other.id}, "directoryId": "([^"]+)"`).exec(await status())?.[1] ?? ''
      const removed = await tool(
        'MetadataQuorumCommand',
        'remove-controller',
        '--controller-id',
        String(other.id),
        '--controller-directory-id',
        directoryId,
      )
      expect(removed).toContain(`Removed  KRaft controller ${other.id} with directory id ${directoryId}`)
      const observes = new RegExp(`CurrentObservers: .*"id": ${other.id}, "directoryId": "${directoryId}"`)
      await until('an observer', status, (told) => observes.test(told), 20_000)
      const add = ['--command-config', other.propertiesFile, '--bootstrap-server', cluster.bootstrap, 'add-controller']
      const added = await java.output('org.apache.kafka.tools.MetadataQuorumCommand', add)
      expect(added).toContain(`Added controller ${other.id} with directory id ${directoryId}`)
      expect(await status()).toMatch(new RegExp(`CurrentVoters: .*"id": ${other.id}, "directoryId": "${directoryId}"`))
    },
    TEST_MS_MAX,
  )

  test(
    'FeatureCommand describes, upgrades and refuses',
    async () => {
      const told = rows(await tool('FeatureCommand', 'describe'))
      const versions = new Map(told.map((columns) => [columns[0], columns.slice(1, 4).join(' ')]))
      expect(versions.get('Feature: metadata.version')).toBe(
        'SupportedMinVersion: 3.3-IV3 SupportedMaxVersion: 4.3-IV0 FinalizedVersionLevel: 4.3-IV0',
      )
      expect(versions.get('Feature: kraft.version')).toBe(
        'SupportedMinVersion: 0 SupportedMaxVersion: 1 FinalizedVersionLevel: 1',
      )
      const down = await call('FeatureCommand', 'downgrade', '--feature', 'eligible.leader.replicas.version=0')
      expect(`${down.out}${down.err}`).toContain('eligible.leader.replicas.version was downgraded to 0.')
      const up = await call('FeatureCommand', 'upgrade', '--feature', 'eligible.leader.replicas.version=1')
      expect(`${up.out}${up.err}`).toContain('eligible.leader.replicas.version was upgraded to 1.')
      const refused = await call('FeatureCommand', 'upgrade', '--feature', 'metadata.version=99')
      expect(refused.code).toBe(1)
    },
    TEST_MS_MAX,
  )

  test(
    'LogDirsCommand tells the size of each replica of each broker',
    async () => {
      const told = await tool('LogDirsCommand', '--describe', '--topic-list', TOPIC)
      const answer = JSON.parse(told.split('\n').find((line) => line.startsWith('{')) ?? '{}')
      const sizes = answer.brokers.map((broker: { logDirs: { partitions: { partition: string; size: number }[] }[] }) =>
        broker.logDirs.flatMap(({ partitions }) =>
          partitions.map(({ partition, size }) => `${partition}: ${size}`).sort(),
        ),
      )
      expect(sizes).toHaveLength(3)
      expect(sizes[1]).toEqual(sizes[0])
      expect(sizes[2]).toEqual(sizes[0])
    },
    TEST_MS_MAX,
  )

  test(
    'ConfigCommand sets what all brokers, one broker and the controllers go by, and what they log',
    async () => {
      const configs = (...args: readonly string[]): Promise<string> => java.output(CONFIGS, [...bootstrap(), ...args])
      await configs(
        '--alter',
        '--entity-type',
        'brokers',
        '--entity-default',
        '--add-config',
        'message.max.bytes=2000000',
      )
      await configs(
        '--alter',
        '--entity-type',
        'brokers',
        '--entity-name',
        '2',
        '--add-config',
        'message.max.bytes=3000000',
      )
      const of = (id: number): Promise<string> =>
        configs('--describe', '--all', '--entity-type', 'brokers', '--entity-name', String(id))
      const seen = async (): Promise<string[]> =>
        Promise.all([1, 2, 3].map(async (id) => /message\.max\.bytes=(\d+) /.exec(await of(id))?.[1] ?? ''))
      await until('set', seen, (values) => values.join() === '2000000,3000000,2000000', 10_000)
      const controllers = ['--bootstrap-controller', cluster.controllerBootstrap]
      const viaController = [...controllers, '--describe', '--entity-type', 'brokers', '--entity-default']
      expect(await java.output(CONFIGS, viaController)).toContain('message.max.bytes=2000000')
      for (const words of [
        [...bootstrap(), '--broker-logger', '2'],
        [...controllers, '--broker-logger', '102'],
      ]) {
        await java.output(CONFIGS, [...words, '--alter', '--add-config', 'root=ERROR'])
        expect(await java.output(CONFIGS, [...words, '--describe'])).toMatch(/\broot=ERROR /)
      }
    },
    TEST_MS_MAX,
  )

  test(
    'BrokerApiVersionsCommand and ClusterTool tell of every broker; one that is down is unregistered',
    async () => {
      const versions = await tool('BrokerApiVersionsCommand')
      for (const { place } of cluster.brokers)
        expect(versions).toContain(`${place.broker?.host}:${place.broker?.port} (id: `)
      expect(versions).not.toContain('ERROR')
      const cli = (...args: readonly string[]): Promise<string> =>
        java.output('org.apache.kafka.tools.ClusterTool', [...args.slice(0, 1), ...bootstrap(), ...args.slice(1)])
      expect(await cli('list-endpoints')).toMatch(/\n1 .*\n2 .*\n3 /)
      await cluster.node(3).stop()
      expect(await cli('unregister', '--id', '3')).toContain('Broker 3 is no longer registered.')
      await cluster.node(3).start()
      await cluster.ready()
    },
    TEST_MS_MAX,
  )

  test(
    'DumpLogSegments and the metadata shell read what is on the disks',
    async () => {
      const segment = join(cluster.node(2).logDir, 'slow-0', '00000000000000000000.log')
      const dumped = await java.output('org.apache.kafka.tools.DumpLogSegments', [
        '--files',
        segment,
        '--deep-iteration',
      ])
      expect(dumped).not.toContain('isvalid: false')
      expect(dumped).toMatch(/\| offset: 0 /)
      const metadata = join(cluster.node(101).logDir, '__cluster_metadata-0')
      const log = join(metadata, '00000000000000000000.log')
      const records = await java.output('org.apache.kafka.tools.DumpLogSegments', [
        '--cluster-metadata-decoder',
        '--files',
        log,
      ])
      expect(records).toContain('"type":"REGISTER_BROKER_RECORD"')
      expect(records).toContain('"type":"PARTITION_CHANGE_RECORD"')
      expect(records).toMatch(/"type":"TOPIC_RECORD","version":0,"data":\{"name":"tools"/)
      // It wants no other process in the directory.
      const copy = join(cluster.node(101).logDir, '..', 'copy', '__cluster_metadata-0', '00000000000000000000.log')
      cpSync(log, copy)
      const shell = (...words: readonly string[]): Promise<string> =>
        java.output('org.apache.kafka.shell.MetadataShell', ['--snapshot', copy, ...words])
      // Asked again: it may answer before it has read all of the file.
      const path = `/image/topics/byName/${TOPIC}/0`
      await until(
        'read',
        () => shell('cat', path),
        (told) => told.includes('replicas=[1, 2, 3]'),
        20_000,
      )
    },
    TEST_MS_MAX,
  )
})
