import { expect, test } from '@jest/globals'
import type { Connection } from '../../../broker/env/network.ts'
import { SimWorld } from '../../fakes/env.ts'

interface Pair {
  world: SimWorld
  client: Connection
  server: Connection
}

async function pair(seed: number, windowBytes = 1000): Promise<Pair> {
  const world = new SimWorld({ seed, network: { windowBytes } })
  const a = world.machine('a').start()
  const b = world.machine('b').start()
  const accepted: Connection[] = []
  await b.network.listen({ host: '0.0.0.0', port: 9092 }, (connection) => accepted.push(connection))
  const client = await world.clock.runFor(a.network.connect({ host: 'b', port: 9092 }, 1000))
  const [server] = accepted
  if (server === undefined) throw new Error('nothing was accepted')
  return { world, client, server }
}

function received(connection: Connection): () => string {
  let text = ''
  connection.onData((chunk) => {
    text += Buffer.from(chunk).toString()
  })
  return () => text
}

test('bytes arrive in order whatever the seed, and an end after them', async () => {
  for (let seed = 0; seed < 30; seed++) {
    const { world, client, server } = await pair(seed)
    const text = received(server)
    const ended: unknown[] = []
    server.onClose((error) => ended.push(error))
    for (let i = 0; i < 20; i++) client.write([Buffer.from(`${i},`), Buffer.from(`${i};`)])
    client.end()
    await world.clock.run(1000)
    expect(text()).toBe(Array.from({ length: 20 }, (_, i) => `${i},${i};`).join(''))
    expect(ended).toEqual([undefined])
  }
})

async function chunksOf(seed: number): Promise<string> {
  const { world, client, server } = await pair(seed)
  const sizes: number[] = []
  server.onData(({ length }) => sizes.push(length))
  for (let i = 0; i < 50; i++) {
    client.write([new Uint8Array(100)])
    await world.clock.run(0.3)
  }
  await world.clock.run(1000)
  return sizes.join()
}

test('the same seed cuts the stream in the same way, another in another', async () => {
  expect(await chunksOf(1)).toBe(await chunksOf(1))
  expect(await chunksOf(1)).not.toBe(await chunksOf(2))
})

test('a full window makes write return false, and onDrain follows', async () => {
  const { world, client, server } = await pair(1)
  received(server)
  server.pause()
  let drains = 0
  client.onDrain(() => drains++)
  expect(client.write([new Uint8Array(900)])).toBe(true)
  expect(client.write([new Uint8Array(900)])).toBe(false)
  await world.clock.run(100)
  expect([client.queuedBytes(), drains]).toEqual([1800, 0])
  server.resume()
  await world.clock.run(100)
  expect([client.queuedBytes(), drains]).toEqual([0, 1])
})

test('a partition holds everything back, a heal lets it through', async () => {
  const { world, client, server } = await pair(1)
  const text = received(server)
  world.network.partition('a', 'b')
  client.write([Buffer.from('late')])
  await world.clock.run(1000)
  expect(text()).toBe('')
  world.network.heal('a', 'b')
  await world.clock.run(100)
  expect(text()).toBe('late')
})

test('a killed process resets its connections and refuses new ones', async () => {
  const world = new SimWorld({ seed: 1 })
  const a = world.machine('a').start()
  const machine = world.machine('b')
  await machine.start().network.listen({ host: '', port: 1 }, () => {})
  const client = await world.clock.runFor(a.network.connect({ host: 'b', port: 1 }, 100))
  const ends: unknown[] = []
  client.onClose((error) => ends.push(error))
  machine.kill()
  await world.clock.run(100)
  expect(ends).toEqual([expect.objectContaining({ code: 'ECONNRESET' })])
  await expect(world.clock.runFor(a.network.connect({ host: 'b', port: 1 }, 100))).rejects.toMatchObject({
    code: 'ECONNREFUSED',
  })
})

test('a one-way partition lets the other way through', async () => {
  const { world, client, server } = await pair(1)
  const [there, back] = [received(server), received(client)]
  world.network.cut('a', 'b')
  client.write([Buffer.from('lost for now')])
  server.write([Buffer.from('heard')])
  await world.clock.run(1000)
  expect([there(), back()]).toEqual(['', 'heard'])
  world.network.healAll()
  await world.clock.run(100)
  expect(there()).toBe('lost for now')
})

