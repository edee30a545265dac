import kafkajs from 'kafkajs'
import type { RunningNode } from '../tools/node.ts'
import { LATENCY, type Load, MAIN_LOAD, WARM_UP } from './loads.ts'
import { residentBytes } from '../tools/resident.ts'
import { consume, latency, produce, withCpu } from './perf.ts'
import { median } from './report.ts'

/** Figures of one round by name; which way is better is the reader's to know (`report.ts`). */
export type Figures = Record<string, number>

export interface RoundOptions {
  readonly loads: readonly Load[]
  /** Of each of the times that latency is measured. */
  readonly latencySeconds: number
}

const PARTITIONS = 3
/** What is over in a moment is disturbed by whatever else the machine does in that moment: the middle one of so many counts. */
const TIMES = 3

/** Starts a broker, puts it under each load, one after the other, and stops it. */
export async function measureRound(start: () => Promise<RunningNode>, options: RoundOptions): Promise<Figures> {
  const elapsed: number[] = []
  while (elapsed.length < TIMES - 1) elapsed.push(await startOnly(start))
  const node = await start()
  try {
    elapsed.push(await firstAcknowledgement(node))
    const figures: Figures = { startup_ms: median(elapsed) }
    await createTopics(node, [WARM_UP.name, LATENCY.name, ...options.loads.map(({ name }) => name)])
    await produce(node.bootstrap, WARM_UP)
    await consume(node.bootstrap, WARM_UP.name, WARM_UP.records)
    for (const load of options.loads) Object.assign(figures, await produceFigures(node, load))
    Object.assign(figures, await consumeFigures(node))
    const p99s: number[] = []
    while (p99s.length < TIMES) p99s.push(await latency(node.bootstrap, options.latencySeconds))
    figures['p99_ms'] = median(p99s)
    figures['rss_mib'] = residentBytes(node.pid) / 2 ** 20
    return figures
  } finally {
    await node.stop()
  }
}

async function startOnly(start: () => Promise<RunningNode>): Promise<number> {
  const node = await start()
  try {
    return await firstAcknowledgement(node)
  } finally {
    await node.stop()
  }
}

/** From the start of the process to the first acknowledged record of a client, in ms. */
async function firstAcknowledgement(node: RunningNode): Promise<number> {
  const kafka = client(node)
  const producer = kafka.producer()
  // Without the wait for leaders: kafkajs sleeps for 100 ms before it looks for them. The producer asks until there is one.
  await createTopics(node, ['first'], { waitForLeaders: false })
  await producer.connect()
  await producer.send({ topic: 'first', acks: -1, messages: [{ value: 'x' }] })
  const elapsed = performance.now() - node.spawnedMs
  await producer.disconnect()
  return elapsed
}

async function createTopics(
  node: RunningNode,
  names: readonly string[],
  { waitForLeaders }: { waitForLeaders: boolean } = { waitForLeaders: true },
): Promise<void> {
  const admin = client(node).admin()
  await admin.connect()
  await admin.createTopics({
    topics: names.map((topic) => ({ topic, numPartitions: PARTITIONS })),
    waitForLeaders,
  })
  await admin.disconnect()
}

function client(node: RunningNode): InstanceType<typeof kafkajs.Kafka> {
  const retry = { initialRetryTime: 10, maxRetryTime: 50, retries: 200 }
  return new kafkajs.Kafka({ brokers: [node.bootstrap], logLevel: kafkajs.logLevel.NOTHING, retry })
}

async function produceFigures(node: RunningNode, load: Load): Promise<Figures> {
  const { cpuSeconds, result } = await withCpu([node.pid], () => produce(node.bootstrap, load))
  return {
    [`${load.name}_per_cpu_s`]: load.records / cpuSeconds,
    [`${load.name}_per_s`]: result.recordsPerSecond,
  }
}

async function consumeFigures(node: RunningNode): Promise<Figures> {
  const { cpuSeconds, result } = await withCpu([node.pid], () =>
    consume(node.bootstrap, MAIN_LOAD.name, MAIN_LOAD.records),
  )
  return { consume_per_cpu_s: MAIN_LOAD.records / cpuSeconds, consume_per_s: result }
}
