/**
 * A real Prometheus scrapes a real cluster and the operator; a real Alertmanager hears of it from both. With OTTLA_ALERT_FOR=5m the alert takes
 * the time that it takes in production; with OTTLA_QUIET_MINUTES=30 nothing may fire for so long before.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { durationMs } from '../../../operator/alerts/duration.ts'
import { clusterGroup, operatorGroup } from '../../../operator/alerts/prometheus-rules.ts'
import { Authority, LOCAL_HOSTS } from '../../tools/certificates.ts'
import { freePorts } from '../../tools/node.ts'
import { monitoringPrograms } from '../../tools/prometheus.ts'
import { describeWith } from '../../tools/requires.ts'
import { ServerProcess } from '../../tools/server-process.ts'
import { TestCluster } from '../cluster/rig/cluster.ts'
import { dashboardQueries, ruleSelectors, variableQueries } from './queries.ts'
import { type Notification, Prometheus, TestAlertmanager } from './rig.ts'
import { WatchedCluster } from './watched-cluster.ts'

const UNDER_REPLICATED_FOR = process.env['OTTLA_ALERT_FOR'] ?? '3s'
const QUIET_MS = Number(process.env['OTTLA_QUIET_MINUTES'] ?? 0) * 60_000
const ALERT = 'KafkaUnderReplicatedPartitions'
const NAMESPACE = 'kafka'
const CLUSTER = 'orders'
const IDS = [0, 1, 2]
const START_MS_MAX = 10 * 60_000
const STEP_MS_MAX = 60_000

/** Conditions that come with what this test does not do: a roll, a policy, a cluster that is stuck. */
const ABSENT = /type="(RolloutUnblocked|DurabilityMet|RestartSafe|Stalled)"/

describeWith(['apt'], 'Prometheus and Alertmanager', () => {
  const directory = mkdtempSync(join(tmpdir(), 'monitoring-'))
  const stack = new AsyncDisposableStack()
  let cluster: TestCluster
  let prometheus: Prometheus
  let alertmanager: TestAlertmanager

  beforeAll(async () => {
    const programs = await monitoringPrograms()
    stack.defer(() => rmSync(directory, { recursive: true, force: true }))
    const [prometheusPort = 0, alertmanagerPort = 0, operatorPort = 0, ...ports] = await freePorts(3 + 2 * IDS.length)
    const [metricsPorts, securePorts] = [ports.slice(0, IDS.length), ports.slice(IDS.length)]
    cluster = stack.use(await TestCluster.start(planOf(metricsPorts, securePorts, keystore(directory))))
    alertmanager = stack.use(await TestAlertmanager.start(programs, directory, alertmanagerPort))
    stack.use(
      await WatchedCluster.start(cluster, {
        alertmanagerUrl: alertmanager.url,
        underReplicatedFor: UNDER_REPLICATED_FOR,
        metricsPort: operatorPort,
      }),
    )
    work(stack, cluster.bootstrap, directory)
    const groups = [clusterGroup({ namespace: NAMESPACE, name: CLUSTER }, UNDER_REPLICATED_FOR), operatorGroup()]
    const nodes = metricsPorts.map((port, index) => ({
      port,
      pod: `${CLUSTER}-nodes-${index}`,
      podLabels: { 'kafka.ottla.dev/cluster': CLUSTER, 'kafka.ottla.dev/pool': 'nodes' },
    }))
    const options = {
      directory,
      port: prometheusPort,
      alertmanagerPort,
      namespace: NAMESPACE,
      nodes,
      operatorPort,
      groups,
    }
    prometheus = stack.use(await Prometheus.start(programs, options))
  }, START_MS_MAX)

  afterAll(() => stack.disposeAsync(), STEP_MS_MAX)

  test(
    'every query of every dashboard has series',
    async () => {
      const silent = await silentOf(dashboardQueries(), ({ expr }) => prometheus.query(expr))
      expect(silent.map(({ where, expr }) => `${where}: ${expr}`)).toEqual([])
    },
    STEP_MS_MAX,
  )

  test(
    'every variable of every dashboard has something to choose',
    async () => {
      const silent = await silentOf(variableQueries(), async ({ expr, label }) =>
        (await prometheus.query(expr)).filter(({ metric }) => metric[label] !== undefined),
      )
      expect(silent.map(({ where }) => where)).toEqual([])
    },
    STEP_MS_MAX,
  )

  test(
    'every selector of every rule has series',
    async () => {
      const selectors = ruleSelectors({ namespace: NAMESPACE, name: CLUSTER }).filter(
        ({ selector }) => !ABSENT.test(selector),
      )
      const silent = await silentOf(selectors, ({ selector }) => prometheus.query(selector))
      expect(silent.map(({ where, selector }) => `${where}: ${selector}`)).toEqual([])
    },
    STEP_MS_MAX,
  )

  test('the series have the labels of community dashboards', async () => {
    const [sample] = await prometheus.query('kafka_server_replicamanager_leadercount{strimzi_io_cluster="orders"}')
    expect(sample?.metric).toMatchObject({
      namespace: NAMESPACE,
      kafka_cluster: CLUSTER,
      kafka_pool: 'nodes',
      strimzi_io_name: 'orders-kafka',
      kubernetes_pod_name: expect.stringMatching(/^orders-nodes-\d$/),
    })
  })

  test(
    'while all is well nothing fires',
    async () => {
      const endMs = performance.now() + QUIET_MS
      do {
        const firing = (await prometheus.alerts()).filter(({ state }) => state === 'firing')
        expect(firing).toEqual([])
        await sleep(Math.min(5000, QUIET_MS))
      } while (performance.now() < endMs)
      expect(alertmanager.notifications).toEqual([])
    },
    QUIET_MS + STEP_MS_MAX,
  )

  test(
    'a broker that is stopped: pending, firing, told by both, and over when it is back',
    async () => {
      const [, , broker] = cluster.brokers
      const stoppedMs = performance.now()
      await broker?.kill()
      const pendingMs = await until(async () => (await stateOf(prometheus)) !== undefined, stoppedMs)
      const waitMs = durationMs(UNDER_REPLICATED_FOR) + STEP_MS_MAX
      const firing = await told(alertmanager, 'firing', stoppedMs, waitMs)
      await broker?.start()
      const startedMs = performance.now()
      const over = await told(alertmanager, 'resolved', startedMs, STEP_MS_MAX)
      const figures = { pendingMs, firing, over, for: UNDER_REPLICATED_FOR }
      process.stderr.write(`${ALERT}, ms since the broker stopped, and since it was back: ${JSON.stringify(figures)}\n`)
      expect(firing.prometheus).toBeGreaterThan(durationMs(UNDER_REPLICATED_FOR))
      expect(firing.operator).toBeGreaterThan(durationMs(UNDER_REPLICATED_FOR) - 1000)
    },
    START_MS_MAX,
  )
})

