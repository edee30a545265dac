import { describe, expect, test } from '@jest/globals'
import { ApiKey } from '../../../broker/protocol/api-key.ts'
import { APIS, apiOf } from '../../../broker/protocol/apis.ts'
import {
  correlationIdOf,
  decodeRequest,
  decodeResponse,
  encodeRequest,
  encodeResponse,
} from '../../../broker/protocol/frame.ts'

/** Hexadecimal digits, grouped for the reader. */
function hex(groups: string): string {
  return groups.replaceAll(' ', '')
}

const produce = APIS[ApiKey.Produce]
const apiVersions = APIS[ApiKey.ApiVersions]

function frameOf(chunks: readonly Uint8Array[]): Buffer {
  const whole = Buffer.concat(chunks)
  expect(whole.readInt32BE(0)).toBe(whole.length - 4)
  return whole.subarray(4)
}

describe('a request', () => {
  test.each([3, 9])('of Produce v%d comes back with its header', (version) => {
    const records = Buffer.alloc(5000, 1)
    const body = { acks: 1, topicData: [{ name: 't', partitionData: [{ index: 3, records }] }] }
    const request = decodeRequest(frameOf(encodeRequest(produce, version, 77, 'me', body)))
    expect(request.header).toEqual({ requestApiKey: 0, requestApiVersion: version, correlationId: 77, clientId: 'me' })
    expect([request.isSupported, request.api]).toEqual([true, produce])
    const decoded = produce.request.decode(request.body, version)
    expect(decoded.topicData[0]?.partitionData[0]?.index).toBe(3)
    expect(request.body.remaining).toBe(0)
  })

  test('may have no client id', () => {
    const request = decodeRequest(frameOf(encodeRequest(apiVersions, 4, 1, null, {})))
    expect(request.header.clientId).toBeNull()
  })

  test.each([
    ['an unknown API', hex('7fff0000 00000005 ffff'), undefined],
    ['a version to come of ApiVersions', hex('00120063 00000005 ffff'), apiVersions],
    ['an old version of Produce', hex('00000002 00000005 ffff'), produce],
  ])('of %s has a header, and a body that is not supported', (_, frame, api) => {
    const request = decodeRequest(Buffer.from(frame, 'hex'))
    expect([request.isSupported, request.api, request.header.correlationId]).toEqual([false, api, 5])
  })

  test('with half a header is malformed', () => {
    expect(() => decodeRequest(Buffer.from('0000000300', 'hex'))).toThrow(
      expect.objectContaining({ code: 'MALFORMED' }),
    )
  })
})

describe('a response', () => {
  test('comes back', () => {
    const chunks = encodeResponse(produce, 9, 77, { responses: [{ name: 't', partitionResponses: [{ index: 3 }] }] })
    const frame = frameOf(chunks)
    expect(correlationIdOf(frame)).toBe(77)
    expect(decodeResponse(produce, 9, frame).responses[0]?.partitionResponses[0]?.index).toBe(3)
  })

  test('of ApiVersions never has tagged fields in its header (KIP-511)', () => {
    const frame = frameOf(encodeResponse(apiVersions, 3, 1, { errorCode: 35 }))
    expect(frame.subarray(0, 6).toString('hex')).toBe('000000010023')
  })

  test('with bytes behind it is malformed', () => {
    const frame = Buffer.concat([frameOf(encodeResponse(produce, 9, 77, {})), Buffer.alloc(1)])
    expect(() => decodeResponse(produce, 9, frame)).toThrow('1 bytes behind the end')
  })
})

describe('the table of APIs', () => {
  test('advertises Produce from 0, and no version that is not stable yet', () => {
    expect(produce.advertisedVersions).toEqual({ min: 0, max: 13 })
    expect(APIS[ApiKey.InitProducerId].advertisedVersions).toEqual({ min: 0, max: 5 })
    expect(APIS[ApiKey.Fetch].advertisedVersions).toEqual({ min: 4, max: 18 })
  })

  test('has every key once', () => {
    expect(Object.values(ApiKey).map((key) => apiOf(key)?.key)).toEqual(Object.values(ApiKey))
    expect(apiOf(4)).toBeUndefined()
  })
})
