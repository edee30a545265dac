// Runs in a pod: node client.ts BOOTSTRAP COMMAND TOPIC [ARGUMENT]. Prints its answer as JSON.
import { setTimeout as sleep } from 'node:timers/promises'
import kafkajs from 'kafkajs'

const { ConfigResourceTypes, ConfigSource, logLevel } = kafkajs
const [bootstrap = '', command = '', topic = '', argument = '{}'] = process.argv.slice(2)
/** Before whoever asked gives up. */
const MS_MAX = 150_000
/** Between two rounds of `write`: what is tested is that it goes on, not how much it can do. */
const PAUSE_MS = 200
// As long as Kafka's own clients (delivery.timeout.ms), not as short as kafkajs does by itself.
const retry = { initialRetryTime: 100, maxRetryTime: 1000, retries: 120 }
const kafka = new kafkajs.Kafka({ brokers: [bootstrap], clientId: 'e2e', logLevel: logLevel.WARN, retry })

/** What is told of a command that takes too long. */
let told: () => Promise<unknown> = async () => null

/** `argument`: how many. Values are `<partition>-<index>`, the index that of the record in its partition. */
async function produce(): Promise<{ written: number }> {
  const producer = await startProducer()
  await producer.round()
  await producer.disconnect()
  return { written: Number(argument) }
}

/** `argument`: how many at a time. As `produce`, again and again until its input ends, and then once more. */
async function write(): Promise<{ written: number }> {
  let hasEnded = false
  process.stdin.resume().once('end', () => {
    hasEnded = true
    giveUpLater()
  })
  const producer = await startProducer()
  for (let written = Number(argument); ; written += Number(argument)) {
    const isLast = hasEnded
    await producer.round()
    if (isLast) {
      await producer.disconnect()
      return { written }
    }
    await sleep(PAUSE_MS)
  }
}

async function startProducer(): Promise<{ round(): Promise<void>; disconnect(): Promise<void> }> {
  const producer = kafka.producer({ idempotent: true, retry })
  const partitions = await repeated(() => withAdmin(partitionCount))
  await producer.connect()
  const all = Array.from({ length: Number(argument) }, (_, index) => ({
    partition: index % partitions,
    key: String(index),
    value: `${index % partitions}-${Math.floor(index / partitions)}`,
  }))
  // One send a partition: kafkajs does not repeat what failed where the partition's new leader has answered for another one of the same send.
  const sends = [...Map.groupBy(all, ({ partition }) => partition).values()]
  return {
    round: async () => void (await Promise.all(sends.map((messages) => producer.send({ topic, acks: -1, messages })))),
    disconnect: () => producer.disconnect(),
  }
}

/** `argument`: how many. Reads as a consumer group and gives the values of each partition in the order of their offsets. */
async function consume(): Promise<Record<string, string[]>> {
  const groupId = `e2e-${topic}`
  const consumer = kafka.consumer({ groupId, retry })
  const values: Record<string, string[]> = {}
  told = async () => ({
    read: Object.fromEntries(Object.entries(values).map(([partition, own]) => [partition, own.length])),
    ends: await withAdmin((admin) => admin.fetchTopicOffsets(topic)),
    group: await withAdmin((admin) => admin.describeGroups([groupId])),
  })
  const enough = Promise.withResolvers<void>()
  let count = 0
  await consumer.connect()
  await consumer.subscribe({ topic, fromBeginning: true })
  await consumer.run({
    autoCommit: false,
    eachMessage: async ({ partition, message }) => {
      const own = (values[partition] ??= [])
      own.push(String(message.value))
      count += 1
      if (count >= Number(argument)) enough.resolve()
    },
  })
  await enough.promise
  await consumer.disconnect()
  return values
}

/** Partitions, and the configs that are set for the topic itself; null where there is no such topic. */
async function describe(): Promise<unknown> {
  return withAdmin(async (admin) => {
    if (!(await admin.listTopics()).includes(topic)) return null
    const resources = [{ type: ConfigResourceTypes.TOPIC, name: topic }]
    const { resources: configs } = await admin.describeConfigs({ resources, includeSynonyms: false })
    const own = configs[0]?.configEntries.filter(({ configSource }) => configSource === ConfigSource.TOPIC_CONFIG) ?? []
    return {
      partitions: await partitionCount(admin),
      config: Object.fromEntries(own.map(({ configName, configValue }) => [configName, configValue])),
    }
  })
}

/** `argument`: `{partitions, config}`. */
async function create(): Promise<boolean> {
  const { partitions, config } = JSON.parse(argument) as { partitions: number; config: Record<string, string> }
  const configEntries = Object.entries(config).map(([name, value]) => ({ name, value }))
  return withAdmin((admin) => admin.createTopics({ topics: [{ topic, numPartitions: partitions, configEntries }] }))
}

/** `argument`: the configs that the topic has from now on. */
async function configure(): Promise<boolean> {
  const config = JSON.parse(argument) as Record<string, string>
  const configEntries = Object.entries(config).map(([name, value]) => ({ name, value }))
  const resource = { type: ConfigResourceTypes.TOPIC, name: topic, configEntries }
  await withAdmin((admin) => admin.alterConfigs({ validateOnly: false, resources: [resource] }))
  return true
}

/** The replicas of each partition, in order of the partitions. */
async function replicas(): Promise<number[][]> {
  return withAdmin(async (admin) => {
    const { topics } = await admin.fetchTopicMetadata({ topics: [topic] })
    const partitions = topics[0]?.partitions.toSorted((a, b) => a.partitionId - b.partitionId) ?? []
    return partitions.map((partition) => partition.replicas)
  })
}

async function partitionCount(admin: kafkajs.Admin): Promise<number> {
  const { topics } = await admin.fetchTopicMetadata({ topics: [topic] })
  return topics[0]?.partitions.length ?? 0
}

/** Asks again where the broker that was asked goes away, which kafkajs does for few requests of its admin. */
async function repeated<T>(ask: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await ask()
    } catch (error) {
      if (!(error instanceof kafkajs.KafkaJSError && error.retriable)) throw error
    }
  }
}

async function withAdmin<T>(body: (admin: kafkajs.Admin) => Promise<T>): Promise<T> {
  const admin = kafka.admin()
  await admin.connect()
  try {
    return await body(admin)
  } finally {
    await admin.disconnect()
  }
}

const commands: Record<string, () => Promise<unknown>> = {
  produce,
  write,
  consume,
  describe,
  create,
  configure,
  replicas,
}
const run = commands[command]
if (run === undefined) throw new Error(`no such command: ${command}`)

/** Nobody ends a process in a pod whose caller has gone: it would stay in its group. */
function giveUpLater(): void {
  setTimeout(() => void tooLong(), MS_MAX).unref()
}

async function tooLong(): Promise<void> {
  process.stderr.write(`${command} ${argument} not done after ${MS_MAX} ms: ${JSON.stringify(await told())}\n`)
  process.exit(1)
}

if (command !== 'write') giveUpLater()
process.stdout.write(`${JSON.stringify(await run())}\n`)
