import { createServer, type Server } from 'node:http'
import { mkdirSync, writeFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { stringify } from 'yaml'
import { RELABELINGS } from '../../../operator/alerts/pod-monitor.ts'
import type { RuleGroup } from '../../../operator/alerts/prometheus-rules.ts'
import type { MonitoringPrograms } from '../../tools/prometheus.ts'
import { ServerProcess } from '../../tools/server-process.ts'

const HOST = '127.0.0.1'
const START_MS_MAX = 30_000
const READY_LOOK_MS = 50

/** A pod as Prometheus' discovery sees it; what it is in truth is a process of this machine. */
export interface Target {
  readonly port: number
  readonly pod: string
  readonly podLabels: Readonly<Record<string, string>>
}

export interface PrometheusOptions {
  readonly directory: string
  readonly port: number
  readonly alertmanagerPort: number
  readonly namespace: string
  readonly nodes: readonly Target[]
  readonly operatorPort?: number
  /** Series that have all of their labels already. */
  readonly exporterPort?: number
  /** Of scrapes and evaluations; a second without it. */
  readonly interval?: string
  readonly groups: readonly RuleGroup[]
}

export interface Sample {
  readonly metric: Readonly<Record<string, string>>
  readonly value: readonly [number, string]
}

export interface FiringAlert {
  readonly labels: Readonly<Record<string, string>>
  readonly state: 'pending' | 'firing'
  /** RFC 3339 */
  readonly activeAt: string
}

/** A Prometheus that scrapes, and evaluates its rules, often. */
export class Prometheus implements AsyncDisposable {
  readonly #process: ServerProcess
  readonly #port: number

  private constructor(process: ServerProcess, port: number) {
    this.#process = process
    this.#port = port
  }

  static async start(programs: MonitoringPrograms, options: PrometheusOptions): Promise<Prometheus> {
    const { directory, port } = options
    mkdirSync(directory, { recursive: true })
    const config = join(directory, 'prometheus.yaml')
    writeFileSync(config, stringify(configOf(options), { aliasDuplicateObjects: false }))
    writeFileSync(join(directory, 'rules.yaml'), stringify({ groups: options.groups }))
    const args = [
      `--config.file=${config}`,
      `--storage.tsdb.path=${join(directory, 'data')}`,
      `--web.listen-address=${HOST}:${port}`,
      // What fires before it has found its Alertmanagers is said again after a minute otherwise.
      '--rules.alert.resend-delay=1s',
    ]
    const command = { program: programs.prometheus, args }
    const process = new ServerProcess('Prometheus', command, join(directory, 'prometheus.log'))
    await process.accepting(HOST, port, START_MS_MAX)
    const prometheus = new Prometheus(process, port)
    await prometheus.#ready()
    return prometheus
  }

  /** It listens before it has read what it stores. */
  async #ready(): Promise<void> {
    const ask = async (): Promise<boolean> => (await fetch(`http://${HOST}:${this.#port}/-/ready`)).ok
    for (let waitedMs = 0; !(await ask()); waitedMs += READY_LOOK_MS) {
      if (waitedMs > START_MS_MAX) throw new Error(`Prometheus is not ready after ${START_MS_MAX} ms`)
      await sleep(READY_LOOK_MS)
    }
  }

  /** The series of an instant query. Rejects with Prometheus' words where it is none. */
  async query(expr: string): Promise<readonly Sample[]> {
    const { result } = await this.#get<{ result: readonly Sample[] }>('query', `?query=${encodeURIComponent(expr)}`)
    return result
  }

  async alerts(): Promise<readonly FiringAlert[]> {
    return (await this.#get<{ alerts: readonly FiringAlert[] }>('alerts')).alerts
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#process.end('SIGKILL')
  }

  async #get<T>(what: string, query = ''): Promise<T> {
    const answer = await fetch(`http://${HOST}:${this.#port}/api/v1/${what}${query}`)
    const { status, data, error } = (await answer.json()) as { status: string; data: T; error?: string }
    if (status !== 'success') throw new Error(`${what}${decodeURIComponent(query)}: ${error}`)
    return data
  }
}

