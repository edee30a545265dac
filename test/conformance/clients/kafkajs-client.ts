import { zstdCompressSync, zstdDecompressSync } from 'node:zlib'
import kafkajs, { type Admin, type Kafka, type KafkaMessage, type Message } from 'kafkajs'
import { compressFrameSync, decompressFrameSync } from 'lz4-napi'
import { compress, uncompress } from 'snappyjs'
import { type AdminReport, type GroupReport, type Plan, type Report, type Run, Tally, workRecord } from './workload.ts'

const { CompressionCodecs, CompressionTypes, ConfigResourceTypes, logLevel } = kafkajs

const CHUNK = 1000
const ACKS_ON_WIRE = { '0': 0, '1': 1, all: -1 }
const TYPES = {
  none: CompressionTypes.None,
  gzip: CompressionTypes.GZIP,
  snappy: CompressionTypes.Snappy,
  lz4: CompressionTypes.LZ4,
  zstd: CompressionTypes.ZSTD,
}

/** The stream format of snappy-java, which Kafka's clients write: a header, then blocks that open with their length. */
const SNAPPY_HEADER = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0, 0, 0, 0, 1, 0, 0, 0, 1])
const SNAPPY_BLOCK = 32 * 1024

interface Encoder {
  readonly buffer: Buffer
}

CompressionCodecs[CompressionTypes.Snappy] = () => ({
  compress: async ({ buffer }: Encoder) => snappyStream(buffer),
  decompress: async (data: Buffer) => snappyContent(data),
})
CompressionCodecs[CompressionTypes.LZ4] = () => ({
  compress: async ({ buffer }: Encoder) => compressFrameSync(buffer),
  decompress: async (data: Buffer) => decompressFrameSync(data),
})
CompressionCodecs[CompressionTypes.ZSTD] = () => ({
  compress: async ({ buffer }: Encoder) => zstdCompressSync(buffer),
  decompress: async (data: Buffer) => zstdDecompressSync(data),
})

function snappyStream(data: Buffer): Buffer {
  const parts: Uint8Array[] = [SNAPPY_HEADER]
  for (let at = 0; at < data.length; at += SNAPPY_BLOCK) {
    const block = compress(data.subarray(at, at + SNAPPY_BLOCK))
    const length = Buffer.alloc(4)
    length.writeUInt32BE(block.length)
    parts.push(length, block)
  }
  return Buffer.concat(parts)
}

function snappyContent(data: Buffer): Buffer {
  if (!data.subarray(0, 8).equals(SNAPPY_HEADER.subarray(0, 8))) return Buffer.from(uncompress(data))
  const parts: Uint8Array[] = []
  for (let at = SNAPPY_HEADER.length; at < data.length;) {
    const length = data.readUInt32BE(at)
    parts.push(uncompress(data.subarray(at + 4, at + 4 + length)))
    at += 4 + length
  }
  return Buffer.concat(parts)
}

/** Does `plan` with kafkajs. */
export async function kafkajsReport(plan: Plan): Promise<Report> {
  const work = new KafkajsWork(plan)
  await work.write()
  const runs = await work.readRuns()
  return { runs, group: await work.resume(), admin: await work.administer() }
}

/** The parts of the work, for tests that do something in between. */
export class KafkajsWork {
  readonly #plan: Plan
  readonly #kafka: Kafka

  constructor(plan: Plan) {
    this.#plan = plan
    const options = { brokers: [plan.bootstrap], clientId: plan.client, logLevel: logLevel.NOTHING }
    this.#kafka = new kafkajs.Kafka(options)
  }

