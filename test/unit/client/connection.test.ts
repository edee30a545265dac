import { beforeEach, describe, expect, test } from '@jest/globals'
import { ClientConnection } from '../../../broker/client/connection.ts'
import { ApiKey } from '../../../broker/protocol/api-key.ts'
import { APIS } from '../../../broker/protocol/apis.ts'
import { ErrorCode } from '../../../broker/protocol/errors.ts'
import { encodeResponse } from '../../../broker/protocol/frame.ts'
import { SimClock } from '../../fakes/clock.ts'
import { FakeBroker, FakeNetwork } from './fake-broker.ts'

const address = { host: 'b1', port: 9092 }
let network: FakeNetwork
let clock: SimClock

beforeEach(() => {
  network = new FakeNetwork()
  clock = new SimClock()
})

function serve(handlers: ConstructorParameters<typeof FakeBroker>[0]): FakeBroker {
  const broker = new FakeBroker(handlers)
  network.brokers.set('b1:9092', broker)
  return broker
}

function open(): Promise<ClientConnection> {
  const options = { address, clientId: 'test', connectTimeoutMs: 1000, requestTimeoutMs: 5000 }
  return ClientConnection.open(options, { network, clock })
}

/** An answer of DescribeCluster that names its cluster. */
function cluster(clusterId: string) {
  return { clusterId }
}

describe('negotiation', () => {
  test('takes the latest version that both have', async () => {
    serve({
      [ApiKey.ApiVersions]: () => ({
        apiKeys: [
          { apiKey: ApiKey.Metadata, minVersion: 0, maxVersion: 9 },
          { apiKey: ApiKey.InitProducerId, minVersion: 0, maxVersion: 99 },
        ],
      }),
    })
    const connection = await open()
    expect(connection.versionOf(ApiKey.Metadata)).toBe(9)
    expect(connection.versionOf(ApiKey.InitProducerId)).toBe(5)
  })

  test.each([
    ['an API that the broker lacks', [], 'has of DescribeCluster the versions none'],
    ['versions that are all too new', [{ apiKey: 60, minVersion: 9, maxVersion: 12 }], 'the versions 9-12'],
  ])('refuses %s', async (_, apiKeys, message) => {
    serve({ [ApiKey.ApiVersions]: () => ({ apiKeys }) })
    const connection = await open()
    const error = connection.request(ApiKey.DescribeCluster, {})
    await expect(error).rejects.toMatchObject({ code: 'UNSUPPORTED_VERSION', isRetriable: false })
    await expect(error).rejects.toThrow(message)
  })

  test('asks again in a version that the broker knows (KIP-511)', async () => {
    const broker = serve({
      [ApiKey.ApiVersions]: (_, version) => {
        if (version <= 2) return { apiKeys: [{ apiKey: 18, minVersion: 0, maxVersion: 2 }] }
        const apiKeys = [{ apiKey: 18, minVersion: 0, maxVersion: 2 }]
        const body = { errorCode: ErrorCode.UNSUPPORTED_VERSION, apiKeys }
        return Buffer.concat(encodeResponse(APIS[ApiKey.ApiVersions], 0, 0, body))
      },
    })
    const connection = await open()
    expect(broker.requests).toEqual(['ApiVersions/4', 'ApiVersions/2'])
    expect(connection.versionOf(ApiKey.ApiVersions)).toBe(2)
  })

  test('fails where nobody listens', async () => {
    await expect(open()).rejects.toMatchObject({ code: 'NETWORK_EXCEPTION', isRetriable: true })
  })

  test('fails, and closes, when the broker refuses it', async () => {
    const broker = serve({ [ApiKey.ApiVersions]: () => ({ errorCode: ErrorCode.CLUSTER_AUTHORIZATION_FAILED }) })
    await expect(open()).rejects.toMatchObject({ code: 'CLUSTER_AUTHORIZATION_FAILED' })
    expect([broker.connections, broker.open]).toEqual([1, 0])
  })
})

describe('requests', () => {
  test('are pipelined, each with its own answer', async () => {
    let asked = 0
    serve({ [ApiKey.DescribeCluster]: () => cluster(`c${asked++}`) })
    const connection = await open()
    const answers = await Promise.all([1, 2, 3].map(() => connection.request(ApiKey.DescribeCluster, {})))
    expect(answers.map(({ clusterId }) => clusterId)).toEqual(['c0', 'c1', 'c2'])
  })

  test('without an answer in time fail, with all that is pending', async () => {
    serve({ [ApiKey.DescribeCluster]: () => 'silence' })
    const connection = await open()
    const failures = [
      connection.request(ApiKey.DescribeCluster, {}),
      connection.request(ApiKey.DescribeCluster, {}, 200),
    ].map((request) => request.catch((error: unknown) => error))
    clock.advance(199)
    expect(connection.isOpen).toBe(true)
    clock.advance(1)
    const expected: unknown = expect.objectContaining({ code: 'REQUEST_TIMED_OUT', isRetriable: true })
    expect(await Promise.all(failures)).toEqual([expected, expected])
    expect(connection.isOpen).toBe(false)
  })

  test.each([
    ['closes the connection', 'close' as const],
    ['sends an answer that is cut short', Buffer.from('0000000600000001ffff', 'hex')],
    ['answers what was not asked', Buffer.from('0000000400000063', 'hex')],
    ['sends a length that is negative', Buffer.from('ffffffff', 'hex')],
    ['announces more than is taken', Buffer.from('7fffffff', 'hex')],
  ])('fail when the broker %s', async (_, answer) => {
    const broker = serve({ [ApiKey.DescribeCluster]: () => answer })
    const connection = await open()
    await expect(connection.request(ApiKey.DescribeCluster, {})).rejects.toMatchObject({
      code: 'NETWORK_EXCEPTION',
      isRetriable: true,
    })
    expect([connection.isOpen, broker.open]).toEqual([false, 0])
    await expect(connection.request(ApiKey.DescribeCluster, {})).rejects.toMatchObject({ code: 'NETWORK_EXCEPTION' })
  })

  test('leave no timer behind', async () => {
    serve({ [ApiKey.DescribeCluster]: () => cluster('c') })
    const connection = await open()
    await connection.request(ApiKey.DescribeCluster, {})
    clock.advance(60_000)
    expect(connection.isOpen).toBe(true)
  })
})
