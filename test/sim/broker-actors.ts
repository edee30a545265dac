import { ApiKey } from '../../broker/protocol/api-key.ts'
import type { RequestInputOf, ResponseOf } from '../../broker/protocol/apis.ts'
import { ErrorCode } from '../../broker/protocol/errors.ts'
import { buildBatch } from '../../broker/records/build.ts'
import { batches, readRecords } from '../../broker/records/read.ts'
import type { Compute } from '../../broker/env/compute.ts'
import type { CodecName } from '../../broker/env/compute.ts'
import type { SimRandom } from '../fakes/random.ts'
import type { ClientHistory } from './broker-history.ts'
import type { SimClient, Target } from './client.ts'
import { ConsumerSession } from './consumer-session.ts'
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
  /** Longest pause between two batches of a producer, in ms. */
  readonly pauseMs: number
  /** Where consumers are; '' where nobody cares. */
  readonly rack: string
  /** A client was told that something is done. */
  readonly onAcknowledged: () => void
  /** True once the actors shall end. */
  readonly isOver: () => boolean
}

const CODECS: readonly CodecName[] = ['gzip', 'snappy', 'lz4', 'zstd']
const COMPRESSED = 0.2

/** Sends batches with idempotence to all partitions of a topic, each until it is acknowledged. */
export async function produce(name: string, topic: SimTopic, deps: ActorDeps): Promise<void> {
  const { client, random, isOver, pauseMs } = deps
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
    for (const [i, value] of values.entries()) {
      topic.histories[partition]?.acknowledged(offset < 0 ? undefined : offset + i, value)
    }
    deps.onAcknowledged()
    deps.trace.note(`${name} ${topic.name}-${partition} ${offset}+${size}`)
    sequences[partition] = baseSequence + size
    await client.sleep(random.fraction() * pauseMs)
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
  const codec = random.chance(COMPRESSED) ? random.pick(CODECS) : 'none'
  return buildBatch({ records, baseTimestampMs: client.clock.wallMs(), codec, producerEpoch: 0, ...producer }, compute)
}

/** What an answer may say for a while without a rule being broken. */
const PASSING: ReadonlySet<number> = new Set([
  ErrorCode.NOT_ENOUGH_REPLICAS_AFTER_APPEND,
  ErrorCode.FENCED_LEADER_EPOCH,
  ErrorCode.UNKNOWN_LEADER_EPOCH,
  ErrorCode.OFFSET_NOT_AVAILABLE,
  ErrorCode.NOT_LEADER_OR_FOLLOWER,
  ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
  ErrorCode.UNKNOWN_TOPIC_ID,
  ErrorCode.KAFKA_STORAGE_ERROR,
  ErrorCode.REQUEST_TIMED_OUT,
  ErrorCode.LEADER_NOT_AVAILABLE,
  ErrorCode.NOT_ENOUGH_REPLICAS,
  // Of a leader that does not know yet that it is none any more, and lacks what was appended since.
  ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER,
])

/** The offset of the batch, -1 where the broker only knows that it has it; undefined when the simulation ended first. */
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
    { type: 'leader', topic: topic.name, partition },
  )
  const outcome = answer?.responses[0]?.partitionResponses[0]
  if (outcome === undefined) return undefined
  const { errorCode, errorMessage, baseOffset } = outcome
  if (errorCode === ErrorCode.DUPLICATE_SEQUENCE_NUMBER) return -1
  hold(errorCode === ErrorCode.NONE, `${topic.name}-${partition}: produce failed with ${errorCode} ${errorMessage}`)
  return Number(baseOffset)
}

