/**
 * What the operator asks of Kafka to scale a cluster, asked of a real one: four brokers as processes, three of them controllers too, under the load of
 * idempotent producers. Nothing that was acknowledged is lost, or there twice, or out of order. `KAFKA_TARGET=apache` asks Apache Kafka.
 */
import { rmSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import type { AdminClient } from '../../../broker/client/admin-client.ts'
import { KafkaError } from '../../../broker/client/kafka-error.ts'
import { PERSISTENT_VOLUME_CLAIM } from '../../../operator/api/resource.ts'
import type { KafkaCluster } from '../../../operator/api/resource.ts'
import type { PersistentVolumeClaim } from '../../../operator/cluster/kubernetes.ts'
import type { Observed } from '../../../operator/cluster/observe.ts'
import type { StepResult } from '../../../operator/cluster/step.ts'
import { readKafkaState } from '../../../operator/kafka/read-state.ts'
import type { KafkaState } from '../../../operator/kafka/state.ts'
import { KafkaReassignmentAdmin } from '../../../operator/reassignment/kafka-admin.ts'
import { ReassignmentStep } from '../../../operator/reassignment/step.ts'
import { throttle, unthrottle } from '../../../operator/reassignment/throttle.ts'
import { DrainStep } from '../../../operator/scaling/drain-step.ts'
import { KafkaScalingAdmin } from '../../../operator/scaling/kafka-admin.ts'
import { planQuorum } from '../../../operator/scaling/quorum-plan.ts'
import { kafkaCluster, operatorWorld, pool } from '../../fakes/operator.ts'
import { describeWith } from '../../tools/requires.ts'
import { TARGET } from '../../tools/target.ts'
import { changed, running, viewOf } from '../../unit/operator/scaling/world.ts'
import { Load } from './load/load.ts'
import { TestCluster } from './rig/cluster.ts'
import { combined, type NodePlan } from './rig/plan.ts'
import { inSync, partitionsOnce, until } from './rig/watch.ts'

const TOPIC = 'load'
const PARTITIONS = 6
const CONTROLLERS = [1, 2, 3]
const TEST_MS_MAX = 120_000

describeWith(TARGET === 'apache' ? ['java', 'mvn'] : [], `scaling a cluster of ${TARGET}`, () => {
  let cluster: TestCluster
  let admin: AdminClient
  let load: Load
  let operator: ReturnType<typeof operating>

  beforeAll(async () => {
    const nodes: NodePlan[] = [...combined([TARGET, TARGET, TARGET]), { id: 4, roles: ['broker'], kind: TARGET }]
    cluster = await TestCluster.start({ name: 'scaling', nodes })
    admin = cluster.admin()
    const assignments = Array.from({ length: PARTITIONS }, (_, index) => [1 + (index % 3), 1 + ((index + 1) % 3)])
    await admin.createTopics([{ name: TOPIC, assignments }])
    await inSync(cluster, TOPIC)
    operator = operating(admin)
    load = new Load(cluster, { topic: TOPIC, partitions: PARTITIONS, producers: [{ pauseMs: 5 }] })
    await load.start()
  }, 180_000)

  afterAll(async () => {
    load?.close()
    await admin?.[Symbol.asyncDispose]()
    await cluster?.[Symbol.asyncDispose]()
  }, 60_000)

  /** Changes voters until they are those that are wanted; what was done. */
  async function votersBecome(wanted: readonly number[]): Promise<string[]> {
    const scaling = new KafkaScalingAdmin(admin)
    const done: string[] = []
    const ask = async (): Promise<boolean> => {
      const { clusterId, quorum } = await readKafkaState(admin)
      const { change, waiting } = planQuorum(quorum, new Set(wanted), () => true)
      if (change === null) return waiting === null
      const { voter, kind } = change
      const address = cluster.node(voter.id).place.controller ?? { host: '', port: 0 }
      try {
        if (kind === 'add') await scaling.addVoter(clusterId, voter, address)
        else await scaling.removeVoter(clusterId, voter)
        done.push(`${kind} ${voter.id}`)
      } catch (error) {
        // As the operator's step: it looks again.
        if (!(error instanceof KafkaError)) throw error
      }
      return false
    }
    await until('the voters that are wanted', ask, (isDone) => isDone, 60_000)
    return done
  }

  test(
    'voters go and come, also one whose volume was lost',
    async () => {
      const gone = await votersBecome([1])
      expect(gone.toSorted()).toEqual(['remove 2', 'remove 3'])
      expect((await votersBecome(CONTROLLERS)).toSorted()).toEqual(['add 2', 'add 3'])
      const { clusterId } = await admin.describeCluster()
      const lost = cluster.node(3)
      await lost.stop()
      rmSync(lost.logDir, { recursive: true })
      await lost.format(clusterId ?? '', ['--no-initial-controllers'])
      await lost.start()
      const replaced = until(
        'replaced',
        () => votersBecome(CONTROLLERS),
        (done) => done.length > 0,
        60_000,
      )
      expect(await replaced).toEqual(['remove 3', 'add 3'])
      await inSync(cluster, TOPIC)
    },
    TEST_MS_MAX,
  )

  test('a throttle is set, seen and taken off', async () => {
    const moves = new KafkaReassignmentAdmin(admin)
    await throttle(moves, [TOPIC], 5_000_000)
    const seen = async (): Promise<unknown[]> => [await moves.limit(), ...(await moves.throttledTopics())]
    await until('throttled', seen, (now) => now.join() === `5000000,${TOPIC}`, 30_000)
    await unthrottle(moves)
    await until('free again', seen, (now) => now.length === 1 && now[0] === null, 30_000)
  }, 60_000)

  test(
    'a new broker gets its share',
    async () => {
      await operator.scale(3, 4)
      const partitions = await inSync(cluster, TOPIC)
      expect(partitions.filter(({ replicas }) => replicas.includes(4))).toHaveLength(3)
      // The controller has elected them; brokers know it a little later, and rebalance leaders by themselves only every 5 minutes.
      const isPreferred = ({ leader, replicas }: { leader: number; replicas: readonly number[] }) =>
        leader === replicas[0]
      await partitionsOnce(cluster, TOPIC, 'led by the preferred replicas', (all) => all.every(isPreferred))
    },
    TEST_MS_MAX,
  )

  test(
    'a replication factor changes',
    async () => {
      operator.factors.set(TOPIC, 3)
      await operator.scale(4, 4)
      expect((await inSync(cluster, TOPIC)).map(({ replicas }) => replicas.length)).toEqual(Array(PARTITIONS).fill(3))
      operator.factors.set(TOPIC, 2)
      await operator.scale(4, 4)
      expect((await inSync(cluster, TOPIC)).map(({ replicas }) => replicas.length)).toEqual(Array(PARTITIONS).fill(2))
    },
    TEST_MS_MAX,
  )

  test(
    'a broker is emptied and forgotten, and nothing is lost',
    async () => {
      await operator.scale(4, 3)
      expect(operator.mark(3)).toBe('drained')
      const scaling = new KafkaScalingAdmin(admin)
      expect([await scaling.isCordoned(4), await scaling.replicasOn(4)]).toEqual([true, 0])
      const made = await admin.createTopics([{ name: 'later', partitions: 4, replicationFactor: 3 }])
      expect(made.get('later')).toMatchObject({ partitions: 4 })
      expect((await inSync(cluster, 'later')).some(({ replicas }) => replicas.includes(4))).toBe(false)
      await cluster.node(4).stop()
      await until(
        'fenced',
        () => scaling.registered(),
        (all) => all.some(({ id, isFenced }) => id === 4 && isFenced),
        30_000,
      )
      await operator.scale(3, 3)
      const left = async (): Promise<number[]> => (await scaling.registered()).map(({ id }) => id)
      await until('forgotten', left, (ids) => !ids.includes(4), 30_000)
      expect(await load.finish()).toEqual([])
    },
    TEST_MS_MAX,
  )
})

/** The steps of the operator that move replicas, with a KafkaCluster whose brokers are those of the cluster. */
function operating(admin: AdminClient) {
  const { api, clock, events } = operatorWorld()
  const factors = new Map<string, number>()
  const reassignment = new ReassignmentStep({
    clock,
    adminOf: () => new KafkaReassignmentAdmin(admin),
    events,
    factorsOf: () => factors,
    rebalanceOf: async () => null,
  })
  const drain = new DrainStep({ api, events, adminOf: () => new KafkaScalingAdmin(admin) })
  const poolsOf = (brokers: number) => [
    pool({ name: 'controllers', roles: ['controller'], replicas: 3 }),
    pool({ name: 'brokers', roles: ['broker'], replicas: brokers }),
  ]
  const marks = (): PersistentVolumeClaim[] => api.all(PERSISTENT_VOLUME_CLAIM)

  /** `from` brokers run, `to` are asked for: resolves when all that is to move has moved. */
  async function scale(from: number, to: number): Promise<void> {
    const spec: KafkaCluster = kafkaCluster({ pools: poolsOf(from), rebalance: { onScale: 'auto', throttle: '10M' } })
    const pools = [
      { name: 'controllers', replicas: 3, ready: 3, nodeIds: [101, 102, 103] },
      { name: 'brokers', replicas: from, ready: from, nodeIds: Array.from({ length: from }, (_, index) => 1 + index) },
    ]
    const before = running({ ...spec, status: { pools } })
    for (const claim of before.claims) {
      const { namespace = '', name } = claim.metadata
      if (api.peek(PERSISTENT_VOLUME_CLAIM, namespace, name) === null) api.put(PERSISTENT_VOLUME_CLAIM, claim)
    }
    let observed: Observed = changed(before, poolsOf(to))
    for (let runs = 0; runs < 300; runs++) {
      const kafka = await readKafkaState(admin)
      observed = { ...observed, claims: marks() }
      const result = await run(observed, kafka)
      const { cluster } = observed
      observed = { ...observed, cluster: { ...cluster, status: { ...cluster.status, ...result.status } } }
      const isEmpty = from <= to || mark(to) === 'drained'
      if (result.status?.reassignment?.state === 'Idle' && isEmpty) return
      await sleep(100)
    }
    throw new Error(`no end: ${JSON.stringify(observed.cluster.status?.reassignment)}`)
  }

  async function run(observed: Observed, kafka: KafkaState): Promise<StepResult> {
    await drain.run(viewOf(observed, kafka))
    return reassignment.run(viewOf(observed, kafka))
  }

  function mark(ordinal: number): string | undefined {
    const claim = marks().find(({ metadata }) => metadata.name === `data-0-orders-brokers-${ordinal}`)
    return claim?.metadata.annotations?.['kafka.ottla.dev/drain']
  }

  return { scale, mark, factors }
}
