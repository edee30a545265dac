import { expect, test } from '@jest/globals'
import { ApiKey } from '../../../broker/protocol/api-key.ts'
import { PeerTransport } from '../../../broker/raft-transport.ts'
import { SimWorld } from '../../fakes/env.ts'
import { FakeBroker, FakeNetwork } from '../client/fake-broker.ts'
import { SimClock } from '../../fakes/clock.ts'

const ADDRESS = { host: 'node2', port: 9093 }
const OPTIONS = { clientId: 'raft', requestTimeoutMs: 2000 }
const VOTE = { clusterId: null, voterId: 2, topics: [] }
const FETCH = { maxWaitMs: 500, minBytes: 0, isolationLevel: 0, topics: [], forgottenTopicsData: [], rackId: '' }

test('a fetch that waits holds nothing else up', async () => {
  const network = new FakeNetwork()
  const broker = new FakeBroker({
    [ApiKey.Fetch]: () => 'silence',
    [ApiKey.Vote]: () => ({ errorCode: 0, topics: [] }),
  })
  network.brokers.set('node2:9093', broker)
  const transport = new PeerTransport(OPTIONS, { network, clock: new SimClock() })
  const fetching = transport.request(ADDRESS, ApiKey.Fetch, { ...FETCH, sessionId: 0 }, 2000).catch(() => 'closed')
  expect(await transport.request(ADDRESS, ApiKey.Vote, VOTE, 2000)).toMatchObject({ errorCode: 0 })
  expect(broker.connections).toBe(2)
  transport.close()
  expect(await fetching).toBe('closed')
})

test('where nobody listens, it says so; where there is no answer, it does not', async () => {
  const world = new SimWorld({ seed: 1 })
  const env = world.machine('node1').start()
  const other = world.machine('node2').start()
  const transport = new PeerTransport(OPTIONS, env)
  const ask = () =>
    world.clock.runFor(transport.request(ADDRESS, ApiKey.Vote, VOTE, 2000).catch((error: unknown) => error))
  expect(await ask()).toMatchObject({ isRefused: true })
  await other.network.listen(ADDRESS, (connection) => connection.onData(() => {}))
  expect(await ask()).toMatchObject({ isRefused: false })
})