/** Reads a partition from its start, and on; returns its values by offset, with holes where they were deleted, once `isEnough`. */
export async function consume(
  topic: SimTopic,
  partition: number,
  deps: ActorDeps,
  isEnough: (values: readonly string[], highWatermark: number) => boolean,
): Promise<string[]> {
  const history = topic.histories[partition]
  if (history === undefined) throw new Violation(`${topic.name} has no partition ${partition}`)
  const values: string[] = []
  const session = deps.random.chance(0.5) ? new ConsumerSession() : undefined
  const place = { followerId: NOBODY, session }
  for (;;) {
    const found = await fetch(topic, partition, values.length, place, deps)
    if (found === undefined) return values
    if (found === 'begins later') {
      const start = await startOf(topic, partition, deps)
      if (start === undefined) return values
      hold(start <= history.trimmedEnd, `${history.name}: begins at ${start}, up to ${history.trimmedEnd} was deleted`)
      if (start > values.length) values.length = start
      continue
    }
    // A follower may have been behind the one that answered before.
    if (!found.isFollower) history.sawHighWatermark(found.highWatermark, found.leaderEpoch)
    for (const view of batches(found.records)) {
      hold(
        view.computeCrc() === view.crc,
        `${history.name}: the batch at ${view.baseOffset} is served though it is damaged`,
      )
      for (const record of readRecords(view, deps.compute)) {
        if (record.offset < values.length) continue
        hold(
          record.offset === values.length,
          `${history.name}: offset ${values.length} is missing before ${record.offset}`,
        )
        const value = Buffer.from(record.value ?? []).toString()
        const { highWatermark } = found
        hold(
          record.offset < highWatermark,
          `${history.name}: read ${record.offset}, not below the high watermark ${highWatermark}`,
        )
        history.saw(record.offset, value)
        values.push(value)
      }
    }
    if (deps.random.chance(VALIDATE)) await validate(topic, partition, found.leaderEpoch, values.length, deps)
    if (isEnough(values, found.highWatermark)) return values
  }
}

type FetchResponse = ResponseOf<typeof ApiKey.Fetch>

interface Place {
  followerId: number
  /** Undefined where each fetch is for itself. */
  readonly session: ConsumerSession | undefined
}

interface Fetched {
  readonly records: Uint8Array
  readonly highWatermark: number
  readonly leaderEpoch: number
  readonly isFollower: boolean
}

const NOBODY = -1
/** ListOffsets' word for where a log begins. */
const EARLIEST = -2n
/** How likely a consumer asks the leader again where it had better read. */
const RETURN = 0.2
/** How likely a consumer makes sure of its place. */
const VALIDATE = 0.05

/** Reads on where the leader says (KIP-392): that follower may be behind, restarted, or none any more. */
async function fetch(
  topic: SimTopic,
  partition: number,
  offset: number,
  place: Place,
  deps: ActorDeps,
): Promise<Fetched | 'begins later' | undefined> {
  const { client, random, isOver } = deps
  const { session } = place
  const isDone = (response: FetchResponse): boolean => {
    session?.answered(response)
    return isFetched(response) || isUnchanged(response, session)
  }
  for (;;) {
    let leaderEpoch = -1
    const known = () => (leaderEpoch = client.leaderEpoch(topic.name, partition))
    const isFollower = place.followerId !== NOBODY && !random.chance(RETURN)
    const body = fetchBody(topic, partition, offset, { rackId: isFollower ? '' : deps.rack, session }, known, random)
    const leader: Target = { type: 'leader', topic: topic.name, partition }
    const answer = isFollower
      ? await client.tryOnce(ApiKey.Fetch, body(), { type: 'broker', id: place.followerId })
      : await client.insist(ApiKey.Fetch, body, isDone, isOver, leader)
    if (isFollower && answer !== undefined) session?.answered(answer)
    if (answer !== undefined && session !== undefined && isUnchanged(answer, session) && !isOver())
      return { records: new Uint8Array(0), highWatermark: session.highWatermark, leaderEpoch, isFollower }
    const told = answer?.responses[0]
    // The broker has another session by this id: the client begins anew, as Kafka's do.
    if (session !== undefined && told !== undefined && told.topicId !== topic.topicId) {
      session.forget()
      continue
    }
    const found = told?.partitions[0]
    if (isOver() || (found === undefined && !isFollower)) return undefined
    if (isFollower && found?.errorCode !== ErrorCode.NONE) {
      place.followerId = NOBODY
      continue
    }
    if (found === undefined) continue
    const { errorCode, preferredReadReplica, records, highWatermark } = found
    if (!isFollower) place.followerId = preferredReadReplica
    if (preferredReadReplica !== NOBODY) continue
    const mayBeDeleted = offset < (topic.histories[partition]?.trimmedEnd ?? 0)
    if (errorCode === ErrorCode.OFFSET_OUT_OF_RANGE && mayBeDeleted) return 'begins later'
    hold(errorCode === ErrorCode.NONE, `${topic.name}-${partition}: fetch at ${offset} failed with ${errorCode}`)
    if (session !== undefined) session.highWatermark = Number(highWatermark)
    return { records: records ?? new Uint8Array(0), highWatermark: Number(highWatermark), leaderEpoch, isFollower }
  }
}

