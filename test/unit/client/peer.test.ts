import { expect, test } from '@jest/globals'
import { Peer } from '../../../broker/client/peer.ts'
import { ApiKey } from '../../../broker/protocol/api-key.ts'
import { SimClock } from '../../fakes/clock.ts'
import { type Answer, FakeBroker, FakeNetwork } from './fake-broker.ts'

/** The length of a frame of which nothing more comes. */
const LARGEST = Buffer.from('7fffffff', 'hex')

function peerOf(handlers: ConstructorParameters<typeof FakeBroker>[0]) {
  const network = new FakeNetwork()
  const clock = new SimClock()
  network.brokers.set('b2:9092', new FakeBroker(handlers))
  const options = { clientId: 'test', connectTimeoutMs: 1000, requestTimeoutMs: 5000 }
  const peer = new Peer({ ...options, address: { host: 'b2', port: 9092 } }, { network, clock })
  const outcome = peer.request(ApiKey.DescribeCluster, {}).catch((error: unknown) => error)
  return { clock, outcome }
}

test('an answer may be as large as its frame can say', async () => {
  const asked = Promise.withResolvers<void>()
  const describe = (): Answer<object> => {
    asked.resolve()
    return LARGEST
  }
  const { clock, outcome } = peerOf({ [ApiKey.DescribeCluster]: describe })
  await asked.promise
  await Promise.resolve().then(() => {})
  clock.advance(5000)
  expect(await outcome).toMatchObject({ code: 'REQUEST_TIMED_OUT' })
})

test('until the versions are negotiated it may not: what listens there may speak TLS', async () => {
  const { outcome } = peerOf({ [ApiKey.ApiVersions]: () => Buffer.from('15030100', 'hex') })
  expect(await outcome).toMatchObject({ code: 'NETWORK_EXCEPTION', message: expect.stringContaining('looks like TLS') })
})
