import { describe, expect, test } from '@jest/globals'
import type { Controller } from '../../../broker/controller/controller.ts'
import { NotControllerError } from '../../../broker/controller/metadata-writer.ts'
import type { BrokerConfigChecksDeps } from '../../../broker/handlers/broker-config-checks.ts'
import { answeringNotController, controllerChangeHandlers } from '../../../broker/handlers/controller-changes.ts'
import { describeQuorumHandler } from '../../../broker/handlers/describe-quorum.ts'
import { envelopeHandler } from '../../../broker/handlers/envelope.ts'
import { FORWARDED_KEYS } from '../../../broker/handlers/forwarded-apis.ts'
import { forwardingHandlers } from '../../../broker/handlers/forwarding.ts'
import { type Handler, handler } from '../../../broker/handlers/handler.ts'
import { decodePrincipal, encodePrincipal } from '../../../broker/handlers/principal.ts'
import { ZERO_UUID } from '../../../broker/lib/uuid.ts'
import { MetadataImage } from '../../../broker/metadata/image.ts'
import { ApiKey } from '../../../broker/protocol/api-key.ts'
import { APIS, type RequestInputOf, type ResponseOf } from '../../../broker/protocol/apis.ts'
import { ErrorCode } from '../../../broker/protocol/errors.ts'
import type { EnvelopeRequest, EnvelopeResponse } from '../../../broker/protocol/messages/envelope.ts'
import { inOwnMemory, type RequestContext } from '../../../broker/security/request-context.ts'
import { LogThreshold } from '../../../broker/telemetry/log-threshold.ts'
import { SimClock } from '../../fakes/clock.ts'
import { silentLogger } from '../../fakes/logger.ts'
import { RULES } from '../controller/cluster.ts'
import { contextOf, frameOf } from './context.ts'

const CREATE = {
  topics: [{ name: 't', numPartitions: 1, replicationFactor: 1, assignments: [], configs: [] }],
  timeoutMs: 1000,
  validateOnly: false,
}
const CREATED = { throttleTimeMs: 0, topics: [{ name: 't', errorCode: ErrorCode.NONE, errorMessage: null }] }

/** What a controller was asked, inside and outside of an envelope. */
interface Asked {
  readonly request: unknown
  readonly context: RequestContext
}

function createTopics(asked: Asked[], error?: Error): Handler<ApiKey> {
  return handler(ApiKey.CreateTopics, (request, context) => {
    asked.push({ request, context })
    return error === undefined ? CREATED : Promise.reject(error)
  })
}

/** CreateTopics looks at none of it. */
const BROKER: BrokerConfigChecksDeps = {
  nodeId: 1,
  logThreshold: new LogThreshold('info'),
  server: () => {
    throw new Error('nobody asks')
  },
  image: () => MetadataImage.EMPTY,
  rules: RULES,
}

/** A broker whose way to the controller is `reach`. */
function broker(
  reach: (envelope: EnvelopeRequest) => Promise<EnvelopeResponse>,
  settled: () => Promise<void> = () => Promise.resolve(),
) {
  const clock = new SimClock()
  const controller = {
    request: async <K extends ApiKey>(_key: K, body: RequestInputOf<K>) =>
      (await reach(body as EnvelopeRequest)) as ResponseOf<K>,
  }
  const handlers = forwardingHandlers({
    forwarding: { controller, timeoutMs: 1000 },
    clock,
    logger: silentLogger(),
    settled,
    ...BROKER,
  })
  const served = handlers.find(({ key }) => key === ApiKey.CreateTopics)
  const context = contextOf({ apiVersion: 7, received: inOwnMemory(frameOf(ApiKey.CreateTopics, 7, CREATE)) })
  return {
    clock,
    create: () => clock.runFor(Promise.resolve(served?.handle(CREATE, context)), 10_000),
  }
}

/** The envelope that a controller with these handlers makes of what it is sent. */
function controllerOf(...handlers: readonly Handler<ApiKey>[]) {
  const envelope = envelopeHandler(handlers, { logger: silentLogger() })
  const context = contextOf({ listener: 'CONTROLLER', clientAddress: '10.9.9.9', clientId: 'broker-1' })
  return async (request: EnvelopeRequest) => (await envelope.handle(request, context)) as EnvelopeResponse
}

const ENVELOPE = {
  requestData: frameOf(ApiKey.CreateTopics, 7, CREATE),
  requestPrincipal: encodePrincipal({ type: 'User', name: 'me' }),
  clientHostAddress: Uint8Array.of(10, 0, 0, 7),
}

