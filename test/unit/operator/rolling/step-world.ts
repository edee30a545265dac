import { EVENT, KAFKA_CLUSTER } from '../../../../operator/api/resource.ts'
import type { KafkaCluster, Resource } from '../../../../operator/api/resource.ts'
import { bringClusterConfig } from '../../../../operator/cluster/broker-config.ts'
import { isPodReady } from '../../../../operator/cluster/kubernetes.ts'
import { ClusterReconciler } from '../../../../operator/cluster/reconcile.ts'
import type { Configured } from '../../../../operator/cluster/reconcile.ts'
import type { KafkaState, PartitionState, Unreachable } from '../../../../operator/kafka/state.ts'
import { MetadataVersionStep } from '../../../../operator/rolling/metadata-version-step.ts'
import { RollingStep } from '../../../../operator/rolling/step.ts'
import { nodesOf } from '../../../../operator/specs/nodes.ts'
import { FakeClusterConfig } from '../../../fakes/cluster-config.ts'
import { FakeKubelet } from '../../../fakes/kubelet.ts'
import { condition, kafkaCluster, kafkaState, operatorWorld, pool, quorumReplica } from '../../../fakes/operator.ts'
import { partition } from './roll-world.ts'

const KEY = 'kafka/orders'
export const IMAGES = new Map([
  ['4.3', 'ottla:3'],
  ['4.2', 'ottla:2'],
])

export const POOLS = [
  pool({ name: 'controllers', roles: ['controller'], replicas: 3 }),
  pool({ name: 'brokers', roles: ['broker'], replicas: 3 }),
]
const BROKER_IDS = [1000, 1001, 1002]

/** A cluster on a fake Kubernetes, and a Kafka that is as its pods are: a broker is in sync while its pod is ready. */
export class RollWorld {
  readonly world = operatorWorld()
  readonly api = this.world.api
  readonly kubelet = new FakeKubelet(this.api, () => this.world.clock.wallMs())
  partitions: PartitionState[] = [partition(BROKER_IDS), partition([1001, 1002, 1000], { partition: 1 })]
  /** Replication factors that are asked for. */
  factors: ReadonlyMap<string, number> = new Map()
  metadataVersion = 30
  /** What the operator asks of Kafka besides looking at it. */
  readonly asked: string[] = []
  /** Called before each look. */
  onLook: () => void = () => {}
  silence: string | null = null
  /** What brokers take on while they run, and why they do not answer about it. */
  readonly brokerConfig = new FakeClusterConfig()
  failure: string | null = null
  /** Pods whose replicas are not in sync yet. */
  readonly behind = new Set<string>()
  /** Names of pods, in the order in which they were deleted. */
  readonly restarted: string[] = []
  images: ReadonlyMap<string, string> = IMAGES
  /** Else it is another one each time, which remembers nothing. */
  isOneOperator = false
  #rolling: RollingStep | null = null

  constructor(change: Partial<KafkaCluster['spec']> = {}) {
    this.api.put(KAFKA_CLUSTER, kafkaCluster({ pools: POOLS, ...change }))
    const remove = this.api.delete.bind(this.api)
    this.api.delete = async (type, namespace, name, options) => {
      await remove(type, namespace, name, options)
      if (type.kind === 'Pod') this.restarted.push(name)
    }
  }

  get stored(): KafkaCluster {
    const cluster = this.api.peek<KafkaCluster>(KAFKA_CLUSTER, 'kafka', 'orders')
    if (cluster === null) throw new Error('no KafkaCluster')
    return cluster
  }

  get config(): ReadonlyMap<string, string> {
    return this.brokerConfig.config
  }

  get rollout() {
    return this.stored.status?.rollout
  }

  change(spec: Partial<KafkaCluster['spec']>, annotations: Record<string, string> = {}): void {
    const { status: _, ...cluster } = this.stored
    const metadata = { ...cluster.metadata, annotations }
    this.api.put(KAFKA_CLUSTER, { ...cluster, metadata, spec: { ...cluster.spec, ...spec } })
  }

