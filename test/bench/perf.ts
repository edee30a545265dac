import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { pythonWithClient } from '../conformance/setup/setup.ts'
import { java } from '../tools/apache.ts'
import { run } from '../tools/run.ts'
import { LATENCY, type Load } from './loads.ts'

/** What Apache's perf scripts give their own JVM. */
const CLIENT_JVM = ['-Xmx512M', '-XX:+UseG1GC', '-Djava.awt.headless=true']
/** /proc counts CPU time in units of 1/100 s on every Linux that Node runs on. */
const TICKS_PER_SECOND = 100
const TOOL_MS_MAX = 300_000

export interface Produced {
  readonly recordsPerSecond: number
  readonly p99Ms: number
}

/** `bootstrap`: `host:port,…`. */
export function produce(bootstrap: string, load: Load): Promise<Produced> {
  const flags = { 'num-records': load.records, 'record-size': load.recordBytes, throughput: -1 }
  return producerPerf(bootstrap, load.name, flags, load.properties)
}

/** The 99th percentile of the time from send to acknowledgement, in ms, after a warm-up of a quarter of the time. */
export async function latency(bootstrap: string, seconds: number): Promise<number> {
  const { name, recordBytes, recordsPerSecond, properties } = LATENCY
  const records = recordsPerSecond * seconds
  const flags = { 'num-records': records, 'record-size': recordBytes, throughput: recordsPerSecond }
  const warmUp = { 'warmup-records': Math.floor(records / 4) }
  const { p99Ms } = await producerPerf(bootstrap, name, { ...flags, ...warmUp }, properties)
  return p99Ms
}

/** Half, and 99 %, of librdkafka's requests under the same load take no longer, in ms: a client without a JVM that pauses. */
export async function nativeLatency(
  bootstrap: string,
  seconds: number,
): Promise<{ readonly p50Ms: number; readonly p99Ms: number }> {
  const { name, recordBytes, recordsPerSecond } = LATENCY
  const numbers = [recordBytes, recordsPerSecond, seconds].map(String)
  const script = join(import.meta.dirname, 'latency.py')
  const python = await pythonWithClient()
  const { stdout } = await run(python, [script, bootstrap, name, ...numbers], { timeoutMs: TOOL_MS_MAX })
  const told = JSON.parse(stdout) as { p50_ms: number; p99_ms: number }
  return { p50Ms: told.p50_ms, p99Ms: told.p99_ms }
}

type Flags = Readonly<Record<string, string | number>>

async function producerPerf(
  bootstrap: string,
  topic: string,
  flags: Flags,
  properties: readonly string[] = [],
): Promise<Produced> {
  const all = argsOf({ 'bootstrap-server': bootstrap, topic, ...flags })
  const acks = ['--command-property', 'acks=all', ...properties]
  const output = await tool('org.apache.kafka.tools.ProducerPerformance', [...all, ...acks])
  const [, rate, p99] = [...output.matchAll(/, ([\d.]+) records\/sec.* (\d+) ms 99th/g)].at(-1) ?? []
  if (rate === undefined || p99 === undefined) throw new Error(`no figures in:\n${output}`)
  return { recordsPerSecond: Number(rate), p99Ms: Number(p99) }
}

/** Records a second. */
export async function consume(
  bootstrap: string,
  topic: string,
  records: number,
  properties: readonly string[] = [],
): Promise<number> {
  const flags = { 'bootstrap-server': bootstrap, topic, 'num-records': records, group: `bench-${topic}` }
  const more = properties.flatMap((property) => ['--command-property', property])
  const args = [...argsOf({ ...flags, timeout: 60_000 }), '--hide-header', ...more]
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

/** What `body` gives, and the CPU time that the processes took meanwhile, together. */
export async function withCpu<T>(
  pids: readonly number[],
  body: () => Promise<T>,
): Promise<{ cpuSeconds: number; result: T }> {
  const ticks = (): number => pids.reduce((sum, pid) => sum + cpuTicks(pid), 0)
  const before = ticks()
  const result = await body()
  return { cpuSeconds: (ticks() - before) / TICKS_PER_SECOND, result }
}

/** User and system time of a process so far: fields 14 and 15 of /proc/PID/stat, counted after the name in parentheses. */
function cpuTicks(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return Number(fields[11]) + Number(fields[12])
}
