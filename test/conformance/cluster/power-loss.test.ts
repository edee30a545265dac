/**
 * Three nodes, each on a disk of its own, lose their power under the load of idempotent producers. Nothing that was acknowledged is lost:
 * with flush.messages=1 whoever is cut, with the default settings where a minority is. `POWER_CUTS=200` is the full size, `SEED=n`
 * repeats the moments of a run, `KAFKA_TARGET=apache` tries the test itself.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { KafkaError } from '../../../broker/client/kafka-error.ts'
import { SimRandom } from '../../fakes/random.ts'
import { describeWith } from '../../tools/requires.ts'
import { TARGET } from '../../tools/target.ts'
import { Load } from './load/load.ts'
import { differing } from './load/replicas.ts'
import { PowerSupply } from './power/power-supply.ts'
import { TestCluster } from './rig/cluster.ts'
import { combined } from './rig/plan.ts'
import { inSync, leaderOf } from './rig/watch.ts'

const SEED = Number(process.env['SEED'] ?? Date.now() % 1_000_000)
const CUTS = Number(process.env['POWER_CUTS'] ?? 2)
const PARTITIONS = 3
const UNFLUSHED = 'unflushed'
const FLUSHED = 'flushed'
const ROUND_MS_MAX = 60_000
const AUDIT_MS_MAX = ROUND_MS_MAX + CUTS * 1000
const IDS = [1, 2, 3]

const rounds = Array.from({ length: CUTS }, (_, index) => index + 1)

describeWith(
  ['root', 'perl', 'loop', ...(TARGET === 'apache' ? (['java', 'mvn'] as const) : [])],
  `power loss of ${TARGET}, seed ${SEED}`,
  () => {
    const random = new SimRandom(SEED)
    let power: PowerSupply
    let cluster: TestCluster
    let load: Load

    beforeAll(async () => {
      power = new PowerSupply(IDS)
      const nodes = combined([TARGET, TARGET, TARGET])
      const dataDirectoryOf = (id: number): string => power.directoryOf(id)
      cluster = await TestCluster.start({ name: 'power-loss', nodes, dataDirectoryOf })
    }, 120_000)

    afterAll(async () => {
      load?.close()
      await cluster?.[Symbol.asyncDispose]()
      power?.remove()
    }, 60_000)

    async function startLoad(topic: string, configs: Readonly<Record<string, string>>): Promise<void> {
      await using admin = cluster.admin()
      await admin.createTopics([{ name: topic, partitions: PARTITIONS, replicationFactor: 3, configs }])
      await inSync(cluster, topic)
      load = new Load(cluster, { topic, partitions: PARTITIONS, producers: [{ pauseMs: 10 }, { pauseMs: 25 }] })
      await load.start()
    }

    /** Ends the load and compares what was acknowledged with what is there. */
    async function expectNothingLost(topic: string): Promise<void> {
      expect(await load.finish()).toEqual([])
      load.close()
      process.stderr.write(`${TARGET}: ${load.acknowledged} records of ${topic} after ${CUTS} cuts\n`)
    }

    /**
     * What runs on the disks loses the power with them, and comes back with it. Nothing runs on after the cut: fdatasync may return
     * success from a flush that FS_IOC_SHUTDOWN interrupts.
     */
    async function powerLoss(ids: readonly number[]): Promise<void> {
      const cutMs = performance.now()
      for (const id of ids) cluster.node(id).pause()
      power.cut(ids)
      await Promise.all(ids.map((id) => cluster.node(id).kill()))
      power.restore(ids)
      await Promise.all(ids.map((id) => cluster.node(id).start()))
      await load.progress(performance.now(), ROUND_MS_MAX)
      // What a leader says that lacks the producer's last batch.
      expect(load.outcomesSince(cutMs).map(({ code }) => code)).not.toContain('OUT_OF_ORDER_SEQUENCE_NUMBER')
    }

    describe('of one node, with the default settings', () => {
      beforeAll(() => startLoad(UNFLUSHED, {}), ROUND_MS_MAX)

      test.each(rounds)(
        'cut %i: writing goes on and the node catches up',
        async (round) => {
          await inSync(cluster, UNFLUSHED)
          await sleep(random.below(500))
          const leader = await leaderOf(cluster, UNFLUSHED, round % PARTITIONS)
          await powerLoss([leader])
        },
        2 * ROUND_MS_MAX,
      )

      test('every acknowledged record is there, once, in order', () => expectNothingLost(UNFLUSHED), AUDIT_MS_MAX)
    })

    describe('of all nodes at once, with flush.messages=1', () => {
      beforeAll(() => startLoad(FLUSHED, { 'flush.messages': '1' }), ROUND_MS_MAX)

      test.each(rounds)(
        'cut %i: writing goes on, and a topic made just before is there',
        async (round) => {
          const made = `made-${round}`
          await sleep(random.below(500))
          {
            await using admin = cluster.admin()
            expect((await admin.createTopics([{ name: made }])).get(made)).not.toBeInstanceOf(KafkaError)
          }
          await powerLoss(IDS)
          await using admin = cluster.admin()
          expect((await admin.metadata([made])).get(made)).not.toBeInstanceOf(KafkaError)
        },
        2 * ROUND_MS_MAX,
      )

      test('every acknowledged record is there, once, in order', () => expectNothingLost(FLUSHED), AUDIT_MS_MAX)
    })

    test(
      'every disk has the same',
      async () => {
        await inSync(cluster, FLUSHED)
        await Promise.all(cluster.brokers.map((node) => node.stop()))
        expect(differing(cluster.brokers, FLUSHED, PARTITIONS)).toEqual([])
      },
      ROUND_MS_MAX,
    )
  },
)
