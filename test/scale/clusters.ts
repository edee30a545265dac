/** `node test/scale/clusters.ts [CLUSTERS]`: what 100 KafkaClusters cost the operator; Kubernetes and Kafka are simulated. */
import {
  CONFIG_MAP,
  EVENT,
  KAFKA_CLUSTER,
  POD,
  POD_DISRUPTION_BUDGET,
  SERVICE,
  SERVICE_ACCOUNT,
  STATEFUL_SET,
} from '../../operator/api/resource.ts'
import { kafkaCluster } from '../fakes/operator.ts'
import { FakeKubelet } from '../fakes/kubelet.ts'
import { FakeApiServer } from './fake-api.ts'
import { isReady, MeasuredOperator, timed } from './rig.ts'

const CLUSTERS = Number(process.argv[2] ?? 100)
const IDLE_RESYNCS = 3
const KUBELET_MS = 500
const TYPES = [CONFIG_MAP, EVENT, KAFKA_CLUSTER, POD, POD_DISRUPTION_BUDGET, SERVICE, SERVICE_ACCOUNT, STATEFUL_SET]

await using api = await FakeApiServer.start(TYPES)
const clusters = () => api.kube.all(KAFKA_CLUSTER)
for (let index = 0; index < CLUSTERS; index++) api.kube.put(KAFKA_CLUSTER, kafkaCluster({}, `cluster-${index}`))
const kubelet = new FakeKubelet(api.kube)
const running = setInterval(() => kubelet.run(), KUBELET_MS)
try {
  await using operator = new MeasuredOperator(api.url, null)
  await timed(`${CLUSTERS} clusters made and Ready`, () => clusters().every(isReady))
  operator.report()
  await operator.idle(IDLE_RESYNCS)
} finally {
  clearInterval(running)
}