  /** Makes the topics and writes every run. */
  async write(): Promise<void> {
    const topics = this.#plan.runs.map(({ topic }) => ({ topic, numPartitions: this.#plan.partitions }))
    await this.#administered((admin) => admin.createTopics({ topics, waitForLeaders: true }))
    for (const run of this.#plan.runs) await produce(this.#kafka, this.#plan, run)
  }

  readRuns(): Promise<Report['runs']> {
    return consume(this.#kafka, this.#plan)
  }

  resume(): Promise<GroupReport> {
    return resume(this.#kafka, this.#plan)
  }

  /** Reads at least `wanted` records of the first run as a member of the group, commits, and tells how many it read. */
  async readInGroup(groupId: string, wanted: number): Promise<number> {
    let read = 0
    await member(this.#kafka, groupId, [this.#plan.runs[0]?.topic ?? ''], (_, __, messages) => {
      read += messages.length
      return read >= wanted
    })
    return read
  }

  administer(): Promise<AdminReport> {
    return this.#administered(async (admin) => ({
      ...(await topicReport(admin, this.#plan)),
      ...(await groupReport(admin, this.#plan)),
    }))
  }

  async #administered<T>(body: (admin: Admin) => Promise<T>): Promise<T> {
    const admin = this.#kafka.admin()
    await admin.connect()
    try {
      return await body(admin)
    } finally {
      await admin.disconnect()
    }
  }
}

async function produce(kafka: Kafka, plan: Plan, run: Run): Promise<void> {
  const producer = kafka.producer({ idempotent: run.acks === 'all', maxInFlightRequests: 5 })
  await producer.connect()
  for (let from = 0; from < plan.records; from += CHUNK) {
    const messages = Array.from({ length: Math.min(CHUNK, plan.records - from) }, (_, index) => message(from + index))
    const options = { acks: ACKS_ON_WIRE[run.acks], compression: TYPES[run.codec] }
    await producer.send({ topic: run.topic, messages, ...options })
  }
  await producer.disconnect()
}

function message(index: number): Message {
  const { partition, key, value, header, timestamp } = workRecord(index)
  return { partition, key, value, headers: { h: header }, timestamp: String(timestamp) }
}

/** Every run in one consumer: each member of a group costs a rebalance. */
async function consume(kafka: Kafka, plan: Plan): Promise<Report['runs']> {
  const tallies = new Map(plan.runs.map(({ topic }) => [topic, new Tally()]))
  const topics = [...tallies.keys()]
  const wanted = plan.records * topics.length
  let total = 0
  await member(kafka, `${plan.client}-reader`, topics, (topic, partition, messages) => {
    for (const one of messages) tallies.get(topic)?.add(seenRecord(partition, one))
    total += messages.length
    return total >= wanted
  })
  return Object.fromEntries([...tallies].map(([topic, tally]) => [topic, tally.partitions()]))
}

function seenRecord(partition: number, one: KafkaMessage): ReturnType<typeof workRecord> {
  const header = Object.keys(one.headers ?? {}).length === 1 ? String(one.headers?.['h']) : ''
  return { partition, key: String(one.key), value: String(one.value), header, timestamp: Number(one.timestamp) }
}

async function resume(kafka: Kafka, plan: Plan): Promise<GroupReport> {
  const tally = new Tally()
  const [run] = plan.runs
  const readUntil = async (wanted: number): Promise<number> => {
    const before = tally.total
    await member(kafka, `${plan.client}-group`, [run?.topic ?? ''], (_, partition, messages) => {
      for (const one of messages) tally.add(seenRecord(partition, one))
      return tally.total >= wanted
    })
    return tally.total - before
  }
  const first = await readUntil(plan.records / 3)
  const second = await readUntil(plan.records)
  return { first, second, partitions: tally.partitions() }
}

type Receive = (topic: string, partition: number, messages: KafkaMessage[]) => boolean

/** A group member that hands over batches until `receive` says that it has enough, commits what was handed over, and leaves. */
async function member(kafka: Kafka, groupId: string, topics: string[], receive: Receive): Promise<void> {
  const consumer = kafka.consumer({ groupId, maxBytesPerPartition: 50_000, maxWaitTimeInMs: 100 })
  const positions = new Map<string, { topic: string; partition: number; offset: string }>()
  await consumer.connect()
  await consumer.subscribe({ topics, fromBeginning: true })
  const enough = Promise.withResolvers<void>()
  let done = false
  // It restarts by itself after what may pass, such as a coordinator that is still loading.
  consumer.on(consumer.events.CRASH, ({ payload }) => {
    if (!payload.restart) enough.reject(payload.error)
  })
  await consumer.run({
    autoCommit: false,
    eachBatchAutoResolve: false,
    eachBatch: async (payload) => {
      if (done) return
      const { topic, partition, messages } = payload.batch
      const last = payload.batch.lastOffset()
      done = receive(topic, partition, messages)
      positions.set(`${topic}-${partition}`, { topic, partition, offset: String(BigInt(last) + 1n) })
      payload.resolveOffset(last)
      if (done) enough.resolve()
    },
  })
  await enough.promise
  await consumer.commitOffsets([...positions.values()])
  await consumer.disconnect()
}

function retentionOf(value: string): { name: string; value: string }[] {
  return [{ name: 'retention.ms', value }]
}

type TopicPart = Pick<AdminReport, 'created' | 'retention' | 'alteredRetention' | 'grown' | 'deleted'>

async function topicReport(admin: Admin, plan: Plan): Promise<TopicPart> {
  const topic = `${plan.client}-admin`
  const resource = { type: ConfigResourceTypes.TOPIC, name: topic }
  const partitions = async (): Promise<number> =>
    (await admin.fetchTopicMetadata({ topics: [topic] })).topics[0]?.partitions.length ?? 0
  const retention = async (): Promise<string> => {
    const { resources } = await admin.describeConfigs({ resources: [resource], includeSynonyms: false })
    return resources[0]?.configEntries.find(({ configName }) => configName === 'retention.ms')?.configValue ?? ''
  }
  await admin.createTopics({ topics: [{ topic, numPartitions: 2, configEntries: retentionOf('3600000') }] })
  const before = { created: await partitions(), retention: await retention() }
  await admin.alterConfigs({
    validateOnly: false,
    resources: [{ ...resource, configEntries: retentionOf('7200000') }],
  })
  const alteredRetention = await retention()
  await admin.createPartitions({ topicPartitions: [{ topic, count: 5 }] })
  const grown = await partitions()
  await admin.deleteTopics({ topics: [topic] })
  return { ...before, alteredRetention, grown, deleted: !(await admin.listTopics()).includes(topic) }
}

async function groupReport(admin: Admin, plan: Plan): Promise<Omit<AdminReport, keyof TopicPart>> {
  const groupId = `${plan.client}-group`
  const topic = plan.runs[0]?.topic ?? ''
  const listed = async (): Promise<boolean> =>
    (await admin.listGroups()).groups.some((group) => group.groupId === groupId)
  const atHalf = await admin.fetchTopicOffsetsByTimestamp(topic, plan.baseTimestamp + plan.records / 2)
  const groupListed = await listed()
  const { groups } = await admin.describeGroups([groupId])
  const offsets = await admin.fetchOffsets({ groupId, topics: [topic] })
  const committed = offsets.flatMap(({ partitions }) => partitions.map(({ offset }) => Number(offset)))
  await admin.deleteGroups([groupId])
  return {
    offsetsAtHalf: Object.fromEntries(atHalf.map(({ partition, offset }) => [String(partition), Number(offset)])),
    groupListed,
    groupState: groups[0]?.state ?? '',
    committed: committed.reduce((sum, offset) => sum + offset, 0),
    groupDeleted: !(await listed()),
  }
}
