import { expect, test } from '@jest/globals'
import type { Network } from '../../../broker/env/network.ts'
import { Admins } from '../../../operator/admins.ts'
import { SimClock } from '../../fakes/clock.ts'
import { kafkaCluster } from '../../fakes/operator.ts'
import { SimRandom } from '../../fakes/random.ts'

/** Clusters that nobody answers for. */
function unreachable() {
  const clock = new SimClock()
  let attempts = 0
  const connect: Network['connect'] = () => {
    attempts += 1
    return Promise.reject(new Error('connection refused'))
  }
  const network = { connect } as Partial<Network> as Network
  const bootstrapOf = () => ({ host: 'orders-bootstrap', port: 9090 })
  const admins = new Admins({ bootstrapOf }, { network, clock, random: new SimRandom(1) })
  return { admins, clock, attempts: () => attempts }
}

test('a cluster that does not answer is told as such', async () => {
  const { admins, clock, attempts } = unreachable()
  const look = admins.look(kafkaCluster())
  await clock.run(20_000)
  expect(await look).toEqual({ error: expect.stringContaining('connection refused') })
  expect(attempts()).toBeGreaterThan(1)
})

test('once they are closed nobody is asked any more, whatever was under way', async () => {
  const { admins, clock, attempts } = unreachable()
  const cluster = kafkaCluster()
  const look = admins.look(cluster)
  await clock.run(100)
  const before = attempts()
  admins.close()
  await clock.run(20_000)
  expect(await look).toEqual({ error: 'the client is closed' })
  expect(await admins.look(cluster)).toEqual({ error: 'the operator has stopped' })
  expect(() => admins.reassignmentOf(cluster)).toThrow('the operator has stopped')
  await clock.run(20_000)
  expect(attempts()).toBe(before)
})
