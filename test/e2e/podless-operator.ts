import { pino } from 'pino'
import type { Random } from '../../broker/env/random.ts'
import { nodeEnv } from '../../broker/host/env.ts'
import { KubeRest } from '../../operator/kube/rest.ts'
import type { KubeTransport } from '../../operator/kube/transport.ts'
import { OperatorMetrics } from '../../operator/metrics.ts'
import { Operator } from '../../operator/operator.ts'
import type { OperatorDeps, OperatorOptions } from '../../operator/operator.ts'
import { FakeTopics } from '../fakes/operator.ts'
import { FakeReassignments } from '../fakes/reassignment.ts'
import { FakeScaling } from '../fakes/scaling.ts'

interface PodlessOptions {
  readonly namespace: string
  /** Null: it leads without asking. */
  readonly lease: OperatorOptions['lease']
  readonly transport: KubeTransport
  readonly random?: Random
}

/** The operator of one namespace of a real API server that runs no pods: there is nobody to talk to in Kafka. */
export function podlessOperator({ namespace, lease, transport, random }: PodlessOptions): Operator {
  const env = nodeEnv()
  const options: OperatorOptions = {
    namespaces: [namespace],
    images: { bundled: new Map([['4.3', 'no.such/image:1']]), apache: new Map() },
    identity: 'test',
    lease,
    clusterWorkers: 1,
    topicWorkers: 1,
    resyncMs: 60_000,
  }
  return new Operator(options, {
    ...env,
    random: random ?? env.random,
    apiFor: (signal) => new KubeRest({ signal }, { transport }),
    logger: pino({ level: 'silent' }),
    metrics: new OperatorMetrics(),
    post: async () => ({ status: 200 }),
    certificateAt: () => Promise.reject(new Error('no TLS here')),
    admins: NOBODY,
  })
}

const NO_PODS = { error: 'no pods here' }

const NOBODY: OperatorDeps['admins'] = {
  look: async () => NO_PODS,
  configure: async () => NO_PODS,
  resetMinIsr: async () => [],
  setMetadataVersion: async () => NO_PODS,
  topicsOf: () => new FakeTopics(),
  scalingOf: () => new FakeScaling(),
  reassignmentOf: () => new FakeReassignments([]),
  shortage: async () => '',
  survey: async () => null,
  forget: () => {},
  close: () => {},
}
