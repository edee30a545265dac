import { expect, test } from '@jest/globals'
import { isQuorumLost } from '../../../broker/probe.ts'
import { SimWorld } from '../../fakes/env.ts'

/** Whether node 1 believes the quorum of 1, 2 and 3 to be lost, where these listen. */
async function lost(listening: readonly number[], nodeId = 1): Promise<boolean> {
  const world = new SimWorld({ seed: 1 })
  const voters = [1, 2, 3].map((id) => ({ id, endpoints: [{ host: `node-${id}`, port: 9093 }] }))
  const machines = voters.map(({ id }) => ({ id, env: world.machine(`node-${id}`).start() }))
  for (const { id, env } of machines) {
    if (listening.includes(id)) await world.clock.runFor(env.network.listen({ host: '', port: 9093 }, () => {}))
  }
  const { network } = world.machine('asks').start()
  return world.clock.runFor(isQuorumLost(voters, nodeId, network), 10_000)
}

test('a quorum is lost when half of its voters or more refuse connections', async () => {
  expect(await lost([1, 2, 3])).toBe(false)
  expect(await lost([1, 2])).toBe(false)
  expect(await lost([1])).toBe(true)
})

test('a voter counts itself, whether or not it listens any more', async () => {
  expect(await lost([3], 1)).toBe(false)
  expect(await lost([3], 7)).toBe(true)
})
