/**
 * `node test/scale/clusters.ts [CLUSTERS] [NODES]`: what 100 KafkaClusters, of one node each, cost the operator in a Kubernetes whose kubelets are kwok's.
 * They are there before it starts; Kafka is simulated. `IDLE_RESYNCS`: how many rounds of ten seconds it is watched while there is nothing to do.
 */
import { KAFKA_CLUSTER, PERSISTENT_VOLUME_CLAIM, POD, STATEFUL_SET } from '../../operator/api/resource.ts'
import type { Resource, ResourceType } from '../../operator/api/resource.ts'
import { isPodReady } from '../../operator/cluster/kubernetes.ts'
import type { PersistentVolumeClaim, Pod, StatefulSet } from '../../operator/cluster/kubernetes.ts'
import { kafkaCluster, pool } from '../fakes/operator.ts'
import { KwokKubernetes } from './kwok.ts'
import { allOf, isReady, MeasuredOperator, NAMESPACE } from './rig.ts'

const CLUSTERS = Number(process.argv[2] ?? 100)
const NODES = Number(process.argv[3] ?? 1)
const IDLE_RESYNCS = Number(process.env['IDLE_RESYNCS'] ?? 3)

await using kubernetes = await KwokKubernetes.start({ volumes: CLUSTERS * NODES })
for (let index = 0; index < CLUSTERS; index++) {
  const name = `cluster-${index}`
  const cluster = kafkaCluster({ pools: [pool({ replicas: NODES })] }, name)
  await kubernetes.api.create(KAFKA_CLUSTER, { ...cluster, metadata: { name, namespace: NAMESPACE } })
}
await using operator = new MeasuredOperator({ server: kubernetes.url, account: kubernetes.account, broker: null })
const what = `${CLUSTERS} clusters${NODES === 1 ? '' : ` of ${NODES} nodes`} made and Ready`
await operator.measure(what, async () => (await lacking(KAFKA_CLUSTER, CLUSTERS, isReady)) ?? lackingOfKubernetes())
await operator.idle(IDLE_RESYNCS)

/** What its controllers, scheduler and kubelets have not done yet. */
async function lackingOfKubernetes(): Promise<string | null> {
  const nodes = CLUSTERS * NODES
  return (
    (await lacking<StatefulSet>(STATEFUL_SET, CLUSTERS, ({ status }) => status?.readyReplicas === NODES)) ??
    (await lacking<Pod>(POD, nodes, (pod) => isPodReady(pod) && pod.spec?.nodeName !== undefined)) ??
    lacking<PersistentVolumeClaim>(PERSISTENT_VOLUME_CLAIM, nodes, ({ status }) => status?.phase === 'Bound')
  )
}

async function lacking<T extends Resource>(type: ResourceType, count: number, is: (one: T) => boolean) {
  const { items } = await kubernetes.api.list<T>(type, { namespace: NAMESPACE })
  return allOf(`${type.kind}s as they should be`, items, count, is)
}
