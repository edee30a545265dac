import {
  Admin,
  Consumer,
  type Message,
  Producer,
  ProduceAcks,
  stringDeserializers,
  stringSerializers,
} from '@platformatic/kafka'
import { type AdminReport, type GroupReport, type Plan, type Report, type Run, Tally, workRecord } from './workload.ts'

const CHUNK = 1000
const TOPIC_RESOURCE = 2
const SET = 0
const ACKS_ON_WIRE = { '0': ProduceAcks.NO_RESPONSE, '1': ProduceAcks.LEADER, all: ProduceAcks.ALL }

type TextMessage = Message<string, string, string, string>

interface BaseOptions {
  readonly clientId: string
  readonly bootstrapBrokers: string[]
}

/** Does `plan` with @platformatic/kafka. */
export async function platformaticReport(plan: Plan): Promise<Report> {
  const base = { clientId: plan.client, bootstrapBrokers: [plan.bootstrap] }
  const admin = new Admin(base)
  try {
    await admin.createTopics({ topics: plan.runs.map(({ topic }) => topic), partitions: plan.partitions, replicas: 1 })
    for (const run of plan.runs) await produce(base, plan, run)
    const runs = await consume(base, plan)
    const group = await resume(base, plan)
    return { runs, group, admin: { ...(await topicReport(admin, base, plan)), ...(await groupReport(admin, plan)) } }
  } finally {
    await admin.close()
  }
}

async function produce(base: BaseOptions, plan: Plan, run: Run): Promise<void> {
  const options = { idempotent: run.acks === 'all', acks: ACKS_ON_WIRE[run.acks], compression: run.codec }
  const producer = new Producer({ ...base, serializers: stringSerializers, ...options })
  for (let from = 0; from < plan.records; from += CHUNK) {
    const messages = Array.from({ length: Math.min(CHUNK, plan.records - from) }, (_, index) => {
      const { partition, key, value, header, timestamp } = workRecord(from + index)
      return { topic: run.topic, partition, key, value, headers: { h: header }, timestamp: BigInt(timestamp) }
    })
    await producer.send({ messages })
  }
  await producer.close()
}

/** Every run in one consumer: each member of a group costs a rebalance. */
async function consume(base: BaseOptions, plan: Plan): Promise<Report['runs']> {
  const tallies = new Map(plan.runs.map(({ topic }) => [topic, new Tally()]))
  const topics = [...tallies.keys()]
  const wanted = plan.records * topics.length
  let total = 0
  await member(base, `${plan.client}-reader`, topics, (message) => {
    addTo(tallies.get(message.topic), message)
    total++
    return total >= wanted
  })
  return Object.fromEntries([...tallies].map(([topic, tally]) => [topic, tally.partitions()]))
}

function addTo(tally: Tally | undefined, { partition, key, value, headers, timestamp }: TextMessage): void {
  const header = headers.size === 1 ? (headers.get('h') ?? '') : ''
  tally?.add({ partition, key, value, header, timestamp: Number(timestamp) })
}

async function resume(base: BaseOptions, plan: Plan): Promise<GroupReport> {
  const tally = new Tally()
  const readUntil = async (wanted: number): Promise<number> => {
    const before = tally.total
    await member(base, `${plan.client}-group`, [plan.runs[0]?.topic ?? ''], (message) => {
      addTo(tally, message)
      return tally.total >= wanted
    })
    return tally.total - before
  }
  const first = await readUntil(plan.records / 3)
  const second = await readUntil(plan.records)
  return { first, second, partitions: tally.partitions() }
}

type Receive = (message: TextMessage) => boolean

/** A group member that hands over records until `receive` says that it has enough, commits what was handed over, and leaves. */
async function member(base: BaseOptions, groupId: string, topics: string[], receive: Receive): Promise<void> {
  const consumer = new Consumer({ ...base, groupId, deserializers: stringDeserializers, maxWaitTime: 100 })
  const modes = { mode: 'committed', fallbackMode: 'earliest' } as const
  const stream = await consumer.consume({ topics, autocommit: false, maxBytes: 500_000, ...modes })
  const positions = new Map<string, { topic: string; partition: number; offset: bigint; leaderEpoch: number }>()
  for await (const message of stream) {
    const { topic, partition, offset, leaderEpoch } = message
    positions.set(`${topic}-${partition}`, { topic, partition, offset: offset + 1n, leaderEpoch })
    if (receive(message)) break
  }
  await consumer.commit({ offsets: [...positions.values()] })
  await consumer.close(true)
}

type TopicPart = Pick<AdminReport, 'created' | 'retention' | 'alteredRetention' | 'grown' | 'deleted'>

async function topicReport(admin: Admin, base: BaseOptions, plan: Plan): Promise<TopicPart> {
  const topic = `${plan.client}-admin`
  const resource = { resourceType: TOPIC_RESOURCE, resourceName: topic } as const
  const partitions = async (): Promise<number> => {
    const reader = new Admin(base)
    const metadata = await reader.metadata({ topics: [topic], forceUpdate: true })
    await reader.close()
    return metadata.topics.get(topic)?.partitionsCount ?? 0
  }
  const retention = async (): Promise<string> => {
    const [found] = await admin.describeConfigs({ resources: [{ ...resource, configurationKeys: null }] })
    return found?.configs.find(({ name }) => name === 'retention.ms')?.value ?? ''
  }
  const configs = [{ name: 'retention.ms', value: '3600000' }]
  await admin.createTopics({ topics: [topic], partitions: 2, replicas: 1, configs })
  const before = { created: await partitions(), retention: await retention() }
  const change = { name: 'retention.ms', configOperation: SET, value: '7200000' } as const
  await admin.incrementalAlterConfigs({ resources: [{ ...resource, configs: [change] }] })
  const alteredRetention = await retention()
  await admin.createPartitions({ topics: [{ name: topic, count: 5 }] })
  const grown = await partitions()
  await admin.deleteTopics({ topics: [topic] })
  return { ...before, alteredRetention, grown, deleted: !(await admin.listTopics()).includes(topic) }
}

async function groupReport(admin: Admin, plan: Plan): Promise<Omit<AdminReport, keyof TopicPart>> {
  const group = `${plan.client}-group`
  const timestamp = BigInt(plan.baseTimestamp + plan.records / 2)
  const partitions = Array.from({ length: plan.partitions }, (_, partitionIndex) => ({ partitionIndex, timestamp }))
  const [atHalf] = await admin.listOffsets({ topics: [{ name: plan.runs[0]?.topic ?? '', partitions }] })
  const groupListed = (await admin.listGroups()).has(group)
  const described = await admin.describeGroups({ groups: [group] })
  const [offsets] = await admin.listConsumerGroupOffsets({ groups: [group] })
  const committed = offsets?.topics.flatMap((topic) => topic.partitions.map((one) => Number(one.committedOffset))) ?? []
  await admin.deleteGroups({ groups: [group] })
  return {
    offsetsAtHalf: Object.fromEntries(
      atHalf?.partitions.map(({ partitionIndex, offset }) => [String(partitionIndex), Number(offset)]) ?? [],
    ),
    groupListed,
    groupState: title(described.get(group)?.state ?? ''),
    committed: committed.reduce((sum, offset) => sum + offset, 0),
    groupDeleted: !(await admin.listGroups()).has(group),
  }
}

function title(word: string): string {
  return word.slice(0, 1).toUpperCase() + word.slice(1).toLowerCase()
}
