import { readFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { GroupCoordinator } from '../../../broker/coordinator/group/group-coordinator.ts'
import { groupHandlers } from '../../../broker/handlers/groups.ts'
import type { Handler } from '../../../broker/handlers/handler.ts'
import { NodeClock } from '../../../broker/host/clock.ts'
import { NodeCompute } from '../../../broker/host/compute.ts'
import { NodeRandom } from '../../../broker/host/random.ts'
import { ApiKey } from '../../../broker/protocol/api-key.ts'
import type { Api } from '../../../broker/protocol/api.ts'
import { APIS, type RequestInputOf, type RequestOf, type ResponseOf } from '../../../broker/protocol/apis.ts'
import { decodeRequest, decodeResponse, encodeRequest, encodeResponse } from '../../../broker/protocol/frame.ts'
import { ANONYMOUS, inOwnMemory } from '../../../broker/security/request-context.ts'
import { startApache } from '../../tools/apache.ts'
import { FakeLog, FakeTopics } from '../../unit/coordinator/fake-log.ts'

export type GroupApi =
  | typeof ApiKey.OffsetCommit
  | typeof ApiKey.OffsetFetch
  | typeof ApiKey.OffsetDelete
  | typeof ApiKey.JoinGroup
  | typeof ApiKey.SyncGroup
  | typeof ApiKey.Heartbeat
  | typeof ApiKey.LeaveGroup
  | typeof ApiKey.DescribeGroups
  | typeof ApiKey.ListGroups
  | typeof ApiKey.DeleteGroups

/** A coordinator of groups, and the topic `orders` of three partitions. */
export interface Target extends AsyncDisposable {
  /** The batches of `__consumer_offsets-0` so far. */
  log(): Uint8Array
  readonly topicId: string
  call<K extends GroupApi>(key: K, version: number, request: RequestInputOf<K>): Promise<ResponseOf<K>>
}

const SETTINGS = {
  'group.initial.rebalance.delay.ms': '300',
  'group.min.session.timeout.ms': '500',
  'group.max.size': '3',
}
const CLIENT = 'conformance'
const ignore = (): void => undefined

/** What a value is by construction: an answer has the type of the API that decoded it. */
// oxlint-disable-next-line no-unnecessary-type-parameters -- it names what is trusted
function trusted<T>(value: unknown): T {
  // oxlint-disable-next-line no-unsafe-type-assertion -- the key, which names the type, is known only at run time
  return value as T
}

/** The declaration of an API whose key is known only at run time. */
function anyApi(key: ApiKey): Api<unknown, object, unknown, object> {
  return trusted(APIS[key])
}

function frameOf(chunks: readonly Uint8Array[]): Uint8Array {
  return Buffer.concat(chunks).subarray(4)
}

/** Apache Kafka; each call has a connection of its own, so that joins that wait do not hold up others. */
export async function apacheTarget(): Promise<Target> {
  const node = await startApache({ overrides: { 'offsets.topic.num.partitions': '1', ...SETTINGS } })
  const call = (key: ApiKey, version: number, request: object) => callOver(node.port, key, version, request)
  const topic = { name: 'orders', numPartitions: 3, replicationFactor: 1 }
  const answer = await call(ApiKey.CreateTopics, 7, { topics: [topic], timeoutMs: 10_000 })
  const created = trusted<ResponseOf<typeof ApiKey.CreateTopics>>(answer)
  await untilServed(call)
  return trusted({
    topicId: created.topics[0]?.topicId ?? '',
    call,
    log: () => readFileSync(join(node.logDir, '__consumer_offsets-0', '00000000000000000000.log')),
    [Symbol.asyncDispose]: () => node.stop(),
  })
}

async function untilServed(call: (key: ApiKey, version: number, request: object) => Promise<unknown>): Promise<void> {
  for (let tries = 0; tries < 100; tries++) {
    await call(ApiKey.FindCoordinator, 3, { key: 'g', keyType: 0 })
    const answer = await call(ApiKey.OffsetFetch, 7, { groupId: 'g', topics: [], requireStable: false })
    if (trusted<ResponseOf<typeof ApiKey.OffsetFetch>>(answer).errorCode === 0) return
    await sleep(200)
  }
  throw new Error('Apache Kafka does not serve groups')
}

async function callOver(port: number, key: ApiKey, version: number, request: object): Promise<unknown> {
  const socket = connect(port, '127.0.0.1')
  try {
    const chunks = encodeRequest(anyApi(key), version, 1, CLIENT, request)
    for (const chunk of chunks) socket.write(chunk)
    return decodeResponse(anyApi(key), version, await frameFrom(socket))
  } finally {
    socket.destroy()
  }
}

function frameFrom(socket: Socket): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    let received = Buffer.alloc(0)
    socket.on('data', (chunk) => {
      received = Buffer.concat([received, chunk])
      if (received.length >= 4 && received.length >= 4 + received.readInt32BE()) resolve(received.subarray(4))
    })
    socket.on('error', reject)
    socket.on('close', () => reject(new Error('the connection was closed')))
  })
}

/** Our coordinator in this process, its requests and answers through the wire format. */
export async function ourTarget(log = new FakeLog()): Promise<Target> {
  const topics = new FakeTopics()
  const coordinator = new GroupCoordinator(
    {
      groupInitialRebalanceDelayMs: Number(SETTINGS['group.initial.rebalance.delay.ms']),
      groupMaxSize: Number(SETTINGS['group.max.size']),
      groupMinSessionTimeoutMs: Number(SETTINGS['group.min.session.timeout.ms']),
      groupMaxSessionTimeoutMs: 1_800_000,
      offsetMetadataMaxBytes: 4096,
      offsetsRetentionMinutes: 10_080,
      offsetsRetentionCheckIntervalMs: 600_000,
      offsetsTopicCompressionCodec: 0,
    },
    {
      appender: log,
      clock: new NodeClock(),
      compute: new NodeCompute(),
      logger: { info: ignore, warn: ignore, error: ignore },
      random: new NodeRandom(),
      topics,
    },
  )
  await coordinator.onLoad(0, 0)
  const handlers = new Map(groupHandlers(coordinator).map((handler) => [handler.key, handler]))
  return trusted({
    topicId: topics.idOf('orders') ?? '',
    call: (key: ApiKey, version: number, request: object) => callHandler(handlers.get(key), version, request),
    log: () => Buffer.concat(log.batches()),
    [Symbol.asyncDispose]: () => coordinator[Symbol.asyncDispose](),
  })
}

async function callHandler(handler: Handler<ApiKey> | undefined, version: number, request: object): Promise<unknown> {
  if (handler === undefined) throw new Error('no handler')
  const api = anyApi(handler.key)
  const frame = frameOf(encodeRequest(api, version, 1, CLIENT, request))
  const { body } = decodeRequest(frame)
  const context = { apiVersion: version, clientId: CLIENT, clientAddress: '127.0.0.1', listener: 'PLAINTEXT' }
  const decoded = trusted<RequestOf<ApiKey>>(api.request.decode(body, version))
  const connection = { onClosed: () => undefined, isClosed: false, takenBytes: 0 }
  const from = { principal: ANONYMOUS, onAbandoned: () => undefined, connection, received: inOwnMemory(frame) }
  const answer = await handler.handle(decoded, { ...context, ...from })
  return decodeResponse(api, version, frameOf(encodeResponse(api, version, 1, trusted(answer))))
}
