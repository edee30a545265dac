import { Gauge } from 'prom-client'
import type { Registry } from 'prom-client'
import type { KafkaCluster, KafkaRebalance, KafkaTopic, Resource } from '../api/resource.ts'
import type { Condition } from '../api/conditions.ts'
import { CLUSTER_LABEL, RESOURCE_NAMESPACE_LABEL } from './selector.ts'

/** What the operator looks after, as its caches have it. */
export interface Resources {
  clusters(): readonly KafkaCluster[]
  topics(): readonly KafkaTopic[]
  rebalances(): readonly KafkaRebalance[]
}

type WithConditions = Resource & { readonly status?: { readonly conditions?: readonly Condition[] } }
type Cluster = KafkaCluster & WithConditions

const CLUSTER_LABELS = [RESOURCE_NAMESPACE_LABEL, CLUSTER_LABEL] as const
const STATUSES = ['True', 'False', 'Unknown'] as const
const STATES = ['ready', 'progressing', 'stalled', 'unknown'] as const
const PARTITIONS = ['total', 'underReplicated', 'underMinIsr', 'offline'] as const

/**
 * How the resources are, read off the caches at each scrape. A condition has a series for each status, 1 for the one it has, as those of
 * kube-state-metrics; topics are only counted, since there may be tens of thousands.
 */
export class ResourceMetrics {
  #resources: Resources | null = null

  constructor({ registry }: { readonly registry: Registry }) {
    this.#ofClusters(registry, 'condition', 'Conditions of a KafkaCluster.', ['type', 'status'], conditionSamples)
    this.#ofClusters(registry, 'nodes', 'Nodes that a KafkaCluster is to have.', [], ({ spec }) => [
      [{}, spec.pools.reduce((sum, { replicas }) => sum + replicas, 0)],
    ])
    this.#ofClusters(
      registry,
      'nodes_ready',
      'Nodes of a KafkaCluster that are ready.',
      ['distribution'],
      (cluster) => [[{ distribution: cluster.spec.distribution }, cluster.status?.readyNodes ?? 0]],
    )
    this.#ofClusters(registry, 'partitions', 'Partitions of a KafkaCluster, by how they are.', ['state'], (cluster) =>
      PARTITIONS.map((state) => [{ state }, cluster.status?.partitions?.[state] ?? 0]),
    )
    this.#counts(registry)
  }

  /** Null: there are none, while another operator leads. */
  watch(resources: Resources | null): void {
    this.#resources = resources
  }

  #ofClusters(
    registry: Registry,
    name: string,
    help: string,
    labels: readonly string[],
    samples: (cluster: Cluster) => readonly [Record<string, string>, number][],
  ): void {
    const clusters = (): readonly Cluster[] => this.#resources?.clusters() ?? []
    const gauge: Gauge = new Gauge({
      name: `ottla_cluster_${name}`,
      help,
      labelNames: [...CLUSTER_LABELS, ...labels],
      registers: [registry],
      collect: () => {
        gauge.reset()
        for (const cluster of clusters()) {
          const { name: kafkaCluster, namespace = '' } = cluster.metadata
          const own = { [RESOURCE_NAMESPACE_LABEL]: namespace, [CLUSTER_LABEL]: kafkaCluster }
          for (const [more, value] of samples(cluster)) gauge.set({ ...own, ...more }, value)
        }
      },
    })
  }

  #counts(registry: Registry): void {
    const all = (): [string, readonly WithConditions[]][] => [
      ['KafkaCluster', this.#resources?.clusters() ?? []],
      ['KafkaTopic', this.#resources?.topics() ?? []],
      ['KafkaRebalance', this.#resources?.rebalances() ?? []],
    ]
    const gauge = new Gauge({
      name: 'ottla_resources',
      help: 'Custom resources, by kind and by how they are.',
      labelNames: ['kind', 'state'],
      registers: [registry],
      collect: () => {
        gauge.reset()
        for (const [kind, resources] of all()) {
          for (const state of STATES) gauge.set({ kind, state }, 0)
          for (const resource of resources) gauge.inc({ kind, state: stateOf(resource) })
        }
      },
    })
  }
}

function conditionSamples({ status }: Cluster): [Record<string, string>, number][] {
  return (status?.conditions ?? []).flatMap(({ type, status: now }) =>
    STATUSES.map((each): [Record<string, string>, number] => [{ type, status: each }, Number(each === now)]),
  )
}

/** As `Health` has it. */
function stateOf({ status }: WithConditions): (typeof STATES)[number] {
  const statusOf = (type: string) => status?.conditions?.find((condition) => condition.type === type)?.status
  if (statusOf('Stalled') === 'True') return 'stalled'
  const ready = statusOf('Ready')
  if (ready === 'True') return 'ready'
  return ready === 'False' ? 'progressing' : 'unknown'
}
