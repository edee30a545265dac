import { expect, test } from '@jest/globals'
import { ANNOTATION_PAUSED } from '../../../../operator/api/paused.ts'
import { KAFKA_CLUSTER, STATEFUL_SET } from '../../../../operator/api/resource.ts'
import type { KafkaCluster } from '../../../../operator/api/resource.ts'
import { ClusterReconciler } from '../../../../operator/cluster/reconcile.ts'
import type { KafkaState, Unreachable } from '../../../../operator/kafka/state.ts'
import { FakeKubelet } from '../../../fakes/kubelet.ts'
import { condition, kafkaCluster, kafkaState, operatorWorld, pool } from '../../../fakes/operator.ts'

const KEY = 'kafka/orders'
const images = { bundled: new Map([['4.3', 'ottla:1']]), apache: new Map([['4.3', 'apache:1']]) }

class World {
  readonly world = operatorWorld()
  kafka: KafkaState | Unreachable = kafkaState()
  readonly steps: string[] = []
  readonly #reconciler = new ClusterReconciler(
    { images, resyncMs: 300_000, recheckMs: 3000 },
    {
      ...this.world,
      brokers: { look: () => Promise.resolve(this.kafka) },
      effective: (one) => one,
      steps: [
        {
          run: () => this.#note('run'),
          tell: () => this.#note('tell'),
        },
      ],
    },
  )

  put(isPaused: boolean, replicas: number): void {
    const cluster = kafkaCluster({ pools: [pool({ replicas })] })
    const annotations = isPaused ? { [ANNOTATION_PAUSED]: 'true' } : {}
    const { status } = this.stored() ?? {}
    const metadata = { ...cluster.metadata, annotations }
    this.world.api.put<KafkaCluster>(KAFKA_CLUSTER, {
      ...cluster,
      metadata,
      ...(status === undefined ? {} : { status }),
    })
  }

  stored(): KafkaCluster | null {
    return this.world.api.peek<KafkaCluster>(KAFKA_CLUSTER, 'kafka', 'orders')
  }

  startPods(): void {
    new FakeKubelet(this.world.api).run()
    const brokers = new Map([0, 1, 2].map((id) => [id, { rack: null }]))
    this.kafka = kafkaState({ clusterId: this.stored()?.status?.clusterId ?? '', brokers })
  }

  reconcile() {
    return this.#reconciler.reconcile(KEY)
  }

  async #note(what: string) {
    this.steps.push(what)
    return {}
  }
}

/** One that runs with a node, is then paused, and asked for three. */
async function paused(): Promise<World> {
  const world = new World()
  world.put(false, 1)
  await world.reconcile()
  world.startPods()
  await world.reconcile()
  world.put(true, 3)
  world.world.api.writes.length = 0
  world.steps.length = 0
  return world
}

test('a cluster that is paused is looked at, and nothing of it is changed', async () => {
  const world = await paused()
  const { requeueAfterMs } = await world.reconcile()
  expect(world.world.api.writes.filter((write) => !write.includes('Event'))).toEqual([
    'applyStatus KafkaCluster kafka/orders',
  ])
  expect(world.steps).toEqual(['tell'])
  expect(condition(world.stored(), 'Ready')).toBe(
    'True Paused: paused by the annotation kafka.ottla.dev/paused: nothing is changed; 1 of 1 nodes are ready',
  )
  expect(world.stored()?.status).toMatchObject({ readyNodes: 1, pools: [{ replicas: 1, ready: 1 }] })
  expect(requeueAfterMs).toBe(300_000)
})

test('one whose brokers do not answer is not ready for being paused', async () => {
  const world = await paused()
  world.kafka = { error: 'no answer' }
  expect((await world.reconcile()).requeueAfterMs).toBe(3000)
  expect(condition(world.stored(), 'Ready')).toMatch(/^Unknown BrokersUnreachable: paused by .*no answer$/)
})

test('once it is not paused any more it is what its spec says', async () => {
  const world = await paused()
  await world.reconcile()
  world.put(false, 3)
  await world.reconcile()
  expect(
    world.world.api.peek<KafkaCluster & { spec: { replicas: number } }>(STATEFUL_SET, 'kafka', 'orders-nodes')?.spec
      .replicas,
  ).toBe(3)
})

test('one that is paused from the start is not made', async () => {
  const world = new World()
  world.put(true, 1)
  await world.reconcile()
  expect(world.world.api.all(STATEFUL_SET)).toEqual([])
  expect(condition(world.stored(), 'Stalled')).toBe(
    'True Paused: nothing is made of it while the annotation kafka.ottla.dev/paused is set',
  )
})