  async reconcile() {
    const { world } = this
    const brokers = {
      look: () => Promise.resolve(this.#look()),
      configure: (_: KafkaCluster, wanted: ReadonlyMap<string, string>, told: string | null) =>
        this.failure === null
          ? bringClusterConfig(this.brokerConfig, wanted, told)
          : Promise.resolve({ error: this.failure }),
      setMetadataVersion: (_: KafkaCluster, level: number, isLower: boolean): Promise<Configured> => {
        this.asked.push(`metadata.version ${this.metadataVersion} -> ${level}${isLower ? ' lower' : ''}`)
        this.metadataVersion = level
        return Promise.resolve({ changes: '' })
      },
    }
    const deps = { ...world, brokers, factorsOf: () => this.factors }
    const rolling = this.isOneOperator ? (this.#rolling ??= new RollingStep(deps)) : new RollingStep(deps)
    const steps = [rolling, new MetadataVersionStep({ ...world, ...brokers })]
    const options = { images: { bundled: this.images, apache: this.images }, resyncMs: 300_000, recheckMs: 3000 }
    const effective = (cluster: KafkaCluster): KafkaCluster => ({
      ...cluster,
      status: { ...cluster.status, quorum: { voters: [] } },
    })
    return new ClusterReconciler(options, { ...world, brokers, effective, steps }).reconcile(KEY)
  }

  /** Reconciles, with Kubernetes doing its part, until nothing is to be done any more or `roundsMax` have passed. */
  async settle(roundsMax = 60): Promise<void> {
    for (let round = 0; round < roundsMax; round++) {
      await this.reconcile()
      const made = this.kubelet.run()
      if (made.length === 0 && this.rollout?.state === 'Complete' && round > 1) return
      this.world.clock.advance(1000)
    }
  }

  #look(): KafkaState | Unreachable {
    this.onLook()
    if (this.silence !== null) return { error: this.silence }
    const up = new Set(
      this.kubelet
        .pods()
        .filter(isPodReady)
        .map(({ metadata }) => metadata.name),
    )
    const nodes = nodesOf(this.stored).filter(({ podName }) => up.has(podName))
    const ids = nodes.filter(({ podName }) => !this.behind.has(podName)).map(({ nodeId }) => nodeId)
    return kafkaState({
      clusterId: this.stored.status?.clusterId ?? '',
      brokers: new Map(
        nodes.filter(({ pool: { roles } }) => roles.includes('broker')).map(({ nodeId }) => [nodeId, { rack: null }]),
      ),
      quorum: {
        leaderId: [0, 1, 2].find((id) => ids.includes(id)) ?? -1,
        voters: [0, 1, 2].map((id) => quorumReplica(id, ids.includes(id) ? 0 : null)),
        observers: [],
      },
      partitions: this.partitions.map((each) => ({ ...each, isr: each.replicas.filter((id) => ids.includes(id)) })),
      metadataVersion: { finalized: this.metadataVersion, min: 7, max: 30 },
    })
  }
}

/** The pods in the order in which they are restarted. */
export const CONTROLLERS = ['orders-controllers-1', 'orders-controllers-2', 'orders-controllers-0']
export const BROKERS = ['orders-brokers-0', 'orders-brokers-1', 'orders-brokers-2']
export const ALL = [...CONTROLLERS, ...BROKERS]

/** A cluster that is up, and as it was asked for; nothing has been restarted. */
export async function settled(change: ConstructorParameters<typeof RollWorld>[0] = {}): Promise<RollWorld> {
  const world = new RollWorld(change)
  await world.settle()
  const ready = condition(world.stored, 'Ready')
  if (ready !== 'True Ready: 6 of 6 nodes are ready') throw new Error(`not ready: ${ready}`)
  return world
}

/** A change has been made, and has been told in the status; nothing has been restarted yet. */
export async function announced(world: RollWorld, change: Parameters<RollWorld['change']>[0]): Promise<void> {
  world.change(change)
  await world.reconcile()
  world.kubelet.run()
}

/** What the Events say. */
export function notes(world: RollWorld): string[] {
  return (world.api.all(EVENT) as (Resource & { note: string })[]).map(({ note }) => note)
}
