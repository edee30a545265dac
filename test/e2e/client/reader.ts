// Runs in a pod: node reader.ts BOOTSTRAP TOPIC PARTITIONS MEMBERS. A consumer group of MEMBERS reads along until it is told to end (SIGTERM), and
// checks order and gaps. Prints a ReaderLine each second.
import kafkajs from 'kafkajs'
import { Audit } from './audit.ts'
import { Histogram } from './histogram.ts'
import { type ReaderLine, tell } from './lines.ts'
import { now } from './record.ts'

const [bootstrap = '', topic = '', partitions = '', members = ''] = process.argv.slice(2)
const retry = { initialRetryTime: 100, maxRetryTime: 1000, retries: Number.MAX_SAFE_INTEGER }
const kafka = new kafkajs.Kafka({
  brokers: [bootstrap],
  clientId: 'reader',
  retry,
  logLevel: kafkajs.logLevel.NOTHING,
})
const audit = new Audit(Number(partitions))
let delays = new Histogram()
let againTold = 0

async function join(): Promise<kafkajs.Consumer> {
  const consumer = kafka.consumer({ groupId: `readers-of-${topic}`, maxWaitTimeInMs: 500, retry })
  await consumer.connect()
  await consumer.subscribe({ topic, fromBeginning: true })
  await consumer.run({
    autoCommitInterval: 1000,
    eachBatch: async (given) => {
      const { partition, messages } = given.batch
      for (const { offset, value } of messages) {
        const { dueMs } = audit.see(partition, Number(offset), String(value))
        delays.add(now() - dueMs)
        given.resolveOffset(offset)
      }
      await given.heartbeat()
    },
  })
  return consumer
}

function line(): ReaderLine {
  const { next, problems, again } = audit
  const told = { atMs: now(), next, problems, again: again - againTold, delays: delays.toJSON() }
  delays = new Histogram()
  againTold = again
  return told
}

const group = await Promise.all(Array.from({ length: Number(members) }, join))
tell(line, () => Promise.all(group.map((consumer) => consumer.disconnect())))
