import { ApiKey } from '../../broker/protocol/api-key.ts'
import { ErrorCode } from '../../broker/protocol/errors.ts'
import { buildBatch } from '../../broker/records/build.ts'
import { batches, readRecords } from '../../broker/records/read.ts'
import type { Compute } from '../../broker/env/compute.ts'
import type { CodecName } from '../../broker/env/compute.ts'
import type { SimRandom } from '../fakes/random.ts'
import type { ClientHistory } from './broker-history.ts'
import type { SimClient } from './client.ts'
import { hold, Violation } from './history.ts'
import type { Trace } from './simulation.ts'

export interface SimTopic {
  readonly name: string
  readonly topicId: string
  /** By partition. */
  readonly histories: readonly ClientHistory[]
}

export interface ActorDeps {
  readonly client: SimClient
  readonly random: SimRandom
  readonly compute: Compute
  readonly trace: Trace
  /** True once the actors shall end. */
  readonly isOver: () => boolean
}

const CODECS: readonly CodecName[] = ['none', 'none', 'gzip', 'snappy', 'lz4', 'zstd']

/** Sends batches with idempotence to all partitions of a topic, each until it is acknowledged. */
export async function produce(name: string, topic: SimTopic, deps: ActorDeps): Promise<void> {
  const { client, random, isOver } = deps
  const producerId = await initProducer(deps)
  const sequences = topic.histories.map(() => 0)
  if (producerId === undefined) return
  for (let count = 0; !isOver(); count++) {
    const partition = random.below(topic.histories.length)
    const size = random.between(1, 10)
    const values = Array.from({ length: size }, (_, i) => `${name}:${count}.${i}`)
    for (const value of values) topic.histories[partition]?.sending(name, value)
    const baseSequence = sequences[partition] ?? 0
    const records = batch(values, { producerId, baseSequence }, deps)
    const offset = await sendUntilAcknowledged(topic, partition, records, deps)
    if (offset === undefined) return
    for (const [i, value] of values.entries()) topic.histories[partition]?.acknowledged(offset + i, value)
    deps.trace.note(`${name} ${topic.name}-${partition} ${offset}+${size}`)
    sequences[partition] = baseSequence + size
    await client.sleep(random.fraction() * 30)
  }
}

async function initProducer({ client, isOver }: ActorDeps): Promise<number | undefined> {
  const body = { transactionalId: null, transactionTimeoutMs: 1000, producerId: -1n, producerEpoch: -1 }
  const response = await client.insist(
    ApiKey.InitProducerId,
    body,
    ({ errorCode }) => errorCode === ErrorCode.NONE,
    isOver,
  )
  return response === undefined ? undefined : Number(response.producerId)
}

function batch(
  values: readonly string[],
  producer: { producerId: number; baseSequence: number },
  { client, random, compute }: ActorDeps,
): Uint8Array {
  const records = values.map((value) => ({ key: Buffer.from('k'), value: Buffer.from(value) }))
  const codec = random.pick(CODECS)
  return buildBatch({ records, baseTimestampMs: client.clock.wallMs(), codec, producerEpoch: 0, ...producer }, compute)
}

/** What an answer to an idempotent producer may say without a rule being broken. */
const PASSING: ReadonlySet<number> = new Set([
  ErrorCode.NOT_LEADER_OR_FOLLOWER,
  ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
  ErrorCode.UNKNOWN_TOPIC_ID,
  ErrorCode.KAFKA_STORAGE_ERROR,
  ErrorCode.REQUEST_TIMED_OUT,
  ErrorCode.LEADER_NOT_AVAILABLE,
  ErrorCode.NOT_ENOUGH_REPLICAS,
])

/** The offset of the batch; undefined when the simulation ended first. */
async function sendUntilAcknowledged(
  topic: SimTopic,
  partition: number,
  records: Uint8Array,
  { client, isOver }: ActorDeps,
): Promise<number | undefined> {
  const body = {
    transactionalId: null,
    acks: -1,
    timeoutMs: 1000,
    topicData: [{ topicId: topic.topicId, name: topic.name, partitionData: [{ index: partition, records }] }],
  }
  const answer = await client.insist(
    ApiKey.Produce,
    body,
    ({ responses }) => !PASSING.has(responses[0]?.partitionResponses[0]?.errorCode ?? ErrorCode.NONE),
    isOver,
  )
  const outcome = answer?.responses[0]?.partitionResponses[0]
  if (outcome === undefined) return undefined
  const { errorCode, errorMessage, baseOffset } = outcome
  hold(errorCode === ErrorCode.NONE, `${topic.name}-${partition}: produce failed with ${errorCode} ${errorMessage}`)
  return Number(baseOffset)
}

