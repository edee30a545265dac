/** `node work.ts host:port,…`: a producer, and a group that consumes and commits, whatever comes in between, until it is killed. */
import { setTimeout as sleep } from 'node:timers/promises'
import { Kafka, logLevel } from 'kafkajs'

const [, , bootstrap = ''] = process.argv
const kafka = new Kafka({ clientId: 'monitoring', brokers: bootstrap.split(','), logLevel: logLevel.NOTHING })

/** A cluster that has just been started on a busy machine says no now and then. */
async function persistently(step: () => Promise<unknown>): Promise<void> {
  for (;;) {
    try {
      await step()
      return
    } catch (error) {
      process.stderr.write(`${String(error)}\n`)
      await sleep(200)
    }
  }
}

const admin = kafka.admin()
await persistently(() => admin.connect())
await persistently(() => admin.createTopics({ topics: [{ topic: 't', numPartitions: 6, replicationFactor: 3 }] }))

const retry = { restartOnFailure: () => Promise.resolve(true) }
const consumer = kafka.consumer({ groupId: 'g', retry })
await persistently(() => consumer.connect())
await persistently(() => consumer.subscribe({ topic: 't', fromBeginning: true }))
await persistently(() => consumer.run({ autoCommitInterval: 500, eachMessage: () => Promise.resolve() }))

const producer = kafka.producer()
await persistently(() => producer.connect())
for (let round = 0; ; round++) {
  const messages = Array.from({ length: 10 }, (_, index) => ({ value: `${round}-${index}` }))
  await producer.send({ topic: 't', messages }).catch(() => undefined)
  await sleep(200)
}
