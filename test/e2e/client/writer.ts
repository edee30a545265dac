// Runs in a pod: node writer.ts BOOTSTRAP TOPIC PARTITIONS RATE. Writes RATE records a second to each partition until it is told to end
// (SIGTERM): idempotent, acks=all, for as long as it takes. Prints a WriterLine each second.
import { setTimeout as sleep } from 'node:timers/promises'
import kafkajs from 'kafkajs'
import { Histogram } from './histogram.ts'
import { tell, type WriterLine } from './lines.ts'
import { now, valueOf } from './record.ts'
import { Steal } from './steal.ts'

const [bootstrap = '', topic = '', partitions = '', rate = ''] = process.argv.slice(2)
const periodMs = 1000 / Number(rate)
/** Kafka's own producer does not wait before it tries another leader, of which it hears with the refusal (KIP-951); kafkajs asks first, and waits. */
const retry = { initialRetryTime: 10, maxRetryTime: 1000, retries: Number.MAX_SAFE_INTEGER }
let retries = 0
const kafka = new kafkajs.Kafka({
  brokers: [bootstrap],
  clientId: 'writer',
  retry,
  // What it says there is why it tries again.
  logLevel: kafkajs.logLevel.ERROR,
  logCreator: () => () => void (retries += 1),
})
const acknowledged = Array.from({ length: Number(partitions) }, () => 0)
let latencies = new Histogram()
let elapsed = new Histogram()
const steal = new Steal()
let stolenMs = steal.sample(now())
const end = new AbortController()
let hasEnded = false

/**
 * With a producer of its own, so that none waits for another, and one request at a time, as kafkajs needs it to keep the order; what falls due
 * while one is under way goes with the next. Latencies count from when a record was due, not from when it could be sent: a pause counts for each
 * record that it held up.
 */
async function write(partition: number): Promise<void> {
  const producer = kafka.producer({ idempotent: true, retry })
  await producer.connect()
  const beganMs = now() + (partition * periodMs) / acknowledged.length
  const dueMs = (sequence: number): number => beganMs + sequence * periodMs
  for (let next = 0; !end.signal.aborted;) {
    await sleep(Math.max(0, dueMs(next) - now()))
    const due: number[] = []
    while (dueMs(next) <= now()) due.push(next++)
    if (due.length === 0) continue
    const messages = due.map((sequence) => ({
      partition,
      value: valueOf({ partition, sequence, dueMs: dueMs(sequence) }),
    }))
    await producer.send({ topic, acks: -1, messages })
    for (const sequence of due) acknowledge(dueMs(sequence))
    acknowledged[partition] = next
  }
}

function acknowledge(dueMs: number): void {
  const atMs = now()
  steal.sample(atMs)
  elapsed.add(atMs - dueMs)
  latencies.add(atMs - dueMs - steal.between(dueMs, atMs))
}

function line(): WriterLine {
  const before = stolenMs
  stolenMs = steal.sample(now())
  const told = {
    atMs: now(),
    acknowledged,
    latencies: latencies.toJSON(),
    elapsed: elapsed.toJSON(),
    stolenMs: stolenMs - before,
    retries,
    isLast: hasEnded,
  }
  latencies = new Histogram()
  elapsed = new Histogram()
  retries = 0
  return told
}

steal.start()
const writing = Promise.all(acknowledged.map((_, partition) => write(partition)))
tell(line, async () => {
  end.abort()
  await writing
  hasEnded = true
})
await writing