/** No leader may say that a log has been cut before `offset`, which was read up to while `leaderEpoch` led: consumers would begin anew (KIP-320). */
async function validate(
  { name, histories }: SimTopic,
  partition: number,
  leaderEpoch: number,
  offset: number,
  { client, isOver }: ActorDeps,
): Promise<void> {
  const body = (): RequestInputOf<typeof ApiKey.OffsetForLeaderEpoch> => {
    const asked = { partition, currentLeaderEpoch: client.leaderEpoch(name, partition), leaderEpoch }
    return { replicaId: NOBODY, topics: [{ topic: name, partitions: [asked] }] }
  }
  const answer = await client.insist(
    ApiKey.OffsetForLeaderEpoch,
    body,
    ({ topics }) => topics[0]?.partitions[0]?.errorCode === ErrorCode.NONE,
    isOver,
    { type: 'leader', topic: name, partition },
  )
  const endOffset = Number(answer?.topics[0]?.partitions[0]?.endOffset ?? offset)
  const where = histories[partition]?.name
  hold(endOffset >= offset, `${where}: epoch ${leaderEpoch} is said to end at ${endOffset}, read up to ${offset}`)
}

/** Where the leader's log begins; undefined when the simulation ended first. */
async function startOf(topic: SimTopic, partition: number, { client, isOver }: ActorDeps): Promise<number | undefined> {
  const partitions = [{ partitionIndex: partition, timestamp: EARLIEST }]
  const answer = await client.insist(
    ApiKey.ListOffsets,
    { replicaId: NOBODY, isolationLevel: 0, topics: [{ name: topic.name, partitions }] },
    ({ topics }) => topics[0]?.partitions[0]?.errorCode === ErrorCode.NONE,
    isOver,
    { type: 'leader', topic: topic.name, partition },
  )
  const found = answer?.topics[0]?.partitions[0]
  return found === undefined ? undefined : Number(found.offset)
}

function fetchBody(
  topic: SimTopic,
  partition: number,
  offset: number,
  { rackId, session }: { readonly rackId: string; readonly session: ConsumerSession | undefined },
  leaderEpoch: () => number,
  random: SimRandom,
): () => RequestInputOf<typeof ApiKey.Fetch> {
  const maxWaitMs = random.between(0, 1000)
  // All fetches of a session want the same, or its broker would look at everything again.
  const isolationLevel = session === undefined ? random.below(2) : 0
  return () => {
    const currentLeaderEpoch = leaderEpoch()
    const partitionMaxBytes = random.between(100, 100_000)
    const asked = { partition, currentLeaderEpoch, fetchOffset: BigInt(offset), partitionMaxBytes }
    const wanted = { topicId: topic.topicId, topic: topic.name, partitions: [asked] }
    const header = session?.next(`${offset}@${currentLeaderEpoch}`) ?? WITHOUT_SESSION
    return {
      maxWaitMs,
      minBytes: 1,
      maxBytes: 1 << 20,
      isolationLevel,
      sessionId: header.sessionId,
      sessionEpoch: header.sessionEpoch,
      topics: header.isNamed ? [wanted] : [],
      forgottenTopicsData: [],
      rackId,
    }
  }
}

const WITHOUT_SESSION = { sessionId: 0, sessionEpoch: -1, isNamed: true }

function isFetched({ responses }: FetchResponse): boolean {
  return !PASSING.has(responses[0]?.partitions[0]?.errorCode ?? ErrorCode.UNKNOWN_TOPIC_ID)
}

/** Whether the partition is as its consumer has been told. */
function isUnchanged({ errorCode, responses }: FetchResponse, session: ConsumerSession | undefined): boolean {
  return session !== undefined && errorCode === ErrorCode.NONE && responses.length === 0
}
