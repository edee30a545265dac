/**
 * `node test/scale/main.ts [TOPICS]`: how long the operator takes for 10,000 KafkaTopics, and what of the machine, with a real broker and an API
 * server in memory: the time is the operator's. The KafkaTopics are there before it starts.
 */
import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { EVENT, KAFKA_CLUSTER, KAFKA_TOPIC } from '../../operator/api/resource.ts'
import type { KafkaTopic } from '../../operator/api/resource.ts'
import { kafkaCluster, kafkaTopic } from '../fakes/operator.ts'
import { startOurs } from '../tools/ours.ts'
import { FakeApiServer } from './fake-api.ts'

const TOPICS = Number(process.argv[2] ?? 10_000)
/** Of clusters; topics have twice as long. */
const RESYNC_MS = 10_000
const IDLE_RESYNCS = 2
/** As the image has it; Node makes the last of the memory limit in the chart. */
const ENVIRONMENT = { NODE_OPTIONS: '--max-semi-space-size=2 --max-old-space-size=256', MALLOC_ARENA_MAX: '1' }
/** Of /proc: USER_HZ. */
const TICK_MS = 10
const NAMESPACE = 'kafka'
const READY = {
  type: 'Ready',
  status: 'True',
  reason: 'Ready',
  message: '',
  lastTransitionTime: '2026-01-01T00:00:00Z',
} as const

await using api = await FakeApiServer.start([EVENT, KAFKA_CLUSTER, KAFKA_TOPIC])
const broker = await startOurs()
try {
  storeAll()
  await measure()
} finally {
  await broker.stop()
}

function storeAll(): void {
  api.kube.put(KAFKA_CLUSTER, { ...kafkaCluster(), status: { conditions: [READY] } })
  for (let index = 0; index < TOPICS; index++) {
    const config = { 'retention.ms': '3600000' }
    api.kube.put(KAFKA_TOPIC, kafkaTopic({ config }, `topic-${String(index).padStart(5, '0')}`, NAMESPACE))
  }
}

async function measure(): Promise<void> {
  const args = [
    join(import.meta.dirname, 'operator-process.ts'),
    api.url,
    NAMESPACE,
    broker.bootstrap,
    String(RESYNC_MS),
  ]
  const env = { ...process.env, ...ENVIRONMENT }
  const child = spawn(process.execPath, args, { env, stdio: 'inherit' })
  const pid = child.pid ?? 0
  try {
    const startMs = performance.now()
    await until(() => topics().filter(isReady).length === TOPICS)
    say(`${TOPICS} topics made and Ready`, performance.now() - startMs)
    report(pid)
    await idle(pid)
    const deletedMs = performance.now()
    for (const { metadata } of topics()) api.kube.remove(KAFKA_TOPIC, NAMESPACE, metadata.name)
    await until(() => topics().length === 0)
    say('all of them deleted', performance.now() - deletedMs)
    report(pid)
  } finally {
    const ended = new Promise((done) => child.once('exit', done))
    child.kill('SIGTERM')
    await ended
  }
}

/** What nothing to do costs: several resyncs in a short time, so that those of a day are known. */
async function idle(pid: number): Promise<void> {
  const before = cpuMs(pid)
  await sleep(2 * RESYNC_MS * IDLE_RESYNCS)
  const usedMs = (cpuMs(pid) - before) / IDLE_RESYNCS
  say(`CPU of one resync (${((usedMs / 600_000) * 100).toFixed(2)} % with one in 10 minutes)`, usedMs)
  report(pid)
}

function topics(): KafkaTopic[] {
  return api.kube.all(KAFKA_TOPIC) as KafkaTopic[]
}

function report(pid: number): void {
  const memory = readFileSync(`/proc/${pid}/status`, 'utf8')
  const mb = (field: string): string => (Number(new RegExp(`${field}:\\s+(\\d+)`).exec(memory)?.[1]) / 1024).toFixed(0)
  const seconds = (cpuMs(pid) / 1000).toFixed(1)
  process.stdout.write(`  operator: CPU ${seconds} s, RSS ${mb('VmRSS')} MB, at most ${mb('VmHWM')} MB\n`)
}

function cpuMs(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
  return (Number(fields[11]) + Number(fields[12])) * TICK_MS
}

function isReady({ status }: KafkaTopic): boolean {
  return status?.conditions?.find(({ type }) => type === 'Ready')?.status === 'True'
}

async function until(done: () => boolean): Promise<void> {
  while (!done()) await sleep(250)
}

function sleep(ms: number): Promise<void> {
  return new Promise((wake) => setTimeout(wake, ms))
}

function say(what: string, ms: number): void {
  process.stdout.write(`${what}: ${(ms / 1000).toFixed(2)} s\n`)
}
