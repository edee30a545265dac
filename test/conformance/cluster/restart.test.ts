/**
 * Three nodes, each a broker and a controller: the active controller, which also leads a partition, is killed. Whether it stays away or is started
 * again at once, as a kubelet does, nobody waits for its session. `KAFKA_TARGET=apache` tries the test itself: there it is waited for.
 */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { TARGET } from '../../tools/target.ts'
import { Load } from './load/load.ts'
import { TestCluster } from './rig/cluster.ts'
import type { ClusterNode } from './rig/cluster-node.ts'
import { combined } from './rig/plan.ts'
import { activeController, inSync, until } from './rig/watch.ts'

const TOPIC = 'load'
const ASSIGNMENTS = [
  [1, 2, 3],
  [2, 3, 1],
  [3, 1, 2],
]
/** Of broker.session.timeout.ms, less than half. */
const LOSS_MS_MAX = TARGET === 'apache' ? 20_000 : 4000
const TEST_MS_MAX = 120_000

describe(`the active controller of ${TARGET}, which is a broker too`, () => {
  let cluster: TestCluster
  let load: Load

  beforeAll(async () => {
    cluster = await TestCluster.start({ name: 'restart', nodes: combined([TARGET, TARGET, TARGET]) })
    await using admin = cluster.admin()
    await admin.createTopics([{ name: TOPIC, assignments: ASSIGNMENTS }])
    load = new Load(cluster, { topic: TOPIC, partitions: ASSIGNMENTS.length, producers: [{}] })
    await load.start()
  }, TEST_MS_MAX)

  afterAll(async () => {
    load?.close()
    await cluster?.[Symbol.asyncDispose]()
  }, TEST_MS_MAX)

  /** Kills the active controller; tells, in ms, how long it takes until there are acknowledgements of all partitions again. */
  async function msWithout(meanwhile: (victim: ClusterNode) => Promise<void>): Promise<number> {
    await cluster.ready()
    await inSync(cluster, TOPIC)
    await load.progress(performance.now(), TEST_MS_MAX)
    const victim = cluster.node(await activeController(cluster))
    const killedMs = performance.now()
    await victim.kill()
    await meanwhile(victim)
    const ms = (await load.progress(performance.now(), TEST_MS_MAX)) - killedMs
    process.stderr.write(
      `${TARGET}: kill -9 of a controller that leads a partition to acknowledgements: ${Math.round(ms)} ms\n`,
    )
    if (!victim.isRunning) await victim.start()
    return ms
  }

  test(
    'is replaced when it stays away',
    async () => {
      expect(await msWithout(async () => {})).toBeLessThan(LOSS_MS_MAX)
    },
    TEST_MS_MAX,
  )

  test(
    'may come back at once',
    async () => {
      expect(await msWithout((victim) => victim.start())).toBeLessThan(LOSS_MS_MAX)
    },
    TEST_MS_MAX,
  )

  test.each([1, 2, 3, 4])(
    'may come back at once, and so may the one that the next controller has not heard of yet, %i',
    async () => {
      const both = async (victim: ClusterNode): Promise<void> => {
        await victim.start()
        const next = await until(
          'replaced',
          () => activeController(cluster),
          (id) => id > 0,
          TEST_MS_MAX,
        )
        const third = cluster.nodes.find(({ id }) => id !== victim.id && id !== next)
        await third?.kill()
        await third?.start()
      }
      expect(await msWithout(both)).toBeLessThan(LOSS_MS_MAX)
    },
    TEST_MS_MAX,
  )

  test(
    'nothing that was acknowledged is lost',
    async () => {
      expect(await load.finish()).toEqual([])
    },
    TEST_MS_MAX,
  )
})
