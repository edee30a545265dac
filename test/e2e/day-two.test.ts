/**
 * A cluster of three controllers and three brokers on three nodes, written to and read from all the time, through everything that users do to one.
 * Nothing is lost, no partition has fewer replicas in sync than min.insync.replicas, and the 99th percentile of writes is within three times that
 * of the quiet time in the beginning. About ten minutes: `npm run test:day-two`.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import type { KafkaClusterSpec } from '../../operator/api/kafkacluster.ts'
import { TestApi } from '../tools/kube-api.ts'
import { RESULTS } from '../tools/parts.ts'
import { describeWith } from '../tools/requires.ts'
import { access, engine } from './bed/kubernetes.ts'
import { installOperator, kubectl, Namespace, useImage } from './cluster.ts'
import { DayTwo } from './day-two/cluster.ts'
import { Load } from './day-two/load.ts'
import { lossesOf, P99_FACTOR_MAX, problemsOf, type Summary, summaryOf, tableOf } from './day-two/report.ts'
import { kafkaCluster, kafkaTopic } from './manifests.ts'

const SUITE = 'the second day of a cluster'
const NODES = 3
const PARTITIONS = 6
const RATE = 10
const MEMBERS = 2
const MIN_ISR = 2
const WARM_UP_MS = 20_000
const QUIET_MS = 30_000
const QUIET_P99_MAX = 40
/** A phase that is over sooner goes on, so that its percentiles mean something. */
const PHASE_MS_MIN = 45_000
const PHASE_MS_MAX = 300_000
const storage = { size: '1Gi' }
/** What is one machine each elsewhere shares two cores here, and each partition that moves or changes its leader takes some of them. */
const CONFIG = { 'offsets.topic.num.partitions': PARTITIONS }
/** Pods that ask for nothing are those that get least when others start. */
const cpu = (request: string): object => ({ requests: { cpu: request } })
const CONTROLLERS = { name: 'controllers', roles: ['controller'], replicas: 3, storage, resources: cpu('100m') }
const BROKERS = { name: 'brokers', roles: ['broker'], replicas: 3, storage, resources: cpu('200m') }