/** Reads a partition from its start, and on; returns its values once `until` is reached. */
export async function consume(
  topic: SimTopic,
  partition: number,
  deps: ActorDeps,
  isEnough: (values: readonly string[], highWatermark: number) => boolean,
): Promise<string[]> {
  const history = topic.histories[partition]
  if (history === undefined) throw new Violation(`${topic.name} has no partition ${partition}`)
  const values: string[] = []
  for (;;) {
    const found = await fetch(topic, partition, values.length, deps)
    if (found === undefined) return values
    history.sawHighWatermark(found.highWatermark)
    for (const view of batches(found.records)) {
      for (const record of readRecords(view, deps.compute)) {
        if (record.offset < values.length) continue
        hold(
          record.offset === values.length,
          `${history.name}: offset ${values.length} is missing before ${record.offset}`,
        )
        const value = Buffer.from(record.value ?? []).toString()
        history.saw(record.offset, value)
        values.push(value)
      }
    }
    hold(values.length <= found.highWatermark, `${history.name}: read ${values.length}, beyond the high watermark`)
    if (isEnough(values, found.highWatermark)) return values
  }
}

async function fetch(
  topic: SimTopic,
  partition: number,
  offset: number,
  { client, random, isOver }: ActorDeps,
): Promise<{ records: Uint8Array; highWatermark: number } | undefined> {
  const body = {
    maxWaitMs: random.between(0, 200),
    minBytes: 1,
    maxBytes: 1 << 20,
    isolationLevel: random.below(2),
    sessionId: 0,
    sessionEpoch: -1,
    topics: [
      {
        topicId: topic.topicId,
        topic: topic.name,
        partitions: [{ partition, fetchOffset: BigInt(offset), partitionMaxBytes: random.between(100, 100_000) }],
      },
    ],
    forgottenTopicsData: [],
    rackId: '',
  }
  const answer = await client.insist(ApiKey.Fetch, body, isFetched, isOver)
  const found = answer?.responses[0]?.partitions[0]
  if (found === undefined) return undefined
  hold(
    found.errorCode === ErrorCode.NONE,
    `${topic.name}-${partition}: fetch at ${offset} failed with ${found.errorCode}`,
  )
  return { records: found.records ?? new Uint8Array(0), highWatermark: Number(found.highWatermark) }
}

/** Commits offsets of a group without members; what was acknowledged last must be read back. */
export async function commitOffsets(group: string, topic: SimTopic, deps: ActorDeps): Promise<void> {
  const { client, random, isOver } = deps
  // Whoever asks first for a coordinator has its topic made.
  const search = { keyType: 0, coordinatorKeys: [group] }
  await client.insist(ApiKey.FindCoordinator, search, ({ coordinators }) => isLoaded({ groups: coordinators }), isOver)
  let acknowledged = -1
  for (let offset = 0; !isOver(); offset++) {
    const committed = await commit(group, topic, offset, deps)
    if (committed) acknowledged = offset
    const found = await committedOffset(group, topic, deps)
    if (found === undefined) return
    hold(found >= acknowledged && found <= offset, `${group}: committed ${acknowledged}, read ${found}`)
    deps.trace.note(`${group} committed ${found}`)
    await client.sleep(random.fraction() * 100)
  }
}

async function commit(group: string, topic: SimTopic, offset: number, { client, isOver }: ActorDeps): Promise<boolean> {
  const body = {
    groupId: group,
    generationIdOrMemberEpoch: -1,
    memberId: '',
    groupInstanceId: null,
    topics: [
      {
        name: topic.name,
        topicId: topic.topicId,
        partitions: [{ partitionIndex: 0, committedOffset: BigInt(offset), committedMetadata: `m${offset}` }],
      },
    ],
  }
  return (await client.insist(ApiKey.OffsetCommit, body, isCommitted, isOver)) !== undefined
}

async function committedOffset(
  group: string,
  topic: SimTopic,
  { client, isOver }: ActorDeps,
): Promise<number | undefined> {
  const topics = [{ name: topic.name, topicId: topic.topicId, partitionIndexes: [0] }]
  const body = { groups: [{ groupId: group, memberId: null, memberEpoch: -1, topics }], requireStable: false }
  const answer = await client.insist(ApiKey.OffsetFetch, body, isLoaded, isOver)
  const found = answer?.groups[0]?.topics[0]?.partitions[0]
  return found === undefined ? undefined : Number(found.committedOffset)
}

interface HasError {
  readonly errorCode: number
}

function isFetched({
  responses,
}: {
  readonly responses: readonly { readonly partitions: readonly HasError[] }[]
}): boolean {
  return !PASSING.has(responses[0]?.partitions[0]?.errorCode ?? ErrorCode.UNKNOWN_TOPIC_ID)
}

function isCommitted({
  topics,
}: {
  readonly topics: readonly { readonly partitions: readonly HasError[] }[]
}): boolean {
  return topics[0]?.partitions[0]?.errorCode === ErrorCode.NONE
}

function isLoaded({ groups }: { readonly groups: readonly HasError[] }): boolean {
  return groups[0]?.errorCode === ErrorCode.NONE
}
