// Runs in a pod: node watcher.ts BOOTSTRAP MIN-ISR. Asks the brokers for all partitions twice a second until it is told to end (SIGTERM). Prints a
// WatcherLine each second.
import { setTimeout as sleep } from 'node:timers/promises'
import kafkajs from 'kafkajs'
import { tell, type WatcherLine } from './lines.ts'
import { now } from './record.ts'

const EVERY_MS = 500

const [bootstrap = '', minIsr = ''] = process.argv.slice(2)
const kafka = new kafkajs.Kafka({ brokers: [bootstrap], clientId: 'watcher', logLevel: kafkajs.logLevel.NOTHING })
let admin = connect()
const seen = {
  looks: 0,
  failures: 0,
  partitions: 0,
  underReplicated: 0,
  below: new Set<string>(),
  holders: [] as number[],
  leastIsr: Infinity,
}

async function connect(): Promise<kafkajs.Admin> {
  const one = kafka.admin({ retry: { retries: 0 } })
  await one.connect()
  return one
}

async function look(): Promise<void> {
  const { topics } = await (await admin).fetchTopicMetadata()
  const all = topics.flatMap(({ name, partitions }) => partitions.map((one) => ({ ...one, name })))
  for (const { name, partitionId, isr } of all) {
    seen.leastIsr = Math.min(seen.leastIsr, isr.length)
    if (isr.length < Number(minIsr)) seen.below.add(`${name}-${partitionId} (in sync: ${isr.join(', ') || 'none'})`)
  }
  seen.looks += 1
  seen.partitions = all.length
  seen.holders = [...new Set(all.flatMap(({ replicas }) => replicas))].sort((a, b) => a - b)
  seen.underReplicated = all.filter(({ isr, replicas }) => isr.length < replicas.length).length
}

function line(): WatcherLine {
  // JSON has no infinity.
  const leastIsr = Number.isFinite(seen.leastIsr) ? seen.leastIsr : -1
  const told = { ...seen, atMs: now(), below: [...seen.below], leastIsr }
  Object.assign(seen, { looks: 0, failures: 0, leastIsr: Infinity })
  seen.below.clear()
  return told
}

/** The brokers that the last client knew may all have gone: the next one begins where clients begin. */
async function begin(): Promise<void> {
  seen.failures += 1
  const before = admin
  admin = connect()
  await before.then((one) => one.disconnect()).catch(() => undefined)
}

tell(line, async () => (await admin).disconnect())
for (;;) {
  await look().catch(begin)
  await sleep(EVERY_MS)
}