test('a slow link takes its time one way', async () => {
  const { world, client, server } = await pair(1)
  const text = received(server)
  world.network.slow('a', 'b', 500)
  client.write([Buffer.from('slow')])
  await world.clock.run(499)
  expect(text()).toBe('')
  await world.clock.run(10)
  expect(text()).toBe('slow')
})

test('behind a partition nobody hears that a process died until it heals', async () => {
  const world = new SimWorld({ seed: 1 })
  const a = world.machine('a').start()
  const machine = world.machine('b')
  await machine.start().network.listen({ host: '', port: 1 }, () => {})
  const client = await world.clock.runFor(a.network.connect({ host: 'b', port: 1 }, 100))
  const ends: unknown[] = []
  client.onClose((error) => ends.push(error))
  world.network.partition('a', 'b')
  machine.kill()
  await world.clock.run(100)
  expect(ends).toEqual([])
  world.network.heal('a', 'b')
  await world.clock.run(100)
  expect(ends).toEqual([expect.objectContaining({ code: 'ECONNRESET' })])
})

test('a machine without power is silent, and resets what it has forgotten once it is on again', async () => {
  const world = new SimWorld({ seed: 1 })
  const a = world.machine('a').start()
  const machine = world.machine('b')
  await machine.start().network.listen({ host: '', port: 1 }, () => {})
  const client = await world.clock.runFor(a.network.connect({ host: 'b', port: 1 }, 100))
  const ends: unknown[] = []
  client.onClose((error) => ends.push(error))
  machine.losePower()
  await expect(world.clock.runFor(a.network.connect({ host: 'b', port: 1 }, 100))).rejects.toMatchObject({
    code: 'ETIMEDOUT',
  })
  expect(ends).toEqual([])
  machine.start()
  await world.clock.run(100)
  expect(ends).toEqual([expect.objectContaining({ code: 'ECONNRESET' })])
})

test('a stopped process accepts and hears nothing until it goes on, its machine does', async () => {
  const world = new SimWorld({ seed: 1 })
  const a = world.machine('a').start()
  const machine = world.machine('b')
  const heard: string[] = []
  await machine.start().network.listen({ host: '', port: 1 }, (connection) => {
    heard.push('accepted')
    connection.onData((chunk) => heard.push(Buffer.from(chunk).toString()))
  })
  machine.stopProcess()
  const client = await world.clock.runFor(a.network.connect({ host: 'b', port: 1 }, 100))
  client.write([Buffer.from('x')])
  await world.clock.run(1000)
  expect(heard).toEqual([])
  machine.continueProcess()
  await world.clock.run(100)
  expect(heard).toEqual(['accepted', 'x'])
})

test('a handshake that was lost succeeds once the link is healed, a second later', async () => {
  const world = new SimWorld({ seed: 1 })
  const [a, b] = [world.machine('a').start(), world.machine('b').start()]
  await b.network.listen({ host: '', port: 2 }, () => {})
  world.network.partition('a', 'b')
  const connecting = a.network.connect({ host: 'b', port: 2 }, 10_000)
  await world.clock.run(500)
  world.network.heal('a', 'b')
  await world.clock.runFor(connecting, 1000)
  expect(world.clock.monotonicMs()).toBeGreaterThan(1000)
})

test('a connection that nobody wants any more is not made, and takes no time', async () => {
  const world = new SimWorld({ seed: 1 })
  const [a, b] = [world.machine('a').start(), world.machine('b').start()]
  const accepted: Connection[] = []
  await b.network.listen({ host: '', port: 2 }, (connection) => accepted.push(connection))
  const wish = new AbortController()
  const connecting = a.network.connect({ host: 'b', port: 2 }, 10_000, wish.signal)
  wish.abort()
  await expect(connecting).rejects.toMatchObject({ code: 'ECANCELED' })
  await world.clock.run(10_000)
  expect(accepted).toEqual([])
})
