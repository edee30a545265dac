// Runs in a pod: node client.ts BOOTSTRAP. Reads requests, a line of JSON each, `{"id": 1, "command": "produce", "topic": "orders", "argument": 9}`, and
// writes what became of each as a line, `{"id": 1, "answer": …}` or `{"id": 1, "error": "…"}`. It ends with its input.
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import kafkajs from 'kafkajs'

/** What is asked for. */
interface Task {
  readonly id: number
  readonly topic: string
  readonly argument: unknown
  /** How far it is, for when it takes too long. */
  told?: () => Promise<unknown>
}

interface TopicDescription {
  readonly partitions: number
  readonly config: Readonly<Record<string, string>>
}

const { ConfigResourceTypes, ConfigSource, logLevel } = kafkajs
const [bootstrap = ''] = process.argv.slice(2)
/** Before whoever asked gives up. */
const MS_MAX = 150_000
/** Between two rounds of `write`: what is tested is that it goes on, not how much it can do. */
const PAUSE_MS = 200
// As long as Kafka's own clients (delivery.timeout.ms), not as short as kafkajs does by itself.
const retry = { initialRetryTime: 100, maxRetryTime: 1000, retries: 120 }
const kafka = new kafkajs.Kafka({ brokers: [bootstrap], clientId: 'e2e', logLevel: logLevel.WARN, retry })
/** Those of `write` that have not been told to end, by the task's id. */
const writing = new Set<number>()

/** `argument`: how many. Values are `<partition>-<index>`, the index that of the record in its partition. */
async function produce(task: Task): Promise<{ written: number }> {
  const producer = await startProducer(task)
  await producer.round()
  await producer.disconnect()
  return { written: Number(task.argument) }
}

/** `argument`: how many at a time. As `produce`, again and again until it is told to end, and then once more. */
async function write(task: Task): Promise<{ written: number }> {
  writing.add(task.id)
  const producer = await startProducer(task)
  for (let written = Number(task.argument); ; written += Number(task.argument)) {
    const isLast = !writing.has(task.id)
    await producer.round()
    if (isLast) {
      await producer.disconnect()
      return { written }
    }
    await sleep(PAUSE_MS)
  }
}

/** `argument`: the id of a `write`. */
async function end({ argument }: Task): Promise<boolean> {
  return writing.delete(Number(argument))
}

async function startProducer({
  topic,
  argument,
}: Task): Promise<{ round(): Promise<void>; disconnect(): Promise<void> }> {
  const producer = kafka.producer({ idempotent: true, retry })
  const partitions = await repeated(() => withAdmin((admin) => partitionCount(admin, topic)))
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
async function consume(task: Task): Promise<Record<string, string[]>> {
  const { topic, argument } = task
  const groupId = `e2e-${topic}`
  const consumer = kafka.consumer({ groupId, retry })
  const values: Record<string, string[]> = {}
  task.told = async () => ({
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
async function describe({ topic }: Task): Promise<TopicDescription | null> {
  return withAdmin(async (admin) => {
    if (!(await admin.listTopics()).includes(topic)) return null
    const resources = [{ type: ConfigResourceTypes.TOPIC, name: topic }]
    const { resources: configs } = await admin.describeConfigs({ resources, includeSynonyms: false })
    const own = configs[0]?.configEntries.filter(({ configSource }) => configSource === ConfigSource.TOPIC_CONFIG) ?? []
    return {
      partitions: await partitionCount(admin, topic),
      config: Object.fromEntries(own.map(({ configName, configValue }) => [configName, configValue])),
    }
  })
}

/** `argument`: `{partitions, config}`. */
async function create({ topic, argument }: Task): Promise<boolean> {
  const { partitions, config } = argument as TopicDescription
  const configEntries = Object.entries(config).map(([name, value]) => ({ name, value }))
  return withAdmin((admin) => admin.createTopics({ topics: [{ topic, numPartitions: partitions, configEntries }] }))
}

/** `argument`: the configs that the topic has from now on. */
async function configure({ topic, argument }: Task): Promise<boolean> {
  const config = argument as Record<string, string>
  const configEntries = Object.entries(config).map(([name, value]) => ({ name, value }))
  const resource = { type: ConfigResourceTypes.TOPIC, name: topic, configEntries }
  await withAdmin((admin) => admin.alterConfigs({ validateOnly: false, resources: [resource] }))
  return true
}

/** The replicas of each partition, in order of the partitions. */
async function replicas({ topic }: Task): Promise<number[][]> {
  return withAdmin(async (admin) => {
    const { topics } = await admin.fetchTopicMetadata({ topics: [topic] })
    const partitions = topics[0]?.partitions.toSorted((a, b) => a.partitionId - b.partitionId) ?? []
    return partitions.map((partition) => partition.replicas)
  })
}

async function partitionCount(admin: kafkajs.Admin, topic: string): Promise<number> {
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

const commands: Record<string, (task: Task) => Promise<unknown>> = {
  produce,
  write,
  end,
  consume,
  describe,
  create,
  configure,
  replicas,
}

async function perform(command: string, task: Task): Promise<void> {
  const say = (what: object, then?: () => void): boolean =>
    process.stdout.write(`${JSON.stringify({ id: task.id, ...what })}\n`, then)
  const tooLong = async (): Promise<void> => {
    const error = `${command} not done after ${MS_MAX} ms: ${JSON.stringify(await task.told?.())}`
    // What is under way would stay in its group.
    say({ error }, () => process.exit(1))
  }
  const timer = command === 'write' ? undefined : setTimeout(() => void tooLong(), MS_MAX)
  try {
    const run = commands[command]
    if (run === undefined) throw new Error(`no such command: ${command}`)
    say({ answer: await run(task) })
  } catch (error) {
    say({ error: String((error as Error).stack) })
  } finally {
    clearTimeout(timer)
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  const { command, ...task } = JSON.parse(line) as Task & { command: string }
  void perform(command, task)
}
process.exit()