describeWith(['kubernetes'], SUITE, () => {
  let namespace: Namespace
  let cluster: DayTwo
  let load: Load
  let quiet: Summary
  const summaries: Summary[] = []
  const spec: Partial<KafkaClusterSpec> = {}

  beforeAll(async () => {
    const first = access()?.images.ottla ?? ''
    const second = await engine().loadSecond(first)
    await installOperator()
    // The version before: the same broker in an image with another digest, at the level of metadata.version that it then had.
    await useImage('images', '4.2', second)
    namespace = await Namespace.create('day-two')
    cluster = new DayTwo(namespace, new TestApi())
    expect(await cluster.kubernetesNodes()).toHaveLength(NODES)
    await change({
      version: '4.2',
      pools: [CONTROLLERS, BROKERS],
      durability: { replicationFactor: 3, minInSyncReplicas: MIN_ISR },
      config: CONFIG,
    })
    await namespace.apply(kafkaTopic('orders', { partitions: PARTITIONS, replicas: 3 }))
    await cluster.settled()
    await cluster.topicSettled('orders')
    load = await Load.start(namespace, {
      bootstrap: 'main-bootstrap:9092',
      topic: 'orders',
      partitions: PARTITIONS,
      rate: RATE,
      members: MEMBERS,
      minIsr: MIN_ISR,
      node: await cluster.nodeOf('main-brokers-0'),
    })
  }, 300_000)

  afterAll(async () => {
    process.stderr.write(`\nms\n${tableOf(summaries)}\n`)
    mkdirSync(RESULTS, { recursive: true })
    writeFileSync(join(RESULTS, 'day-two-lines.json'), JSON.stringify({ summaries, ...(await load.told()) }))
    await Namespace.remove('day-two')
  }, 120_000)

  async function change(changes: object): Promise<void> {
    Object.assign(spec, changes)
    await namespace.apply(kafkaCluster(spec))
  }

  /** Has `body` done to the cluster, waits until all is well again, and looks at what the load has said meanwhile. */
  async function phase(name: string, body: () => Promise<void>): Promise<Summary> {
    const fromMs = Date.now()
    await body()
    await cluster.settled()
    await load.inSync()
    await sleep(Math.max(0, fromMs + PHASE_MS_MIN - Date.now()))
    const summary = summaryOf({ name, fromMs, toMs: Date.now() }, await load.told())
    summaries.push(summary)
    return summary
  }

  /** A phase of which nobody may notice anything; its name is the test's. */
  async function unnoticed(body: () => Promise<void>): Promise<void> {
    const name = expect.getState().currentTestName?.slice(SUITE.length + 1) ?? ''
    expect(problemsOf(await phase(name, body), quiet, P99_FACTOR_MAX)).toEqual([])
  }

  test(
    'quiet',
    async () => {
      // What is only there once, such as joining the group, is over by then.
      await sleep(WARM_UP_MS)
      quiet = await phase('quiet', () => sleep(QUIET_MS))
      expect(problemsOf(quiet, quiet, 1)).toEqual([])
      // What is compared to it would pass on a machine that is busy with something else.
      expect(quiet.p99).toBeLessThan(QUIET_P99_MAX)
    },
    PHASE_MS_MAX,
  )

  test(
    'image and metadata.version are upgraded',
    () =>
      unnoticed(async () => {
        const before = await cluster.podUids()
        await change({ version: '4.3' })
        await cluster.settled()
        const images = await cluster.images()
        expect(images).toEqual(images.map(() => access()?.images.ottla))
        const after = await cluster.podUids()
        for (const [pod, uid] of Object.entries(after)) expect(before[pod]).not.toBe(uid)
        expect(await cluster.status()).toMatchObject({ version: '4.3', metadataVersion: '4.3-IV0' })
      }),
    PHASE_MS_MAX,
  )

  test(
    'a configuration that brokers take on while they run changes',
    () =>
      unnoticed(async () => {
        const before = await cluster.podUids()
        await change({ config: { ...CONFIG, 'message.max.bytes': 2_000_000 } })
        await cluster.settled()
        expect(await cluster.podUids()).toEqual(before)
      }),
    PHASE_MS_MAX,
  )

  test(
    '3 brokers become 5',
    () =>
      unnoticed(async () => {
        await change({ pools: [CONTROLLERS, { ...BROKERS, replicas: 5 }] })
        await cluster.settled()
        expect(await load.inSync()).toEqual([1000, 1001, 1002, 1003, 1004])
      }),
    PHASE_MS_MAX,
  )

  test(
    'the topic has 4 replicas, and 3 again',
    () =>
      unnoticed(async () => {
        for (const replicas of [4, 3]) {
          await namespace.apply(kafkaTopic('orders', { partitions: PARTITIONS, replicas }))
          await namespace.has('kafkatopic/orders', '{.status.replicas}', String(replicas))
          await cluster.topicSettled('orders')
        }
      }),
    PHASE_MS_MAX,
  )

  test(
    '5 brokers become 3',
    () =>
      unnoticed(async () => {
        await change({ pools: [CONTROLLERS, BROKERS] })
        await cluster.settled()
        await cluster.gone('main-brokers-3', 'main-brokers-4')
      }),
    PHASE_MS_MAX,
  )

  test(
    'a node is drained, and comes back',
    () =>
      unnoticed(async () => {
        const node = await cluster.nodeOf('main-brokers-1')
        try {
          // By force: pods of nobody's, which other tests may have left.
          await kubectl(['drain', node, '--ignore-daemonsets', '--delete-emptydir-data', '--force', '--timeout=120s'])
          // While that one is away no other may go.
          await expect(cluster.evict('main-brokers-2')).rejects.toThrow('disruption budget')
        } finally {
          await kubectl(['uncordon', node])
        }
        await namespace.ready('pod/main-brokers-1')
      }),
    PHASE_MS_MAX,
  )

  test(
    'a broker pod is deleted',
    () =>
      unnoticed(async () => {
        const before = await cluster.podUids()
        await namespace.kubectl('delete', 'pod', 'main-brokers-2', '--wait')
        await namespace.kubectl('wait', '--for=create', 'pod/main-brokers-2', '--timeout=60s')
        await namespace.ready('pod/main-brokers-2')
        expect(await cluster.podUids()).not.toEqual(before)
      }),
    PHASE_MS_MAX,
  )

  test(
    'volumes grow',
    () =>
      unnoticed(async () => {
        const before = await cluster.podUids()
        await change({ pools: [CONTROLLERS, { ...BROKERS, storage: { size: '2Gi' } }] })
        await cluster.settled()
        for (const index of [0, 1, 2])
          await namespace.has(`pvc/data-0-main-brokers-${index}`, '{.status.capacity.storage}', '2Gi')
        expect(await cluster.podUids()).toEqual(before)
      }),
    PHASE_MS_MAX,
  )

  test(
    'a pool takes the place of another',
    () =>
      unnoticed(async () => {
        await change({ pools: [CONTROLLERS, { ...BROKERS, name: 'others' }] })
        await cluster.settled()
        await cluster.gone('main-brokers-0', 'main-brokers-1', 'main-brokers-2')
        expect(await load.inSync()).toEqual([2000, 2001, 2002])
      }),
    PHASE_MS_MAX,
  )

  test('the whole day', async () => {
    const [fromMs, toMs] = [quiet.toMs, summaries.at(-1)?.toMs ?? NaN]
    const day = summaryOf({ name: 'the whole day', fromMs, toMs }, await load.told())
    summaries.push(day)
    expect(problemsOf(day, quiet, P99_FACTOR_MAX)).toEqual([])
  }, 60_000)

  test('nothing is lost, twice there or out of order', async () => {
    expect(lossesOf(await load.stop())).toEqual([])
  }, 120_000)
})
