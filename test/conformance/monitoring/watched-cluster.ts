import { setTimeout as sleep } from 'node:timers/promises'
import { pino } from 'pino'
import { nodeEnv } from '../../../broker/host/env.ts'
import { Admins } from '../../../operator/admins.ts'
import { Alertmanager } from '../../../operator/alerts/alertmanager.ts'
import { Surveys } from '../../../operator/alerts/surveys.ts'
import { AlertStep } from '../../../operator/alerts/step.ts'
import { conditionsOf } from '../../../operator/api/conditions.ts'
import type { KafkaCluster } from '../../../operator/api/resource.ts'
import type { ClusterView } from '../../../operator/cluster/step.ts'
import { serveHttp } from '../../../operator/http.ts'
import { OperatorMetrics } from '../../../operator/metrics.ts'
import { kafkaCluster, kafkaTopic, pool } from '../../fakes/operator.ts'
import type { TestCluster } from '../cluster/rig/cluster.ts'

export interface WatchOptions {
  readonly alertmanagerUrl: string
  readonly underReplicatedFor: string
  readonly metricsPort: number
}

const READY = { state: 'ready', reason: 'Ready', message: 'well' } as const
const LOOK_MS = 500

/** The part of the operator that watches a cluster and raises alarms, with its metrics, and without Kubernetes. */
export class WatchedCluster implements AsyncDisposable {
  readonly resource: KafkaCluster
  readonly #stack = new AsyncDisposableStack()
  readonly #admins: Admins
  readonly #step: AlertStep
  readonly #metrics = new OperatorMetrics()
  #isStopped = false
  #watching: Promise<void> = Promise.resolve()

  private constructor(cluster: TestCluster, { alertmanagerUrl, underReplicatedFor }: WatchOptions) {
    const env = nodeEnv()
    const [bootstrap = { host: '', port: 0 }] = cluster.brokerAddresses
    this.#admins = this.#stack.use(new Admins({ bootstrapOf: () => bootstrap }, env))
    this.resource = {
      ...kafkaCluster({
        pools: [pool({ replicas: cluster.brokers.length })],
        alerts: { underReplicatedFor, alertmanager: { url: alertmanagerUrl } },
      }),
      status: {
        readyNodes: cluster.brokers.length,
        pools: [{ name: 'nodes', replicas: 3, ready: 3, nodeIds: cluster.brokers.map(({ id }) => id) }],
      },
    }
    this.#step = new AlertStep({
      monitoring: { apply: () => Promise.resolve(null), forget: () => {} },
      alertmanager: new Alertmanager({ ...env, post }),
      surveys: new Surveys(),
      logger: pino({ level: 'silent' }),
    })
  }

  static async start(cluster: TestCluster, options: WatchOptions): Promise<WatchedCluster> {
    const watched = new WatchedCluster(cluster, options)
    const metrics = watched.#metrics
    metrics.leading(true)
    metrics.watch({ clusters: () => [watched.resource], topics: () => [kafkaTopic()], rebalances: () => [] })
    const http = { host: '127.0.0.1', port: options.metricsPort }
    watched.#stack.use(await serveHttp(http, { registry: metrics.registry, isReady: () => true }))
    watched.#watching = watched.#watch()
    return watched
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isStopped = true
    await this.#watching
    await this.#stack.disposeAsync()
  }

  async #watch(): Promise<void> {
    // One failure, for the series: more of them would be an alert.
    this.#metrics.reconciled('KafkaCluster', 'error', 0, false)
    while (!this.#isStopped) {
      const beganMs = performance.now()
      await this.#look()
      this.#metrics.reconciled('KafkaCluster', 'success', (performance.now() - beganMs) / 1000, true)
      this.#metrics.queueDepth('KafkaCluster', 0)
      await sleep(LOOK_MS)
    }
  }

  /** As the reconciler does: the step, and what it says into the status. */
  async #look(): Promise<void> {
    const { resource } = this
    const nowMs = Date.now()
    const kafka = await this.#admins.look(resource)
    const view = { cluster: resource, asked: resource, kafka, nowMs } as ClusterView
    const { conditions = [], status } = await this.#step.run(view)
    const written = conditionsOf(READY, 1, resource.status?.conditions, nowMs, conditions)
    resource.status = { ...resource.status, ...status, conditions: written }
  }
}

async function post(url: string, body: string, signal: AbortSignal): Promise<{ status: number }> {
  return fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body, signal })
}
