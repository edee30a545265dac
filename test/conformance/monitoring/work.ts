/** `node work.ts host:port,…`: a producer, and a group that consumes and commits, until it is killed. */
import { setTimeout as sleep } from 'node:timers/promises'
import { Kafka, logLevel } from 'kafkajs'

const [, , bootstrap = ''] = process.argv
const kafka = new Kafka({ clientId: 'monitoring', brokers: bootstrap.split(','), logLevel: logLevel.NOTHING })

const admin = kafka.admin()
await admin.connect()
await admin.createTopics({ topics: [{ topic: 't', numPartitions: 6, replicationFactor: 3 }] })
await admin.disconnect()

const consumer = kafka.consumer({ groupId: 'g' })
await consumer.connect()
await consumer.subscribe({ topic: 't', fromBeginning: true })
await consumer.run({ autoCommitInterval: 500, eachMessage: () => Promise.resolve() })

const producer = kafka.producer()
await producer.connect()
for (let round = 0; ; round++) {
  const messages = Array.from({ length: 10 }, (_, index) => ({ value: `${round}-${index}` }))
  await producer.send({ topic: 't', messages }).catch(() => undefined)
  await sleep(200)
}
