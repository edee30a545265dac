// The operator of this folder's measurements, as a process of its own: node operator-process.ts API_SERVER NAMESPACE BROKER RESYNC_MS. With a BROKER it looks
// after topics only, whose clusters all have that broker; with `none` Kafka is simulated.
import { pino } from 'pino'
import { nodeEnv } from '../../broker/host/env.ts'
import { Admins } from '../../operator/admins.ts'
import { splitAddress } from '../../operator/api/address.ts'
import { operatorFlags } from '../../operator/flags.ts'
import { KubeRest } from '../../operator/kube/rest.ts'
import { KubeTransport } from '../../operator/kube/transport.ts'
import { OperatorMetrics } from '../../operator/metrics.ts'
import { Operator } from '../../operator/operator.ts'
import type { OperatorDeps } from '../../operator/operator.ts'
import { FakeTopics, kafkaState } from '../fakes/operator.ts'
import { FakeReassignments } from '../fakes/reassignment.ts'
import { FakeScaling } from '../fakes/scaling.ts'

const [server = '', namespace = '', broker = '', resyncMs = ''] = process.argv.slice(2)
const isSimulated = broker === 'none'
const { operator: flags } = operatorFlags(['--image', 'none'], {})
const env = nodeEnv()
const transport = new KubeTransport({ server, options: async () => ({ headers: {} }) })
const clusterWorkers = isSimulated ? flags.clusterWorkers : 0
const operator = new Operator(
  { ...flags, namespaces: [namespace], identity: 'scale', lease: null, clusterWorkers, resyncMs: Number(resyncMs) },
  {
    ...env,
    apiFor: (signal) => new KubeRest({ signal }, { transport }),
    logger: pino({ level: 'warn' }),
    metrics: new OperatorMetrics(),
    post: () => Promise.reject(new Error('no Alertmanager here')),
    admins: isSimulated ? simulated() : new Admins({ bootstrapOf: () => splitAddress(broker) }, env),
  },
)
const stop = new AbortController()
process.once('SIGTERM', () => stop.abort(new Error('SIGTERM')))
await operator.run(stop.signal)
process.exit(0)

/** Clusters of one node each that are well. */
function simulated(): OperatorDeps['admins'] {
  const [scaling, reassignments, topics] = [new FakeScaling(), new FakeReassignments([0]), new FakeTopics()]
  return {
    look: async ({ status }) => kafkaState({ clusterId: status?.clusterId ?? '' }),
    configure: async () => ({ changes: '' }),
    setMetadataVersion: async () => ({ changes: '' }),
    resetMinIsr: async () => [],
    topicsOf: () => topics,
    scalingOf: () => scaling,
    reassignmentOf: () => reassignments,
    forget: () => {},
  }
}
