import { readFileSync } from 'node:fs'
import kafkajs from 'kafkajs'
import { java } from '../tools/apache.ts'
import type { RunningNode } from '../tools/node.ts'
import { run } from '../tools/run.ts'
import { LATENCY, type Load, MAIN_LOAD, WARM_UP } from './loads.ts'

/** Figures of one round by name; which way is better is the reader's to know (`report.ts`). */
export type Figures = Record<string, number>

export interface RoundOptions {
  readonly loads: readonly Load[]
  readonly latencySeconds: number
}

const PARTITIONS = 3
/** What Apache's perf scripts give their own JVM. */
const CLIENT_JVM = ['-Xmx512M', '-XX:+UseG1GC', '-Djava.awt.headless=true']
/** /proc counts CPU time in units of 1/100 s on every Linux that Node runs on. */
const TICKS_PER_SECOND = 100
const TOOL_MS_MAX = 300_000

/** Starts a broker, puts it under each load, one after the other, and stops it. */
export async function measureRound(start: () => Promise<RunningNode>, options: RoundOptions): Promise<Figures> {
  const node = await start()
  try {
    const figures: Figures = { startup_ms: await firstAcknowledgement(node) }
    await createTopics(node, [WARM_UP.name, LATENCY.name, ...options.loads.map(({ name }) => name)])
    await produce(node, WARM_UP)
    await consume(node, WARM_UP.name, WARM_UP.records)
    for (const load of options.loads) Object.assign(figures, await produceFigures(node, load))
    Object.assign(figures, await consumeFigures(node))
    figures['p99_ms'] = await latency(node, options.latencySeconds)
    figures['rss_mib'] = residentBytes(node.pid) / 2 ** 20
    return figures
  } finally {
    await node.stop()
  }
}

/** From the start of the process to the first acknowledged record of a client, in ms. */
async function firstAcknowledgement(node: RunningNode): Promise<number> {
  const kafka = client(node)
  const producer = kafka.producer()
  await createTopics(node, ['first'])
  await producer.connect()
  await producer.send({ topic: 'first', acks: -1, messages: [{ value: 'x' }] })
  const elapsed = performance.now() - node.spawnedMs
  await producer.disconnect()
  return elapsed
}

async function createTopics(node: RunningNode, names: readonly string[]): Promise<void> {
  const admin = client(node).admin()
  await admin.connect()
  await admin.createTopics({
    topics: names.map((topic) => ({ topic, numPartitions: PARTITIONS })),
    waitForLeaders: true,
  })
  await admin.disconnect()
}

function client(node: RunningNode): InstanceType<typeof kafkajs.Kafka> {
  const retry = { initialRetryTime: 10, maxRetryTime: 50, retries: 200 }
  return new kafkajs.Kafka({ brokers: [node.bootstrap], logLevel: kafkajs.logLevel.NOTHING, retry })
}

async function produceFigures(node: RunningNode, load: Load): Promise<Figures> {
  const { cpuSeconds, result } = await withCpu(node, () => produce(node, load))
  return {
    [`${load.name}_per_cpu_s`]: load.records / cpuSeconds,
    [`${load.name}_per_s`]: result.recordsPerSecond,
  }
}

async function consumeFigures(node: RunningNode): Promise<Figures> {
  const { cpuSeconds, result } = await withCpu(node, () => consume(node, MAIN_LOAD.name, MAIN_LOAD.records))
  return { consume_per_cpu_s: MAIN_LOAD.records / cpuSeconds, consume_per_s: result }
}

interface Produced {
  readonly recordsPerSecond: number
  readonly p99Ms: number
}

function produce(node: RunningNode, load: Load): Promise<Produced> {
  const flags = { 'num-records': load.records, 'record-size': load.recordBytes, throughput: -1 }
  return producerPerf(node, load.name, flags, load.properties)
}

/** The 99th percentile of the time from send to acknowledgement, in ms, after a warm-up of a quarter of the time. */
async function latency(node: RunningNode, seconds: number): Promise<number> {
  const { name, recordBytes, recordsPerSecond } = LATENCY
  const records = recordsPerSecond * seconds
  const flags = { 'num-records': records, 'record-size': recordBytes, throughput: recordsPerSecond }
  const { p99Ms } = await producerPerf(node, name, { ...flags, 'warmup-records': Math.floor(records / 4) })
  return p99Ms
}

type Flags = Readonly<Record<string, string | number>>

async function producerPerf(
  node: RunningNode,
  topic: string,
  flags: Flags,
  properties: readonly string[] = [],
): Promise<Produced> {
  const all = argsOf({ 'bootstrap-server': node.bootstrap, topic, ...flags })
  const acks = ['--command-property', 'acks=all', ...properties]
  const output = await tool('org.apache.kafka.tools.ProducerPerformance', [...all, ...acks])
  const [, rate, p99] = [...output.matchAll(/, ([\d.]+) records\/sec.* (\d+) ms 99th/g)].at(-1) ?? []
  if (rate === undefined || p99 === undefined) throw new Error(`no figures in:\n${output}`)
  return { recordsPerSecond: Number(rate), p99Ms: Number(p99) }
}

/** Records a second. */
async function consume(node: RunningNode, topic: string, records: number): Promise<number> {
  const flags = { 'bootstrap-server': node.bootstrap, topic, 'num-records': records, group: `bench-${topic}` }
  const args = [...argsOf({ ...flags, timeout: 60_000 }), '--hide-header']
  const output = await tool('org.apache.kafka.tools.ConsumerPerformance', args)
  const fields = output.trim().split('\n').at(-1)?.split(', ') ?? []
  const [read, perSecond] = [Number(fields[4]), Number(fields[9])]
  if (read < records || Number.isNaN(perSecond)) throw new Error(`${read} of ${records} records were read:\n${output}`)
  return perSecond
}

function argsOf(flags: Flags): string[] {
  return Object.entries(flags).flatMap(([name, value]) => [`--${name}`, String(value)])
}

async function tool(className: string, args: readonly string[]): Promise<string> {
  const command = await java(CLIENT_JVM, className, args)
  const { stdout } = await run(command.program, command.args, { timeoutMs: TOOL_MS_MAX })
  return stdout
}

async function withCpu<T>(node: RunningNode, body: () => Promise<T>): Promise<{ cpuSeconds: number; result: T }> {
  const before = cpuTicks(node.pid)
  const result = await body()
  return { cpuSeconds: (cpuTicks(node.pid) - before) / TICKS_PER_SECOND, result }
}

/** User and system time of a process so far: fields 14 and 15 of /proc/PID/stat, counted after the name in parentheses. */
function cpuTicks(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return Number(fields[11]) + Number(fields[12])
}

function residentBytes(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1] ?? Number.NaN) * 1024
}
