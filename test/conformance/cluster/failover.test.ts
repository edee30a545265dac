/**
 * Three controllers and three brokers as processes, under faults and the load of idempotent producers: nothing that was acknowledged is
 * lost, or there twice, or out of order. `FAULT_SECONDS=30` is the full size of pauses and partitions; `KAFKA_TARGET=apache` tries the
 * test itself.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { KafkaError } from '../../../broker/client/kafka-error.ts'
import { describeWith } from '../../tools/requires.ts'
import { TARGET } from '../../tools/target.ts'
import { audit } from './load/audit.ts'
import { FranzLoad } from './load/franz.ts'
import { Load } from './load/load.ts'
import { differing } from './load/replicas.ts'
import { TestCluster } from './rig/cluster.ts'
import type { ClusterNode } from './rig/cluster-node.ts'
import { separate } from './rig/plan.ts'
import { activeController, inSync, leaderOf, partitionsOnce, until } from './rig/watch.ts'

const TOPIC = 'load'
const FRANZ = 'franz'
const PARTITIONS = 3
/** Longer than broker.session.timeout.ms. */
const FAULT_MS = Number(process.env['FAULT_SECONDS'] ?? 12) * 1000
/** To notice a broker that is silent: broker.session.timeout.ms, and some time to act. */
const SILENCE_MS_MAX = 20_000
/** To notice one that is gone. Its session must not be waited for; Apache Kafka does. */
const LOSS_MS_MAX = TARGET === 'apache' ? SILENCE_MS_MAX : 4000
/** To have another controller, and what brokers ask for carried out by it. */
const CONTROLLER_MS_MAX = 40_000
const TEST_MS_MAX = 120_000 + 2 * FAULT_MS
const ENOUGH = new Set(['NONE', 'NOT_ENOUGH_REPLICAS', 'NOT_ENOUGH_REPLICAS_AFTER_APPEND'])

const say = (what: string): boolean => process.stderr.write(`${TARGET}: ${what}\n`)
const tell = (what: string, ms: number): boolean => say(`${what}: ${Math.round(ms)} ms`)

