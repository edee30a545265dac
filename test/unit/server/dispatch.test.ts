import { describe, expect, test } from '@jest/globals'
import { AnswerBudget } from '../../../broker/lib/answer-budget.ts'
import { ApiKey } from '../../../broker/protocol/api-key.ts'
import { APIS } from '../../../broker/protocol/apis.ts'
import { decodeResponse, encodeRequest } from '../../../broker/protocol/frame.ts'
import type { Answer, Peer, Reply } from '../../../broker/server/connection.ts'
import { ApiDispatcher, type ServedApi } from '../../../broker/server/dispatch.ts'
import { inOwnMemory, type RequestContext } from '../../../broker/security/request-context.ts'
import { Metrics } from '../../../broker/telemetry/metrics.ts'
import { SimWorld } from '../../fakes/env.ts'
import { textOf } from '../../fakes/http.ts'
import { MemoryLogger } from '../../fakes/logger.ts'

const PEER: Peer = {
  listener: 'PLAINTEXT',
  clientAddress: '10.0.0.7',
  onAbandoned: () => undefined,
  onClosed: () => undefined,
  isClosed: false,
  takenBytes: 0,
}
const api = APIS[ApiKey.ListGroups]
const ANSWER = { throttleTimeMs: 0, errorCode: 0, groups: [] }

function requestFrame(version = 4, extra = 0): Uint8Array {
  const chunks = encodeRequest(api, version, 77, 'me', { statesFilter: ['Stable'] })
  return Buffer.concat([...chunks, Buffer.alloc(extra)]).subarray(4)
}

/** A dispatcher that serves ListGroups with `handle`, and what it has logged. */
function bed(handle: ServedApi['handle'], more: Partial<ServedApi> = {}, kind: 'broker' | 'controller' = 'broker') {
  const { clock } = new SimWorld({ seed: 1 })
  const logger = new MemoryLogger()
  const metrics = new Metrics({ withProcess: false }, { clock })
  const answers = new AnswerBudget()
  const dispatcher = new ApiDispatcher([{ api, overlaps: false, handle, ...more }], kind, {
    clock,
    metrics,
    logger,
    answers,
  })
  return {
    clock,
    metrics,
    answers,
    dispatcher,
    logger,
    dispatch: (frame: Uint8Array) => dispatcher.dispatch(inOwnMemory(frame), PEER, clock.monotonicMs()),
  }
}

function decoded(reply: Reply, version = 4): unknown {
  if (typeof reply === 'string') return reply
  return decodeResponse(api, version, Buffer.concat(reply.bytes).subarray(4))
}

/** The value of a request metric of ListGroups. */
async function sample(metrics: Metrics, name: string, labels = ''): Promise<number> {
  const start = `kafka_network_requestmetrics_${name}{request="ListGroups"${labels}} `
  const line = textOf(await metrics.exposition())
    .split('\n')
    .find((text) => text.startsWith(start))
  return Number(line?.slice(start.length))
}

describe('a request is measured', () => {
  /** Answered after 40 ms, and throttled for 7. */
  function slow() {
    const made = bed(async () => {
      await new Promise<void>((done) => made.clock.setTimer(40, done))
      return { ...ANSWER, throttleTimeMs: 7, errorCode: 15 }
    })
    return made
  }

  test.each([
    ['requestqueuetimems', 'waited for its turn', 5],
    ['localtimems', 'was in the handler', 0],
    ['remotetimems', 'waited for others', 40],
    ['responsequeuetimems', 'waited for earlier responses', 3],
    ['responsesendtimems', 'was sent', 2],
    ['throttletimems', 'told the client to be quiet', 7],
    ['totaltimems', 'was known to the broker', 50],
  ])('%s: for how long it %s', async (name, _, ms) => {
    const { clock, metrics, dispatcher } = slow()
    const receivedMs = clock.monotonicMs()
    await clock.run(5)
    const reply = dispatcher.dispatch(inOwnMemory(requestFrame()), PEER, receivedMs)
    await clock.run(40)
    const answer = (await reply) as Answer
    await clock.run(3)
    answer.leaves(clock.monotonicMs())
    await clock.run(2)
    answer.sent(clock.monotonicMs())
    expect(await sample(metrics, `${name}_count`)).toBe(1)
    expect(await sample(metrics, `${name}_sum`)).toBeCloseTo(ms)
  })

  test('with its errors', async () => {
    const { clock, metrics, dispatch } = slow()
    const reply = dispatch(requestFrame())
    await clock.run(40)
    await reply
    expect(await sample(metrics, 'errors_total', ',error="COORDINATOR_NOT_AVAILABLE"')).toBe(1)
  })

  test('under the name that its handler gives it', async () => {
    const { metrics, dispatch } = bed(() => 'none', { countedAs: (_, version) => `ListGroups${version}` })
    await dispatch(requestFrame())
    expect(textOf(await metrics.exposition())).toContain(
      'kafka_network_requestmetrics_requests_total{request="ListGroups4"',
    )
  })

  test('also where it has no answer', async () => {
    const { metrics, dispatch } = bed(() => 'none')
    await dispatch(requestFrame())
    expect(await sample(metrics, 'requests_total', ',version="4"')).toBe(1)
    expect(await sample(metrics, 'responsesendtimems_count')).toBe(1)
  })
})