describe('a request that is forwarded', () => {
  test('reaches the handler of the controller with its client, principal and version, and its answer comes back', async () => {
    const asked: Asked[] = []
    const answer = await broker(controllerOf(createTopics(asked))).create()
    expect(answer).toMatchObject(CREATED)
    expect(asked).toMatchObject([
      {
        request: { topics: [{ name: 't' }], timeoutMs: 1000 },
        context: {
          apiVersion: 7,
          clientId: 'tester',
          clientAddress: '10.0.0.7',
          principal: { type: 'User', name: 'ANONYMOUS' },
          listener: 'CONTROLLER',
        },
      },
    ])
  })

  test('is sent again while the controller is elsewhere or cannot be reached', async () => {
    const reached = controllerOf(createTopics([]))
    const ways = [
      () => Promise.reject(new Error('no connection')),
      () => Promise.resolve({ responseData: null, errorCode: ErrorCode.NOT_CONTROLLER }),
      controllerOf(createTopics([], new NotControllerError('deposed'))),
    ]
    const answer = await broker((envelope) => (ways.shift() ?? reached)(envelope)).create()
    expect(answer).toMatchObject(CREATED)
    expect(ways).toEqual([])
  })

  test('times out where no controller is found, in the shape of its own answer', async () => {
    const answer = await broker(() => Promise.reject(new Error('no connection'))).create()
    expect(answer).toEqual({
      topics: [{ name: 't', errorCode: ErrorCode.REQUEST_TIMED_OUT, errorMessage: 'The request timed out.' }],
    })
  })

  test('is answered where the broker cannot follow the metadata any more', async () => {
    const settled = () => Promise.reject(new Error('the disk is gone'))
    expect(await broker(controllerOf(createTopics([])), settled).create()).toMatchObject(CREATED)
  })

  test('closes the connection where the controller does not have the version', async () => {
    const refused = { responseData: null, errorCode: ErrorCode.UNSUPPORTED_VERSION }
    expect(await broker(() => Promise.resolve(refused)).create()).toBe('close')
  })

  test('that the controller fails over is answered, and not sent again', async () => {
    const asked: Asked[] = []
    const answer = await broker(controllerOf(createTopics(asked, new Error('a bug')))).create()
    expect(answer).toMatchObject({ topics: [{ errorCode: ErrorCode.UNKNOWN_SERVER_ERROR }] })
    expect(asked).toHaveLength(1)
  })

  test('does not tell the client what is wrong between broker and controller', async () => {
    const refused = { responseData: null, errorCode: ErrorCode.CLUSTER_AUTHORIZATION_FAILED }
    const answer = await broker(() => Promise.resolve(refused)).create()
    expect(answer).toMatchObject({ topics: [{ errorCode: ErrorCode.UNKNOWN_SERVER_ERROR }] })
  })
})

function changeHandlers(controller: Controller, deleteTopicEnable = true) {
  const logThreshold = new LogThreshold('info')
  return controllerChangeHandlers({ nodeId: 1, logThreshold, controller, deleteTopicEnable, onHeartbeat: () => {} })
}

test('every API that Kafka forwards from brokers and that controllers serve is forwarded', () => {
  const table = changeHandlers({} as Controller)
  const wanted = table.map(({ key }) => APIS[key]).filter((api) => api.forwardable && api.listeners.includes('broker'))
  for (const { key } of wanted) expect(FORWARDED_KEYS).toContain(key)
  expect(FORWARDED_KEYS.filter((key) => !APIS[key].forwardable)).toEqual([])
})