describeWith(
  ['root', 'go', ...(TARGET === 'apache' ? (['java', 'mvn'] as const) : [])],
  `a cluster of ${TARGET}`,
  () => {
    let cluster: TestCluster
    let load: Load
    let franz: FranzLoad

    beforeAll(async () => {
      const nodes = separate([TARGET, TARGET, TARGET], [TARGET, TARGET, TARGET])
      cluster = await TestCluster.start({ name: 'failover', nodes, isolated: true })
      await using admin = cluster.admin()
      const assignments = [1, 2, 3].map((first) => [first, (first % 3) + 1, ((first + 1) % 3) + 1])
      await admin.createTopics([TOPIC, FRANZ].map((name) => ({ name, assignments })))
      await inSync(cluster, FRANZ)
      // One gives up on an answer soon, one waits as Kafka's clients do.
      const producers = [{ requestTimeoutMs: 2000 }, { requestTimeoutMs: 30_000 }]
      load = new Load(cluster, { topic: TOPIC, partitions: PARTITIONS, producers })
      const pace = { partitions: PARTITIONS, producers: 1, pauseMs: 100 }
      franz = await FranzLoad.start({ bootstrap: cluster.bootstrap, topic: FRANZ, ...pace })
      await load.start()
    }, 300_000)

    afterAll(async () => {
      franz?.kill()
      load?.close()
      await cluster?.[Symbol.asyncDispose]()
    }, 60_000)

    /** The state that each fault begins in. */
    async function settled(): Promise<void> {
      await cluster.ready()
      await inSync(cluster, TOPIC)
      await inSync(cluster, FRANZ)
      await load.progress(performance.now(), 30_000)
    }

    /** Resolves when there is such a topic. One attempt may end with the controller that it went to. */
    async function create(name: string): Promise<void> {
      await using admin = cluster.admin(5000)
      const ask = async (): Promise<unknown> => (await admin.createTopics([{ name }])).get(name)
      const isThere = (made: unknown): boolean => !(made instanceof KafkaError) || made.code === 'TOPIC_ALREADY_EXISTS'
      await until('created', ask, isThere, CONTROLLER_MS_MAX)
    }

    async function leader(): Promise<ClusterNode> {
      return cluster.node(await leaderOf(cluster, TOPIC, 0))
    }

    test(
      'goes on after kill -9 of a leader',
      async () => {
        await settled()
        const victim = await leader()
        const killedMs = performance.now()
        await victim.kill()
        const acknowledgedMs = await load.progress(killedMs, LOSS_MS_MAX, victim.id)
        tell('kill -9 of a leader to acknowledgements of all partitions', acknowledgedMs - killedMs)
        await victim.start()
      },
      TEST_MS_MAX,
    )

    test(
      'goes on without a pause after kill -9 of the active controller, and has another',
      async () => {
        await settled()
        const victim = cluster.node(await activeController(cluster))
        const killedMs = performance.now()
        await victim.kill()
        const next = await until(
          'another controller',
          () => activeController(cluster),
          (id) => id > 0 && id !== victim.id,
          SILENCE_MS_MAX,
        )
        tell('kill -9 of the active controller to another', performance.now() - killedMs)
        expect(next).not.toBe(victim.id)
        await create('made-by-the-next')
        tell('kill -9 of the active controller to a new topic', performance.now() - killedMs)
        const codes = new Set(load.outcomesSince(killedMs).map(({ code }) => code))
        expect([...codes]).toEqual(['NONE'])
        await victim.start()
      },
      TEST_MS_MAX,
    )

    test(
      'gets over the loss of two followers, one of them again while it catches up',
      async () => {
        await settled()
        const stays = await leader()
        const [first, second] = cluster.brokers.filter((node) => node !== stays) as [ClusterNode, ClusterNode]
        await first.kill()
        await sleep(200)
        await second.kill()
        await first.start()
        await first.kill()
        await Promise.all([first.start(), second.start()])
        await load.progress(performance.now(), 60_000)
      },
      TEST_MS_MAX,
    )

    test(
      'gets over a leader that stands still',
      async () => {
        await settled()
        const victim = await leader()
        const pausedMs = performance.now()
        victim.pause()
        try {
          const acknowledgedMs = await load.progress(pausedMs, SILENCE_MS_MAX, victim.id)
          tell('SIGSTOP of a leader to acknowledgements', acknowledgedMs - pausedMs)
          await sleep(Math.max(0, pausedMs + FAULT_MS - performance.now()))
        } finally {
          victim.resume()
        }
        await load.progress(performance.now(), 60_000)
      },
      TEST_MS_MAX,
    )

    test(
      'gets over a leader that only clients reach',
      async () => {
        await settled()
        const victim = await leader()
        const others = cluster.nodes.filter((node) => node !== victim).map(({ id }) => id)
        const cutMs = performance.now()
        cluster.namespaces.cut([victim.id], others)
        try {
          const acknowledgedMs = await load.progress(cutMs, SILENCE_MS_MAX, victim.id)
          tell('a leader cut off to acknowledgements', acknowledgedMs - cutMs)
          await sleep(Math.max(0, cutMs + FAULT_MS - performance.now()))
        } finally {
          cluster.namespaces.heal()
        }
        await load.progress(performance.now(), 60_000)
      },
      TEST_MS_MAX,
    )

    test(
      'elects another controller when the active one no longer hears the others',
      async () => {
        await settled()
        const victim = await activeController(cluster)
        const others = cluster.nodes.map(({ id }) => id).filter((id) => id !== victim)
        const cutMs = performance.now()
        for (const other of others) cluster.namespaces.cutOneWay(other, victim)
        try {
          await create('made-by-the-majority')
          tell('a controller cut off to a new topic', performance.now() - cutMs)
        } finally {
          cluster.namespaces.heal()
        }
      },
      TEST_MS_MAX,
    )

    test(
      'refuses writes with NOT_ENOUGH_REPLICAS and nothing else while two of three brokers are down',
      async () => {
        await settled()
        const stays = await leader()
        const others = cluster.brokers.filter((node) => node !== stays)
        const killedMs = performance.now()
        await Promise.all(others.map((node) => node.kill()))
        await partitionsOnce(cluster, TOPIC, 'all led by the last', (all) =>
          all.every(({ leader: id }) => id === stays.id),
        )
        const answers = async (): Promise<string[]> =>
          (load.producers[1]?.outcomes ?? [])
            .filter(({ atMs, brokerId, isAnswer }) => atMs > killedMs && brokerId === stays.id && isAnswer)
            .map(({ code }) => code)
        const refused = await until('refused', answers, (codes) => codes.some((code) => code !== 'NONE'), LOSS_MS_MAX)
        expect(refused.filter((code) => !ENOUGH.has(code))).toEqual([])
        await sleep(2000)
        expect((await answers()).filter((code) => !ENOUGH.has(code))).toEqual([])
        await Promise.all(others.map((node) => node.start()))
        await load.progress(performance.now(), 60_000)
      },
      TEST_MS_MAX,
    )

    test(
      'has every acknowledged record, once, in order, the same on every replica',
      async () => {
        await settled()
        expect(franz.exitCode).toBe(null)
        expect(await load.finish()).toEqual([])
        await franz.stop()
        expect(audit(franz.acknowledged, await franz.readBack())).toEqual([])
        say(`${load.acknowledged} records of our client, ${franz.acknowledged.length} of franz-go`)
        await inSync(cluster, TOPIC)
        await Promise.all(cluster.brokers.map((node) => node.stop()))
        expect(differing(cluster.brokers, TOPIC, PARTITIONS)).toEqual([])
        expect(differing(cluster.brokers, FRANZ, PARTITIONS)).toEqual([])
      },
      TEST_MS_MAX,
    )
  },
)
