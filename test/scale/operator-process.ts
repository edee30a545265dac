// The operator of test/scale/main.ts, as a process of its own: node operator-process.ts API_SERVER NAMESPACE BROKER RESYNC_MS. Topics only: KafkaClusters are left
// as they are, and their broker is BROKER.
import { pino } from 'pino'
import { nodeEnv } from '../../broker/host/env.ts'
import { Admins } from '../../operator/admins.ts'
import { splitAddress } from '../../operator/api/address.ts'
import { operatorFlags } from '../../operator/flags.ts'
import { KubeRest } from '../../operator/kube/rest.ts'
import { KubeTransport } from '../../operator/kube/transport.ts'
import { OperatorMetrics } from '../../operator/metrics.ts'
import { Operator } from '../../operator/operator.ts'

const [server = '', namespace = '', broker = '', resyncMs = ''] = process.argv.slice(2)
const { operator: flags } = operatorFlags(['--image', 'none'], {})
const env = nodeEnv()
const transport = new KubeTransport({ server, options: async () => ({ headers: {} }) })
const operator = new Operator(
  { ...flags, namespaces: [namespace], identity: 'scale', lease: null, clusterWorkers: 0, resyncMs: Number(resyncMs) },
  {
    ...env,
    apiFor: (signal) => new KubeRest({ signal }, { transport }),
    logger: pino({ level: 'warn' }),
    metrics: new OperatorMetrics(),
    post: () => Promise.reject(new Error('no Alertmanager here')),
    admins: new Admins({ bootstrapOf: () => splitAddress(broker) }, env),
  },
)
const stop = new AbortController()
process.once('SIGTERM', () => stop.abort(new Error('SIGTERM')))
await operator.run(stop.signal)
process.exit(0)
