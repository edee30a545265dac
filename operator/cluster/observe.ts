import {
  CONFIG_MAP,
  KAFKA_CLUSTER,
  LABEL_CLUSTER,
  PERSISTENT_VOLUME_CLAIM,
  POD,
  POD_DISRUPTION_BUDGET,
  SERVICE,
  SERVICE_ACCOUNT,
  STATEFUL_SET,
} from '../api/resource.ts'
import type { KafkaCluster, Resource, ResourceType } from '../api/resource.ts'
import type { KubeApi } from '../kube/api.ts'
import { bootstrapServiceName, headlessServiceName, serviceAccountName, statefulSetName } from '../specs/nodes.ts'
import { disruptionBudgetNames } from '../specs/disruption-budgets.ts'
import { remembered } from './pools.ts'
import type { ConfigMap, PersistentVolumeClaim, Pod, StatefulSet } from './kubernetes.ts'

/** What is there of a cluster, its status completed by what its StatefulSets and volumes remember, read at one go before anything is decided. */
export interface Observed {
  readonly cluster: KafkaCluster
  /** By name; all that there are, also of pools that the spec does not name any more. */
  readonly statefulSets: ReadonlyMap<string, StatefulSet>
  readonly pods: readonly Pod[]
  /** The configurations that nodes have, or had. */
  readonly configMaps: readonly ConfigMap[]
  readonly claims: readonly PersistentVolumeClaim[]
  /** What else is there under the names that this cluster needs: its ServiceAccount, Services and PodDisruptionBudgets. */
  readonly others: readonly Resource[]
  /** Objects under names that this cluster needs and that are somebody else's: `kind name`. */
  readonly foreign: readonly string[]
  /** The same, but of a former cluster of this name, and about to be garbage collected. */
  readonly leftover: readonly string[]
}

/** Reads live objects, not a cache: what follows may be destructive. */
export async function observe(api: KubeApi, cluster: KafkaCluster): Promise<Observed> {
  const namespace = cluster.metadata.namespace ?? ''
  const mine = { namespace, labelSelector: `${LABEL_CLUSTER}=${cluster.metadata.name}` }
  const [children, sets, pods, configMaps, claims] = await Promise.all([
    Promise.all(childNames(cluster).map(([type, name]) => api.get<Resource>(type, namespace, name))),
    api.list<StatefulSet>(STATEFUL_SET, mine),
    api.list<Pod>(POD, mine),
    api.list<ConfigMap>(CONFIG_MAP, mine),
    api.list<PersistentVolumeClaim>(PERSISTENT_VOLUME_CLAIM, mine),
  ])
  const present = children.filter((child) => child !== null)
  const named = present.filter((child): child is StatefulSet => child.kind === STATEFUL_SET.kind)
  // By name too: somebody may have taken the label off.
  const statefulSets = new Map([...sets.items, ...named].map((set) => [set.metadata.name, set]))
  return {
    cluster: remembered(cluster, [...statefulSets.values(), ...claims.items]),
    statefulSets,
    pods: pods.items,
    configMaps: configMaps.items,
    claims: claims.items,
    others: present.filter(({ kind }) => kind !== STATEFUL_SET.kind),
    foreign: namesOf(present.filter((child) => ownership(child, cluster) === 'foreign')),
    leftover: namesOf(present.filter((child) => ownership(child, cluster) === 'leftover')),
  }
}

/** The same after something has been applied: the StatefulSets and the pods anew. */
export async function refresh(api: KubeApi, observed: Observed): Promise<Observed> {
  const { namespace = '', name } = observed.cluster.metadata
  const mine = { namespace, labelSelector: `${LABEL_CLUSTER}=${name}` }
  const [sets, pods] = await Promise.all([api.list<StatefulSet>(STATEFUL_SET, mine), api.list<Pod>(POD, mine)])
  const statefulSets = new Map(sets.items.map((set) => [set.metadata.name, set]))
  return { ...observed, statefulSets, pods: pods.items }
}

/** What was there of `kind` and `name`. */
export function findObserved(observed: Observed, kind: string, name: string): Resource | undefined {
  const { statefulSets, configMaps, others } = observed
  return [...statefulSets.values(), ...configMaps, ...others].find(
    (one) => one.kind === kind && one.metadata.name === name,
  )
}

function childNames(cluster: KafkaCluster): [ResourceType, string][] {
  return [
    [SERVICE_ACCOUNT, serviceAccountName(cluster)],
    [SERVICE, headlessServiceName(cluster)],
    [SERVICE, bootstrapServiceName(cluster)],
    ...disruptionBudgetNames(cluster).map((name): [ResourceType, string] => [POD_DISRUPTION_BUDGET, name]),
    ...cluster.spec.pools.map((pool): [ResourceType, string] => [STATEFUL_SET, statefulSetName(cluster, pool)]),
  ]
}

type Ownership = 'mine' | 'leftover' | 'foreign'

/** An orphan with the cluster's labels counts as its own: that is how a cluster is handed over (`kubectl delete --cascade=orphan`). */
function ownership({ metadata }: Resource, cluster: KafkaCluster): Ownership {
  const { uid, name } = cluster.metadata
  const owner = metadata.ownerReferences?.find(({ controller }) => controller === true)
  if (owner === undefined) return metadata.labels?.[LABEL_CLUSTER] === name ? 'mine' : 'foreign'
  if (owner.uid === uid) return 'mine'
  return owner.kind === KAFKA_CLUSTER.kind && owner.name === name ? 'leftover' : 'foreign'
}

function namesOf(children: readonly Resource[]): string[] {
  return children.map(({ kind, metadata }) => `${kind} ${metadata.name}`)
}