describe('an envelope is refused', () => {
  const heartbeat = { brokerId: 1, brokerEpoch: 1n, currentMetadataOffset: 1n }
  test.each<[string, Partial<EnvelopeRequest>, ErrorCode]>([
    ['without a principal', { requestPrincipal: null }, ErrorCode.PRINCIPAL_DESERIALIZATION_FAILURE],
    [
      'with half a principal',
      { requestPrincipal: Uint8Array.of(0, 0, 9) },
      ErrorCode.PRINCIPAL_DESERIALIZATION_FAILURE,
    ],
    ['from no address', { clientHostAddress: new Uint8Array(3) }, ErrorCode.INVALID_REQUEST],
    ['with half a request', { requestData: ENVELOPE.requestData.subarray(0, 12) }, ErrorCode.INVALID_REQUEST],
    [
      'with what is not to be forwarded',
      { requestData: frameOf(ApiKey.BrokerHeartbeat, 0, heartbeat) },
      ErrorCode.INVALID_REQUEST,
    ],
  ])('%s', async (_what, wrong, errorCode) => {
    const served = [createTopics([]), handler(ApiKey.BrokerHeartbeat, () => ({ errorCode: ErrorCode.NONE }))]
    const answer = await controllerOf(...served)({ ...ENVELOPE, ...wrong })
    expect(answer).toEqual({ responseData: null, errorCode })
  })

  test('where the version is not known', async () => {
    const requestData = Uint8Array.from(ENVELOPE.requestData)
    requestData[3] = 99
    const answer = await controllerOf(createTopics([]))({ ...ENVELOPE, requestData })
    expect(answer.errorCode).toBe(ErrorCode.UNSUPPORTED_VERSION)
  })

  test('where this controller does not lead the quorum that is to be described', async () => {
    const quorum = { leaderId: 2, epoch: 1, isLeader: false, highWatermark: 0, voters: [], observers: [] }
    const topics = [{ topicName: '__cluster_metadata', partitions: [{ partitionIndex: 0 }] }]
    const asked = { ...ENVELOPE, requestData: frameOf(ApiKey.DescribeQuorum, 2, { topics }) }
    const answer = await controllerOf(describeQuorumHandler({ quorum: () => quorum }))(asked)
    expect(answer).toEqual({ responseData: null, errorCode: ErrorCode.NOT_CONTROLLER })
  })
})

test('a controller that is not active says so to whoever asks without an envelope', async () => {
  const served = answeringNotController(createTopics([], new NotControllerError('deposed')))
  const answer = await served.handle(CREATE, contextOf({ apiVersion: 7 }))
  expect(answer).toMatchObject({ topics: [{ name: 't', errorCode: ErrorCode.NOT_CONTROLLER }] })
})

test('a principal is as Kafka writes it, and read back', () => {
  const bytes = encodePrincipal({ type: 'User', name: 'ann' })
  expect([...bytes]).toEqual([0, 0, 5, ...Buffer.from('User'), 4, ...Buffer.from('ann'), 0, 0])
  expect(decodePrincipal(bytes)).toEqual({ type: 'User', name: 'ann' })
})

const untouched = new Proxy({} as Controller, {
  get: () => () => {
    throw new Error('it was begun')
  },
})

test.each([
  [1, ErrorCode.INVALID_REQUEST],
  [3, ErrorCode.TOPIC_DELETION_DISABLED],
  [6, ErrorCode.TOPIC_DELETION_DISABLED],
])('with delete.topic.enable=false no topic is deleted: version %i', async (apiVersion, errorCode) => {
  const served = changeHandlers(untouched, false).find(({ key }) => key === ApiKey.DeleteTopics)
  const named = { name: 't', topicId: ZERO_UUID }
  const request = { topics: apiVersion < 6 ? [] : [named], topicNames: apiVersion < 6 ? ['t'] : [], timeoutMs: 1000 }
  const answer = await served?.handle(request, contextOf({ apiVersion }))
  expect(answer).toMatchObject({ responses: [{ name: 't', errorCode, errorMessage: null }] })
})

describe('a change that is given no time', () => {
  const asked = {
    [ApiKey.CreateTopics]: { topics: [{ name: 't' }] },
    [ApiKey.DeleteTopics]: { topics: [{ name: 't' }], topicNames: [] },
    [ApiKey.CreatePartitions]: { topics: [{ name: 't', count: 2, assignments: null }] },
    [ApiKey.ElectLeaders]: { topicPartitions: [{ topic: 't', partitions: [0] }] },
    [ApiKey.AlterPartitionReassignments]: { topics: [{ name: 't', partitions: [{ partitionIndex: 0 }] }] },
  }
  const handlers = changeHandlers(untouched)

  test.each(
    Object.entries(asked).flatMap(([key, request]) =>
      [0, -1].map((ms) => [Number(key) as ApiKey, request, ms] as const),
    ),
  )('is not begun, as in Apache Kafka: API %i', async (key, request, timeoutMs) => {
    const served = handlers.find((each) => each.key === key)
    const answer = await served?.handle({ ...request, timeoutMs } as never, contextOf({ apiVersion: 1 }))
    expect(JSON.stringify(answer)).toContain(`"errorCode":${ErrorCode.REQUEST_TIMED_OUT},"errorMessage":null`)
  })
})