/** A certificate and its key in one file. */
function keystore(directory: string): string {
  const { certificate, key } = new Authority().issue({ commonName: 'broker', hosts: LOCAL_HOSTS })
  const file = join(directory, 'keystore.pem')
  writeFileSync(file, key + certificate)
  return file
}

function planOf(metricsPorts: readonly number[], securePorts: readonly number[], keystoreFile: string) {
  return {
    name: 'monitoring',
    overrides: {
      'listener.security.protocol.map': 'CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,SECURE:SSL',
      'listener.name.secure.ssl.keystore.type': 'PEM',
      'listener.name.secure.ssl.keystore.location': keystoreFile,
    },
    nodes: IDS.map((id, index) => ({
      id,
      kind: 'ours' as const,
      roles: ['broker', 'controller'] as const,
      listeners: [`SECURE://127.0.0.1:${securePorts[index]}`],
      overrides: { 'metrics.listen': `127.0.0.1:${metricsPorts[index]}` },
    })),
  }
}

/** A producer and a consumer, in a process that can be ended whatever it waits for. */
function work(stack: AsyncDisposableStack, bootstrap: string, directory: string): void {
  const command = { program: process.execPath, args: [join(import.meta.dirname, 'work.ts'), bootstrap] }
  const server = new ServerProcess('the load', command, join(directory, 'work.log'))
  stack.defer(() => server.end('SIGKILL'))
}

/** Those that have no series; some take a while to have their first. */
async function silentOf<T>(
  queries: readonly T[],
  ask: (query: T) => Promise<readonly unknown[]>,
): Promise<readonly T[]> {
  const deadline = performance.now() + STEP_MS_MAX / 2
  let silent = queries
  for (;;) {
    const found = await Promise.all(silent.map(ask))
    silent = silent.filter((_, index) => found[index]?.length === 0)
    if (silent.length === 0 || performance.now() > deadline) return silent
    await sleep(500)
  }
}

async function stateOf(prometheus: Prometheus): Promise<string | undefined> {
  const alerts = await prometheus.alerts()
  return alerts.find(({ labels }) => labels['alertname'] === ALERT)?.state
}

/** When both sources have told it, in ms since `sinceMs`. */
async function told(
  { notifications }: TestAlertmanager,
  status: Notification['status'],
  sinceMs: number,
  msMax: number,
): Promise<{ prometheus: number; operator: number }> {
  const of = (isPrometheus: boolean) =>
    notifications.find(
      ({ status: said, labels, atMs }) =>
        said === status &&
        atMs > sinceMs &&
        labels['alertname'] === ALERT &&
        (labels['source'] === 'prometheus') === isPrometheus,
    )
  await until(() => Promise.resolve(of(true) !== undefined && of(false) !== undefined), sinceMs, msMax)
  const [prometheus, operator] = [of(true), of(false)].map((found) => Math.round((found?.atMs ?? NaN) - sinceMs))
  return { prometheus: prometheus ?? NaN, operator: operator ?? NaN }
}

/** How long after `sinceMs` it holds, in ms. */
async function until(holds: () => Promise<boolean>, sinceMs: number, msMax = STEP_MS_MAX): Promise<number> {
  const deadline = performance.now() + msMax
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error(`not after ${msMax} ms`)
    await sleep(50)
  }
  return Math.round(performance.now() - sinceMs)
}
