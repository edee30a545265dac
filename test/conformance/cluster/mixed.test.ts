/**
 * Clusters in which some nodes are this repository's and some Apache Kafka 4.3.1's, under the load of idempotent producers: nothing that
 * was acknowledged is lost, or there twice, or out of order. `MIXED_ROUNDS=20` moves the leadership more often, and rolls every node back.
 */
import { expect, test } from '@jest/globals'
import type { CreatedTopic } from '../../../broker/client/admin-types.ts'
import { describeWith } from '../../tools/requires.ts'
import { GroupOffsets } from './load/group-offsets.ts'
import { Load } from './load/load.ts'
import { differing } from './load/replicas.ts'
import { TestCluster } from './rig/cluster.ts'
import type { ClusterNode } from './rig/cluster-node.ts'
import { leadBy } from './rig/leadership.ts'
import { combined, type Kind, type NodePlan, separate } from './rig/plan.ts'
import { inSync } from './rig/watch.ts'

const ROUNDS = Number(process.env['MIXED_ROUNDS'] ?? 1)
/** Between an acknowledgement and the next batch: most of the time one is on its way. Much of what the test costs is this load. */
const PAUSE_MS = ROUNDS > 1 ? 5 : 20
const TOPIC = 'load'
const PARTITIONS = 2
const TEST_MS_MAX = 180_000 + ROUNDS * 30_000

/** Controllers of Apache Kafka let no broker come back before its last session has ended. */
const OVERRIDES = { 'broker.session.timeout.ms': '5000', 'broker.heartbeat.interval.ms': '1000' }

interface Run {
  readonly cluster: TestCluster
  readonly load: Load
  readonly offsets: GroupOffsets
}

/** Runs `body` in a cluster under load, and audits what was written, by what is read and by what the replicas have on disk. */
async function underLoad(name: string, nodes: readonly NodePlan[], body: (run: Run) => Promise<void>): Promise<void> {
  await using cluster = await TestCluster.start({ name, nodes, overrides: OVERRIDES })
  await using admin = cluster.admin()
  const made = await admin.createTopics([{ name: TOPIC, partitions: PARTITIONS, replicationFactor: 3 }])
  await inSync(cluster, TOPIC)
  const { topicId } = made.get(TOPIC) as CreatedTopic
  using offsets = new GroupOffsets(cluster, 'group', { name: TOPIC, topicId })
  await offsets.commit(1)
  const load = new Load(cluster, { topic: TOPIC, partitions: PARTITIONS, producers: [{ pauseMs: PAUSE_MS }] })
  try {
    await load.start()
    await body({ cluster, load, offsets })
    expect(await load.finish()).toEqual([])
  } finally {
    load.close()
  }
  await inSync(cluster, TOPIC)
  // Apache Kafka's nodes wait long for a quorum that lets them go.
  await Promise.all(cluster.brokers.filter(({ kind }) => kind === 'apache').map((node) => node.stop()))
  await Promise.all(cluster.brokers.map((node) => node.stop()))
  expect(differing(cluster.brokers, TOPIC, PARTITIONS)).toEqual([])
}

/** Every broker leads in turn; then the first is killed, and one of ours stopped, and started again. */
async function turns(run: Run): Promise<void> {
  const { cluster, load } = run
  for (let round = 0; round < ROUNDS; round++) {
    for (const { id } of cluster.brokers) {
      await leadBy(cluster, TOPIC, id)
      await load.progress(performance.now(), 20_000)
      await inSync(cluster, TOPIC)
    }
  }
  const [first] = cluster.brokers as [ClusterNode]
  const last = cluster.brokers.findLast(({ kind }) => kind === 'ours') as ClusterNode
  await leadBy(cluster, TOPIC, first.id)
  await first.kill()
  await comesBack(run, first)
  await last.stop()
  await comesBack(run, last)
}

async function comesBack({ cluster, load, offsets }: Run, node: ClusterNode, kind?: Kind): Promise<void> {
  await node.start(kind)
  await cluster.ready()
  await inSync(cluster, TOPIC)
  await load.progress(performance.now(), 20_000)
  await offsets.settle()
  expect(await offsets.committed()).toBe(offsets.last)
  await offsets.commit(offsets.last + 1)
}

describeWith(['java', 'mvn'], 'a cluster of both kinds', () => {
  test(
    'brokers of both kinds replicate each other under a controller of Apache Kafka',
    () => underLoad('mixed-under-apache', separate(['apache'], ['ours', 'apache', 'ours']), turns),
    TEST_MS_MAX,
  )

  test(
    'brokers of both kinds replicate each other under controllers of ours',
    () => underLoad('mixed-under-ours', separate(['ours', 'ours', 'ours'], ['apache', 'ours', 'apache']), turns),
    TEST_MS_MAX,
  )

  test(
    'a cluster of Apache Kafka is rolled to this broker on the same data, and back',
    () =>
      underLoad('rolled', combined(['apache', 'apache', 'apache']), async (run) => {
        const roll = async (node: ClusterNode, kind: Kind): Promise<void> => {
          await node.stop()
          await comesBack(run, node, kind)
        }
        for (const node of run.cluster.nodes) await roll(node, 'ours')
        for (const node of run.cluster.nodes.slice(0, ROUNDS)) await roll(node, 'apache')
      }),
    TEST_MS_MAX,
  )
})
