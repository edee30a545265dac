import { describe, expect, test } from '@jest/globals'
import { ApiKey } from '../../../broker/protocol/api-key.ts'
import { APIS } from '../../../broker/protocol/apis.ts'
import { decodeResponse, encodeRequest } from '../../../broker/protocol/frame.ts'
import type { Peer, Reply } from '../../../broker/server/connection.ts'
import { ApiDispatcher, type ServedApi } from '../../../broker/server/dispatch.ts'
import type { RequestContext } from '../../../broker/security/request-context.ts'
import { Metrics } from '../../../broker/telemetry/metrics.ts'
import { SimWorld } from '../../fakes/env.ts'
import { MemoryLogger } from '../../fakes/logger.ts'

const PEER: Peer = {
  listener: 'PLAINTEXT',
  clientAddress: '10.0.0.7',
  onAbandoned: () => undefined,
  onClosed: () => undefined,
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
  const dispatcher = new ApiDispatcher([{ api, overlaps: false, releasesRequest: false, handle, ...more }], kind, {
    clock,
    metrics,
    logger,
  })
  return { clock, metrics, dispatcher, logger, dispatch: (frame: Uint8Array) => dispatcher.dispatch(frame, PEER) }
}

function decoded(reply: Reply, version = 4): unknown {
  if (typeof reply === 'string') return reply
  return decodeResponse(api, version, Buffer.concat(reply).subarray(4))
}

test('a request is measured: what it waited for others, and its errors', async () => {
  const { clock, metrics, dispatch } = bed(async () => {
    await new Promise<void>((done) => clock.setTimer(40, done))
    return { ...ANSWER, errorCode: 15 }
  })
  const reply = dispatch(requestFrame())
  await clock.run(100)
  await reply
  const text = await metrics.text()
  const sample = (name: string, labels = '') =>
    text.split('\n').find((line) => line.startsWith(`${name}{request="ListGroups"${labels}}`))
  expect(sample('kafka_network_requestmetrics_remotetimems_sum')).toMatch(/ 40$/)
  expect(sample('kafka_network_requestmetrics_localtimems_sum')).toMatch(/ 0$/)
  expect(sample('kafka_network_requestmetrics_errors_total', ',error="COORDINATOR_NOT_AVAILABLE"')).toMatch(/ 1$/)
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
    expect(Buffer.concat(reply as Uint8Array[]).readInt32BE(4)).toBe(77)
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
