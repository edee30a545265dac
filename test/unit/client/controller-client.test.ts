import { expect, test } from '@jest/globals'
import { ControllerClient } from '../../../broker/client/controller-client.ts'
import type { Address } from '../../../broker/env/network.ts'
import { ApiKey } from '../../../broker/protocol/api-key.ts'
import { SimClock } from '../../fakes/clock.ts'
import { FakeBroker, FakeNetwork } from './fake-broker.ts'

const ONE = { host: 'one', port: 9093 }
const TWO = { host: 'two', port: 9093 }
const REQUEST = { brokerId: 1, brokerEpoch: 1n }

function bed() {
  const network = new FakeNetwork()
  const [one, two] = [100n, 200n].map(
    (producerIdStart) => new FakeBroker({ [ApiKey.AllocateProducerIds]: () => ({ producerIdStart }) }),
  )
  if (one === undefined || two === undefined) throw new Error('two brokers')
  network.brokers.set('one:9093', one)
  network.brokers.set('two:9093', two)
  const led: { by: Address | undefined } = { by: ONE }
  const client = new ControllerClient(
    { clientId: 'test', connectTimeoutMs: 1000, requestTimeoutMs: 1000 },
    { network, clock: new SimClock(), controllerAddress: () => led.by },
  )
  const ask = async () => (await client.request(ApiKey.AllocateProducerIds, REQUEST)).producerIdStart
  return { one, two, led, client, ask }
}

test('the active controller is asked, over one connection', async () => {
  const { one, ask } = bed()
  expect([await ask(), await ask()]).toEqual([100n, 100n])
  expect(one.connections).toBe(1)
})

test('another one is asked as soon as it leads', async () => {
  const { one, led, ask } = bed()
  await ask()
  led.by = TWO
  expect(await ask()).toBe(200n)
  expect(one.open).toBe(0)
})

test('what the one before still owes is rejected when another leads', async () => {
  const { one, led, client, ask } = bed()
  one.handlers[ApiKey.AllocateProducerIds] = () => 'silence'
  const asked = ask()
  led.by = TWO
  client.relocate()
  await expect(asked).rejects.toMatchObject({ code: 'NETWORK_EXCEPTION', isRetriable: true })
})

test('while nobody leads, requests are rejected at once', async () => {
  const { led, ask } = bed()
  led.by = undefined
  await expect(ask()).rejects.toMatchObject({ code: 'BROKER_NOT_AVAILABLE', isRetriable: true })
})

test('a closed client asks nobody', async () => {
  const { one, client, ask } = bed()
  client.close()
  await expect(ask()).rejects.toMatchObject({ code: 'BROKER_NOT_AVAILABLE' })
  expect(one.connections).toBe(0)
})
