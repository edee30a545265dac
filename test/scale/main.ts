/**
 * `node test/scale/main.ts [TOPICS]`: how long the operator takes for 10,000 KafkaTopics, and what of the machine, on the Kubernetes of
 * `npm run kube:up` with a broker of its own. The KafkaTopics are there before the operator starts: the time is the operator's.
 */
import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { pino } from 'pino'
import { nodeEnv } from '../../broker/host/env.ts'
import { KAFKA_TOPIC } from '../../operator/api/resource.ts'
import type { KafkaTopic } from '../../operator/api/resource.ts'
import { Informer } from '../../operator/kube/informer.ts'
import { KubeRest } from '../../operator/kube/rest.ts'
import { TestApi } from '../tools/kube-api.ts'
import { startOurs } from '../tools/ours.ts'

const TOPICS = Number(process.argv[2] ?? 10_000)
const CREATORS = 16
const RESYNC_MS = 20_000
const IDLE_RESYNCS = 3
/** As the image does. */
const ENVIRONMENT = { NODE_OPTIONS: '--max-semi-space-size=2', MALLOC_ARENA_MAX: '1' }
/** Of /proc: USER_HZ. */
const TICK_MS = 10

const api = new TestApi()
await api.installCrds()
const namespace = await api.makeNamespace('scale')
const path = `/apis/kafka.ottla.dev/v1alpha1/namespaces/${namespace}`
const broker = await startOurs()
const stop = new AbortController()
const topics = new Informer<KafkaTopic>(
  { type: KAFKA_TOPIC, namespace, onChange: () => {} },
  {
    ...nodeEnv(),
    api: new KubeRest({ signal: stop.signal }, { transport: api.transport }),
    logger: pino({ level: 'silent' }),
  },
)
try {
  await createAll()
  const watching = topics.run(stop.signal)
  await topics.synced
  await measure()
  stop.abort()
  await watching
} finally {
  stop.abort()
  await broker.stop()
  await api.removeNamespace(namespace)
}

async function createAll(): Promise<void> {
  const head = { apiVersion: KAFKA_TOPIC.apiVersion }
  const pools = [{ name: 'nodes', storage: { size: '1Gi' } }]
  await api.request('POST', `${path}/kafkaclusters`, {
    ...head,
    kind: 'KafkaCluster',
    metadata: { name: 'main' },
    spec: { pools },
  })
  const ready = {
    type: 'Ready',
    status: 'True',
    reason: 'Ready',
    message: '',
    lastTransitionTime: '2026-01-01T00:00:00Z',
  }
  await api.request('PATCH', `${path}/kafkaclusters/main/status`, { status: { conditions: [ready] } })
  const startMs = performance.now()
  let next = 0
  const create = async (): Promise<void> => {
    for (let index = next++; index < TOPICS; index = next++) {
      const spec = { cluster: { name: 'main' }, partitions: 3, config: { 'retention.ms': '3600000' } }
      const metadata = { name: `topic-${String(index).padStart(5, '0')}` }
      await api.request('POST', `${path}/kafkatopics`, { ...head, kind: 'KafkaTopic', metadata, spec })
    }
  }
  await Promise.all(Array.from({ length: CREATORS }, create))
  say(`${TOPICS} KafkaTopics stored by the API server`, performance.now() - startMs)
}

async function measure(): Promise<void> {
  const args = [join(import.meta.dirname, 'operator-process.ts'), namespace, broker.bootstrap, String(RESYNC_MS)]
  const child = spawn(process.execPath, args, { env: { ...process.env, ...ENVIRONMENT }, stdio: 'inherit' })
  const pid = child.pid ?? 0
  try {
    const startMs = performance.now()
    await until(() => topics.values().filter(isReady).length === TOPICS)
    say('all of them made and Ready', performance.now() - startMs)
    report(pid)
    await idle(pid)
    const deletedMs = performance.now()
    await api.request('DELETE', `${path}/kafkatopics`, { apiVersion: 'v1', kind: 'DeleteOptions' })
    await until(() => topics.values().length === 0)
    say('all of them deleted', performance.now() - deletedMs)
    report(pid)
  } finally {
    child.kill('SIGTERM')
  }
}

/** What nothing to do costs: several resyncs in a short time, so that those of a day are known. */
async function idle(pid: number): Promise<void> {
  const before = cpuMs(pid)
  await sleep(RESYNC_MS * IDLE_RESYNCS)
  const usedMs = cpuMs(pid) - before
  say(
    `CPU of one resync (${((usedMs / IDLE_RESYNCS / 300_000) * 100).toFixed(2)} % with one in 5 min)`,
    usedMs / IDLE_RESYNCS,
  )
  report(pid)
}

function report(pid: number): void {
  const memory = readFileSync(`/proc/${pid}/status`, 'utf8')
  const mb = (field: string): string => (Number(new RegExp(`${field}:\\s+(\\d+)`).exec(memory)?.[1]) / 1024).toFixed(0)
  process.stdout.write(
    `  operator: CPU ${(cpuMs(pid) / 1000).toFixed(1)} s, RSS ${mb('VmRSS')} MB, at most ${mb('VmHWM')} MB\n`,
  )
}

function cpuMs(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
  return (Number(fields[11]) + Number(fields[12])) * TICK_MS
}

function isReady({ status }: KafkaTopic): boolean {
  return status?.conditions?.find(({ type }) => type === 'Ready')?.status === 'True'
}

async function until(done: () => boolean): Promise<void> {
  while (!done()) await sleep(100)
}

function sleep(ms: number): Promise<void> {
  return new Promise((wake) => setTimeout(wake, ms))
}

function say(what: string, ms: number): void {
  process.stdout.write(`${what}: ${(ms / 1000).toFixed(2)} s\n`)
}
