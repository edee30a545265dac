// The operator of this folder's measurements, as a process of its own: node operator-process.ts API_SERVER NAMESPACE BROKER RESYNC_MS [ACCOUNT]. With a BROKER
// it looks after topics only, whose clusters all have that broker; with `none` Kafka is simulated. ACCOUNT is a directory as pods have it of their service
// account, where the API server asks for one.
import { pino } from 'pino'
import { nodeEnv } from '../../broker/host/env.ts'
import { Admins } from '../../operator/admins.ts'
import { splitAddress } from '../../operator/api/address.ts'
import { operatorFlags } from '../../operator/flags.ts'
import { credentialsOf } from '../../operator/kube/credentials.ts'
import type { Credentials } from '../../operator/kube/credentials.ts'
import { KubeRest } from '../../operator/kube/rest.ts'
import { KubeTransport } from '../../operator/kube/transport.ts'
import { OperatorMetrics } from '../../operator/metrics.ts'
import { Operator } from '../../operator/operator.ts'
import type { OperatorDeps } from '../../operator/operator.ts'
import { FakeTopics, kafkaState, quorumReplica } from '../fakes/operator.ts'
import { FakeReassignments } from '../fakes/reassignment.ts'
import { FakeScaling } from '../fakes/scaling.ts'

const [server = '', namespace = '', broker = '', resyncMs = '', account] = process.argv.slice(2)
const isSimulated = broker === 'none'
const { operator: flags } = operatorFlags(['--image', 'none'], {})
const env = nodeEnv()
const transport = new KubeTransport(await credentials())
const clusterWorkers = isSimulated ? flags.clusterWorkers : 0
const operator = new Operator(
  { ...flags, namespaces: [namespace], identity: 'scale', lease: null, clusterWorkers, resyncMs: Number(resyncMs) },
  {
    ...env,
    apiFor: (signal) => new KubeRest({ signal }, { transport }),
    logger: pino({ level: 'warn' }),
    metrics: new OperatorMetrics(),
    post: () => Promise.reject(new Error('no Alertmanager here')),
    certificateAt: () => Promise.reject(new Error('no TLS here')),
    admins: isSimulated ? simulated() : new Admins({ bootstrapOf: () => splitAddress(broker) }, env),
  },
)
const stop = new AbortController()
process.once('SIGTERM', () => stop.abort(new Error('SIGTERM')))
await operator.run(stop.signal)
process.exit(0)

function credentials(): Promise<Credentials> {
  if (account === undefined) return Promise.resolve({ server, options: async () => ({ headers: {} }) })
  const { hostname, port } = new URL(server)
  return credentialsOf({ KUBERNETES_SERVICE_HOST: hostname, KUBERNETES_SERVICE_PORT: port }, account)
}

/** Clusters of one pool each that are well. */
function simulated(): OperatorDeps['admins'] {
  const [scaling, reassignments, topics] = [new FakeScaling(), new FakeReassignments([0]), new FakeTopics()]
  return {
    look: async ({ spec, status }) => {
      const ids = Array.from({ length: spec.pools[0]?.replicas ?? 0 }, (_, id) => id)
      const brokers = new Map(ids.map((id) => [id, { rack: null }]))
      const quorum = { leaderId: 0, voters: ids.map((id) => quorumReplica(id)), observers: [] }
      return kafkaState({ clusterId: status?.clusterId ?? '', brokers, quorum })
    },
    configure: async () => ({ changes: '' }),
    setMetadataVersion: async () => ({ changes: '' }),
    resetMinIsr: async () => [],
    topicsOf: () => topics,
    scalingOf: () => scaling,
    reassignmentOf: () => reassignments,
    shortage: async () => '',
    survey: async () => null,
    forget: () => {},
    close: () => {},
  }
}
