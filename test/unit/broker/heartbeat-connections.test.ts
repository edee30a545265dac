import { expect, test } from '@jest/globals'
import { HeartbeatConnections } from '../../../broker/heartbeat-connections.ts'
import { clusterOf } from '../controller/cluster.ts'
import { SimWorld } from '../../fakes/env.ts'

/** The controller's side of a connection that brings heartbeats. */
class Connection {
  #closed: (() => void)[] = []
  onClosed(closed: () => void): void {
    this.#closed.push(closed)
  }
  close(): void {
    for (const closed of this.#closed.splice(0)) closed()
  }
}

/** A controller on whose machine a broker of id 1 is registered, at port 9092; it listens where `isUp`. */
async function bed(isUp: boolean) {
  const world = new SimWorld({ seed: 1 })
  const { network, clock } = world.machine('controller').start()
  const listener = isUp ? await network.listen({ host: '', port: 9092 }, () => {}) : undefined
  const unreachable: number[] = []
  const controller = { isActive: true, brokerUnreachable: (brokerId: number) => unreachable.push(brokerId) }
  const connections = new HeartbeatConnections(
    { listener: 'PLAINTEXT' },
    { network, clock, image: () => clusterOf([1]), controller },
  )
  return { world, listener, unreachable, controller, connections }
}

test('a broker whose connection breaks, and whose port refuses, is unreachable', async () => {
  const { world, unreachable, connections } = await bed(false)
  const connection = new Connection()
  connections.heard(1, connection)
  await world.clock.run(1000)
  expect(unreachable).toEqual([])
  connection.close()
  await world.clock.run(1000)
  expect(unreachable).toEqual([1])
})

test('a broker that still listens is left to its session', async () => {
  const { world, unreachable, connections } = await bed(true)
  const connection = new Connection()
  connections.heard(1, connection)
  connection.close()
  await world.clock.run(1000)
  expect(unreachable).toEqual([])
})

test('a listener that outlives the connection for a moment does not hide that the broker died', async () => {
  const { world, listener, unreachable, connections } = await bed(true)
  const connection = new Connection()
  connections.heard(1, connection)
  connection.close()
  await world.clock.run(10)
  await listener?.close()
  await world.clock.run(1000)
  expect(unreachable).toEqual([1])
})

test('the end of a connection that was replaced means nothing', async () => {
  const { world, unreachable, connections } = await bed(false)
  const [first, second] = [new Connection(), new Connection()]
  connections.heard(1, first)
  connections.heard(1, second)
  first.close()
  await world.clock.run(1000)
  expect(unreachable).toEqual([])
})

test('a controller that does not lead looks after nobody', async () => {
  const { world, unreachable, controller, connections } = await bed(false)
  const connection = new Connection()
  connections.heard(1, connection)
  controller.isActive = false
  connection.close()
  await world.clock.run(1000)
  expect(unreachable).toEqual([])
})

test('what is not refused is unknown: a broker that is not registered, one that does not answer', async () => {
  const { world, connections } = await bed(true)
  expect(await world.clock.runFor(connections.probe(1), 5000)).toBe('unknown')
  expect(await world.clock.runFor(connections.probe(9), 5000)).toBe('unknown')
})