describe('an answer', () => {
  test('counts from when it leaves until its client has it', async () => {
    const { answers, clock, dispatch } = bed(() => ANSWER)
    const reply = dispatch(requestFrame()) as Answer
    reply.leaves(clock.monotonicMs())
    expect(answers.heldBytes).toBe(Buffer.concat(reply.bytes).length)
    reply.sent(clock.monotonicMs())
    expect(answers.heldBytes).toBe(0)
  })
})

describe('a request', () => {
  test('is decoded, handled with its context, and answered under its correlation id', async () => {
    const seen: [unknown, RequestContext][] = []
    const { dispatch } = bed((request, context) => {
      seen.push([request, context])
      return ANSWER
    })
    const reply = await dispatch(requestFrame())
    expect(decoded(reply)).toEqual(ANSWER)
    expect(Buffer.concat((reply as Answer).bytes).readInt32BE(4)).toBe(77)
    expect(seen).toMatchObject([
      [
        { statesFilter: ['Stable'] },
        { apiVersion: 4, clientId: 'me', clientAddress: '10.0.0.7', listener: 'PLAINTEXT' },
      ],
    ])
  })

  test('that is answered at once makes no promise', () => {
    expect(bed(() => ANSWER).dispatch(requestFrame())).not.toBeInstanceOf(Promise)
  })

  test('may have bytes behind its end', async () => {
    expect(decoded(await bed(() => ANSWER).dispatch(requestFrame(4, 3)))).toEqual(ANSWER)
  })

  test.each(['none', 'close'] as const)('may come to %s', async (outcome) => {
    expect(await bed(() => Promise.resolve(outcome)).dispatch(requestFrame())).toBe(outcome)
  })
})

describe('the connection ends', () => {
  test.each([
    ['a frame without a header', Uint8Array.of(0)],
    ['an API that is not served', Uint8Array.of(0, 3, 0, 0, 0, 0, 0, 1, 255, 255)],
    ['a version without a schema', Uint8Array.of(0, 16, 0, 99, 0, 0, 0, 1, 255, 255)],
    ['a body that is cut short', requestFrame().subarray(0, -3)],
  ])('with %s', async (_, frame) => {
    const { dispatch, logger } = bed(() => ANSWER)
    expect(await dispatch(frame)).toBe('close')
    expect(logger.messages('warn').length).toBe(1)
  })

  test('where the API is for another kind of listener', async () => {
    expect(await bed(() => ANSWER, {}, 'controller').dispatch(requestFrame())).toBe('close')
  })

  test.each([
    [
      'throws',
      () => {
        throw new Error('a bug')
      },
    ],
    ['rejects', () => Promise.reject(new Error('a bug'))],
    ['gives what cannot be encoded', () => ({ groups: null })],
  ])('where a handler %s, and the log says why', async (_, handle) => {
    const { dispatch, logger } = bed(handle)
    expect(await dispatch(requestFrame())).toBe('close')
    expect(logger.messages('error')).toEqual(['closed a connection: a request failed'])
  })
})

test('a version without a schema is answered where the API has an answer for it', async () => {
  const { dispatch } = bed(() => ANSWER, { onUnsupportedVersion: { version: 0, response: { errorCode: 35 } } })
  const reply = await dispatch(Uint8Array.of(0, 16, 0, 99, 0, 0, 0, 1, 255, 255))
  expect(decoded(reply, 0)).toMatchObject({ errorCode: 35 })
})

test('requests overlap where their API says so', () => {
  const { dispatcher } = bed(() => ANSWER, { overlaps: true })
  expect(dispatcher.mayOverlap(requestFrame())).toBe(true)
  expect(dispatcher.mayOverlap(Uint8Array.of(0, 3))).toBe(false)
  expect(dispatcher.mayOverlap(Uint8Array.of(0))).toBe(false)
})
