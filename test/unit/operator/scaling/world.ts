import { ANNOTATION_DRAIN, ANNOTATION_NODE_IDS, LABEL_POOL } from '../../../../operator/api/resource.ts'
import type { KafkaCluster } from '../../../../operator/api/resource.ts'
import type { PersistentVolumeClaim, StatefulSet } from '../../../../operator/cluster/kubernetes.ts'
import type { Observed } from '../../../../operator/cluster/observe.ts'
import { remembered } from '../../../../operator/cluster/pools.ts'
import type { ClusterView } from '../../../../operator/cluster/step.ts'
import { Applier } from '../../../../operator/kube/applier.ts'
import type { KafkaState, PartitionState, Unreachable } from '../../../../operator/kafka/state.ts'
import { effectiveCluster } from '../../../../operator/scaling/effective.ts'
import { nodesOf } from '../../../../operator/specs/nodes.ts'
import { poolMemory } from '../../../../operator/specs/pool-memory.ts'
import { poolStatuses } from '../../../../operator/specs/pool-status.ts'
import { FakeKube } from '../../../fakes/kube.ts'
import { kafkaState, quorumReplica } from '../../../fakes/operator.ts'

/** What is there of a cluster that runs with the pools of `cluster`, its quorum formed. */
export function running(cluster: KafkaCluster, marks: Readonly<Record<string, string>> = {}): Observed {
  const status = { quorum: { voters: [] }, pools: poolStatuses(cluster, []) }
  const there = { ...cluster, status }
  const sets = there.spec.pools.map((pool): StatefulSet => ({
    apiVersion: 'apps/v1',
    kind: 'StatefulSet',
    metadata: {
      name: `orders-${pool.name}`,
      labels: { [LABEL_POOL]: pool.name },
      annotations: poolMemory(there, pool, 'id'),
    },
    spec: { replicas: pool.replicas },
  }))
  return {
    cluster: there,
    statefulSets: new Map(sets.map((set) => [set.metadata.name, set])),
    pods: [],
    configMaps: [],
    claims: nodesOf(there).map(({ podName, pool }) => claim(podName, pool.name, sets, marks[podName])),
    others: [],
    foreign: [],
    leftover: [],
  }
}

function claim(
  podName: string,
  pool: string,
  sets: readonly StatefulSet[],
  mark: string | undefined,
): PersistentVolumeClaim {
  const set = sets.find(({ metadata }) => metadata.name === `orders-${pool}`)
  const ids = set?.metadata.annotations?.[ANNOTATION_NODE_IDS] ?? ''
  const annotations = { [ANNOTATION_NODE_IDS]: ids, ...(mark === undefined ? {} : { [ANNOTATION_DRAIN]: mark }) }
  const metadata = { name: `data-0-${podName}`, namespace: 'kafka', labels: { [LABEL_POOL]: pool }, annotations }
  return { apiVersion: 'v1', kind: 'PersistentVolumeClaim', metadata }
}

/** The same, and the user asks for other pools. */
export function changed(before: Observed, pools: KafkaCluster['spec']['pools']): Observed {
  const { cluster, statefulSets, claims } = before
  const asked = { ...cluster, spec: { ...cluster.spec, pools } }
  return { ...before, cluster: remembered(asked, [...statefulSets.values(), ...claims]) }
}

/** Kafka with these voters, brokers and partitions. */
export function kafka(change: {
  voters?: readonly number[]
  brokers?: readonly number[]
  partitions?: readonly PartitionState[]
}): KafkaState {
  const voters = change.voters ?? [0]
  return kafkaState({
    quorum: { leaderId: voters[0] ?? -1, voters: voters.map((id) => quorumReplica(id)), observers: [] },
    brokers: new Map((change.brokers ?? []).map((id) => [id, { rack: null }])),
    partitions: change.partitions ?? [],
  })
}

/** A partition that is well. */
export function partition(
  index: number,
  replicas: readonly number[],
  change: Partial<PartitionState> = {},
): PartitionState {
  return {
    topic: 'payments',
    topicId: 'id-of-payments',
    partition: index,
    leader: replicas[0] ?? null,
    replicas,
    isr: replicas,
    adding: [],
    removing: [],
    minIsr: 1,
    ...change,
  }
}

/** What steps see of `observed`, its pools as they are to run. */
export function viewOf(observed: Observed, state: KafkaState | Unreachable): ClusterView {
  const cluster = effectiveCluster(observed.cluster, observed, state)
  return {
    cluster,
    asked: observed.cluster,
    observed,
    kafka: state,
    plan: { replaced: [], manifests: [], growClaims: [], version: '4.3', image: 'ottla' },
    applier: new Applier({ before: new Map() }, { api: new FakeKube() }),
    nowMs: 0,
  }
}
