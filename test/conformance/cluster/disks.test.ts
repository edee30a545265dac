/**
 * Three nodes with two disks each, of which one fails or is full under the load of idempotent producers: others take over soon, who is left
 * without its metadata log ends, and all is whole again once the disk is. `KAFKA_TARGET=apache` tries the test itself.
 */
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { describeWith } from '../../tools/requires.ts'
import { TARGET } from '../../tools/target.ts'
import { Load } from './load/load.ts'
import { PowerSupply } from './power/power-supply.ts'
import { TestCluster } from './rig/cluster.ts'
import type { ClusterNode } from './rig/cluster-node.ts'
import { leadBy } from './rig/leadership.ts'
import { combined } from './rig/plan.ts'
import { activeController, inSync, partitionsOnce, until } from './rig/watch.ts'

const TOPIC = 'load'
/** Of each node some are on either disk. */
const PARTITIONS = 4
const IDS = [1, 2, 3]
/** The disk that has the metadata log too. */
const first = (id: number): number => 10 + id
const second = (id: number): number => 20 + id
/** To notice, and to have others take over: far less than broker.session.timeout.ms and replica.lag.time.max.ms, which Apache Kafka waits for. */
const LOSS_MS_MAX = TARGET === 'apache' ? 40_000 : 4000
const TEST_MS_MAX = 150_000

describeWith(
  ['root', 'perl', 'loop', ...(TARGET === 'apache' ? (['java', 'mvn'] as const) : [])],
  `disks of ${TARGET} that fail`,
  () => {
    let power: PowerSupply
    let cluster: TestCluster
    let load: Load

    beforeAll(async () => {
      power = new PowerSupply([...IDS.map(first), ...IDS.map(second)])
      const nodes = combined([TARGET, TARGET, TARGET]).map((node) => {
        const [one, other] = [power.directoryOf(first(node.id)), power.directoryOf(second(node.id))]
        return { ...node, overrides: { 'log.dirs': `${one},${other}`, 'metadata.log.dir': one } }
      })
      const dataDirectoryOf = (id: number): string => power.directoryOf(first(id))
      cluster = await TestCluster.start({ name: 'disks', nodes, dataDirectoryOf })
      await using admin = cluster.admin()
      await admin.createTopics([{ name: TOPIC, partitions: PARTITIONS, replicationFactor: 3 }])
      await inSync(cluster, TOPIC)
      const producers = [{ requestTimeoutMs: 2000 }, { requestTimeoutMs: 30_000 }]
      load = new Load(cluster, { topic: TOPIC, partitions: PARTITIONS, producers })
      await load.start()
    }, 120_000)

    afterAll(async () => {
      load?.close()
      await cluster?.[Symbol.asyncDispose]()
      power?.remove()
    }, 60_000)

    /** Every partition acknowledges again, and some have lost the node's replica. */
    async function expectOthersGoOnWithout({ id }: ClusterNode): Promise<void> {
      const isOut = ({ isr }: { readonly isr: readonly number[] }): boolean => isr.length > 0 && !isr.includes(id)
      await partitionsOnce(cluster, TOPIC, `without ${id}`, (all) => all.some(isOut), LOSS_MS_MAX)
      await load.progress(performance.now(), LOSS_MS_MAX)
    }

    async function expectWhole(node: ClusterNode): Promise<void> {
      await node.start()
      await cluster.ready()
      await inSync(cluster, TOPIC)
      await load.progress(performance.now(), LOSS_MS_MAX)
    }

    test(
      'one disk of a follower, and then of a leader',
      async () => {
        const [node] = cluster.nodes as [ClusterNode]
        for (const leader of [2, node.id]) {
          await leadBy(cluster, TOPIC, leader)
          power.cut([second(node.id)])
          await expectOthersGoOnWithout(node)
          expect(node.isRunning).toBe(true)
          await node.stop()
          power.restore([second(node.id)])
          await expectWhole(node)
        }
      },
      TEST_MS_MAX,
    )

    test(
      'the first disk of the active controller',
      async () => {
        const node = cluster.node(await activeController(cluster))
        await leadBy(cluster, TOPIC, node.id)
        power.cut([first(node.id)])
        await expectOthersGoOnWithout(node)
        await ended(node)
        power.restore([first(node.id)])
        await expectWhole(node)
      },
      TEST_MS_MAX,
    )

    test(
      'no room on the first disks of two nodes',
      async () => {
        const [stays, ...others] = cluster.nodes as [ClusterNode, ClusterNode, ClusterNode]
        for (const { id } of others) power.fill(first(id))
        await Promise.all(others.map(ended))
        expect(stays.isRunning).toBe(true)
        for (const { id } of others) power.free(first(id))
        await Promise.all(others.map((node) => node.start()))
        await cluster.ready()
        await inSync(cluster, TOPIC)
      },
      TEST_MS_MAX,
    )

    test(
      'nothing acknowledged is lost',
      async () => {
        await load.progress(performance.now(), LOSS_MS_MAX)
        expect(await load.finish()).toEqual([])
      },
      TEST_MS_MAX,
    )
  },
)

/** Resolves when the process has ended by itself. */
async function ended(node: ClusterNode): Promise<void> {
  const isGone = async (): Promise<boolean> => !node.isRunning
  await until('ended', isGone, Boolean, 20_000)
}