/** What Prometheus writes `source_labels`, the Prometheus Operator writes `sourceLabels`. */
function configOf(options: PrometheusOptions): object {
  const relabelings = RELABELINGS.map(({ sourceLabels, targetLabel, ...more }) => ({
    source_labels: sourceLabels,
    target_label: targetLabel,
    ...more,
  }))
  // What the Prometheus Operator adds to every PodMonitor.
  const added = ['namespace', 'pod'].map((target_label) => ({
    source_labels: [`__meta_kubernetes_${target_label === 'pod' ? 'pod_name' : target_label}`],
    target_label,
  }))
  const { interval = '1s', operatorPort, exporterPort } = options
  return {
    global: {
      scrape_interval: interval,
      scrape_timeout: interval,
      evaluation_interval: interval,
      external_labels: { source: 'prometheus' },
    },
    rule_files: [join(options.directory, 'rules.yaml')],
    alerting: { alertmanagers: [{ static_configs: [{ targets: [`${HOST}:${options.alertmanagerPort}`] }] }] },
    scrape_configs: [
      {
        job_name: 'kafka',
        static_configs: options.nodes.map((target) => staticConfig(options.namespace, target)),
        relabel_configs: [...added, ...relabelings],
      },
      ...(operatorPort === undefined ? [] : [localJob('operator', operatorPort)]),
      ...(exporterPort === undefined ? [] : [{ ...localJob('exporter', exporterPort), honor_labels: true }]),
    ],
  }
}

function localJob(job_name: string, port: number): object {
  return { job_name, static_configs: [{ targets: [`${HOST}:${port}`] }] }
}

function staticConfig(namespace: string, { port, pod, podLabels }: Target): object {
  const labels = Object.entries(podLabels).map(([name, value]) => [
    `__meta_kubernetes_pod_label_${name.replaceAll(/[^a-zA-Z0-9]/g, '_')}`,
    value,
  ])
  return {
    targets: [`${HOST}:${port}`],
    labels: {
      __meta_kubernetes_namespace: namespace,
      __meta_kubernetes_pod_name: pod,
      ...(Object.fromEntries(labels) as Record<string, string>),
    },
  }
}

/** An alert as Alertmanager tells of it. */
export interface Notification {
  readonly status: 'firing' | 'resolved'
  readonly labels: Readonly<Record<string, string>>
  /** As `performance.now()`. */
  readonly atMs: number
}

/** An Alertmanager, and what it tells. */
export class TestAlertmanager implements AsyncDisposable {
  readonly notifications: Notification[] = []
  readonly url: string
  readonly #process: ServerProcess
  readonly #receiver: Server

  private constructor(process: ServerProcess, receiver: Server, port: number) {
    this.#process = process
    this.#receiver = receiver
    this.url = `http://${HOST}:${port}`
    receiver.on('request', (request, response) => {
      const chunks: Buffer[] = []
      request.on('data', (chunk: Buffer) => chunks.push(chunk))
      request.on('end', () => {
        const { alerts } = JSON.parse(Buffer.concat(chunks).toString()) as { alerts: Omit<Notification, 'atMs'>[] }
        for (const { status, labels } of alerts) this.notifications.push({ status, labels, atMs: performance.now() })
        response.end()
      })
    })
  }

  static async start(programs: MonitoringPrograms, directory: string, port: number): Promise<TestAlertmanager> {
    mkdirSync(directory, { recursive: true })
    const receiver = createServer()
    await new Promise<void>((resolve) => receiver.listen(0, HOST, resolve))
    const url = `http://${HOST}:${(receiver.address() as AddressInfo).port}/`
    const config = join(directory, 'alertmanager.yaml')
    writeFileSync(
      config,
      stringify({
        route: { receiver: 'test', group_by: ['...'], group_wait: '0s', group_interval: '1s', repeat_interval: '1h' },
        receivers: [{ name: 'test', webhook_configs: [{ url, send_resolved: true }] }],
      }),
    )
    const args = [
      `--config.file=${config}`,
      `--storage.path=${join(directory, 'alertmanager')}`,
      `--web.listen-address=${HOST}:${port}`,
      '--cluster.listen-address=',
    ]
    const command = programs.alertmanager(...args)
    const process = new ServerProcess('Alertmanager', command, join(directory, 'alertmanager.log'))
    const alertmanager = new TestAlertmanager(process, receiver, port)
    try {
      await process.accepting(HOST, port, START_MS_MAX)
      return alertmanager
    } catch (error) {
      await alertmanager[Symbol.asyncDispose]()
      throw error
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#process.end('SIGKILL')
    this.#receiver.close()
    this.#receiver.closeAllConnections()
  }
}
