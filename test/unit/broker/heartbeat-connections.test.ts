import { expect, test } from '@jest/globals'
import { HeartbeatConnections } from '../../../broker/heartbeat-connections.ts'
import { clusterOf } from '../controller/cluster.ts'
import { SimWorld } from '../../fakes/env.ts'

/** The controller's side of a connection that brings heartbeats. */
class Connection {
  readonly isClosed = false
  readonly takenBytes = 0
  #closed: (() => void)[] = []
  onClosed(closed: () => void): void {
    this.#closed.push(closed)
  }
  close(): void {
    for (const closed of this.#closed.splice(0)) closed()
  }
}

/** A controller on whose machine a broker of id 1 is registered, at port 9092; it listens where `isUp`. */
async function bed(isUp: boolean, { fenced = [] }: { fenced?: number[] } = {}) {
  const world = new SimWorld({ seed: 1 })
  const { network, clock } = world.machine('controller').start()
  const listener = isUp ? await network.listen({ host: '', port: 9092 }, () => {}) : undefined
  const unreachable: number[] = []
  const controller = { isActive: true, brokerUnreachable: (brokerId: number) => unreachable.push(brokerId) }
  const connections = new HeartbeatConnections(
    { listener: 'PLAINTEXT' },
    { network, clock, image: () => clusterOf([1], fenced), controller },
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

test('a listener that takes long to go is looked for until it has gone', async () => {
  const { world, listener, unreachable, connections } = await bed(true)
  const connection = new Connection()
  connections.heard(1, connection)
  connection.close()
  await world.clock.run(3000)
  await listener?.close()
  await world.clock.run(1000)
  expect(unreachable).toEqual([1])
})

test('a broker that is watched may die before its first heartbeat', async () => {
  const { world, listener, unreachable, connections } = await bed(true)
  connections.watch(1)
  await world.clock.run(1000)
  await listener?.close()
  await world.clock.run(1000)
  expect(unreachable).toEqual([1])
})

test('one that breaks while an earlier watch is about to end is looked after at once', async () => {
  const { world, unreachable, connections, listener } = await bed(true)
  connections.watch(1)
  await world.clock.run(1000)
  const connection = new Connection()
  connections.heard(1, connection)
  await listener?.close()
  connection.close()
  await world.clock.run(100)
  expect(unreachable).toEqual([1])
})

test('a broker that is heard of is looked after no more', async () => {
  const { world, listener, unreachable, connections } = await bed(true)
  connections.watch(1)
  connections.heard(1, new Connection())
  await listener?.close()
  await world.clock.run(3000)
  expect(unreachable).toEqual([])
})

test('nobody looks after a broker that is fenced, or not registered', async () => {
  const { world, unreachable, connections } = await bed(false, { fenced: [1] })
  connections.watch(1)
  connections.watch(9)
  await world.clock.run(1000)
  expect(unreachable).toEqual([])
})
