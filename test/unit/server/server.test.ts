import { describe, expect, test } from '@jest/globals'
import type { Connection, Network } from '../../../broker/env/network.ts'
import { TlsHandshakeError } from '../../../broker/env/tls.ts'
import type { Dispatcher } from '../../../broker/server/connection.ts'
import { SocketServer } from '../../../broker/server/server.ts'
import { SimClock } from '../../fakes/clock.ts'
import { MemoryLogger } from '../../fakes/logger.ts'

/** A connection that is told of its end some time after it was destroyed, as sockets are. */
class FakeConnection implements Connection {
  readonly remote = { host: '10.0.0.7', port: 1 }
  readonly local = { host: '10.0.0.1', port: 2 }
  isDestroyed = false
  receive: (chunk: Uint8Array) => void = () => {}
  fail: (error: Error | undefined) => void = () => {}
  onData(receive: (chunk: Uint8Array) => void): void {
    this.receive = receive
  }
  onClose(closed: (error: Error | undefined) => void): void {
    this.fail = closed
  }
  onDrain(): void {}
  queued = 0
  write(): boolean {
    return true
  }
  queuedBytes(): number {
    return this.queued
  }
  pause(): void {}
  resume(): void {}
  end(): void {}
  destroy(): void {
    this.isDestroyed = true
  }
}

const DISPATCHER: Dispatcher = { mayOverlap: () => false, dispatch: () => 'none' }

/** A server with room for two connections, of which clients may not take those between brokers. */
async function fullServer(maxIdleMs = -1, dispatcher = DISPATCHER, isRoomWanted = (): boolean => false) {
  const limits = { total: 2, ofProcess: 2, ofAddress: 100, ofListener: 100 }
  const clock = new SimClock()
  const logger = new MemoryLogger()
  const accepts: ((connection: Connection) => void)[] = []
  const network: Network = {
    listen: (address, accept) => {
      accepts.push(accept)
      return Promise.resolve({ address, close: () => Promise.resolve() })
    },
    connect: () => Promise.reject(new Error('nobody is there')),
  }
  const server = new SocketServer(
    {
      maxFrameBytes: 1000,
      maxIdleMs,
      limits: {
        total: () => limits.total,
        ofProcess: () => limits.ofProcess,
        ofAddress: () => limits.ofAddress,
        ofListener: () => limits.ofListener,
      },
      isProtected: (listener) => listener === 'BETWEEN',
      isRoomWanted,
    },
    { network, clock, logger },
  )
  await server.listen({ name: 'CLIENTS', host: '', port: 1 }, dispatcher)
  await server.listen({ name: 'BETWEEN', host: '', port: 2 }, DISPATCHER)
  const connect = (listener: 'CLIENTS' | 'BETWEEN') => {
    const connection = new FakeConnection()
    accepts[listener === 'CLIENTS' ? 0 : 1]?.(connection)
    return connection
  }
  return { clock, logger, server, connect, limits }
}

test.each(['total', 'ofAddress', 'ofListener'] as const)('limits of the moment hold: %s', async (which) => {
  const { connect, limits } = await fullServer()
  expect(connect('CLIENTS').isDestroyed).toBe(false)
  limits[which] = 1
  expect(connect('CLIENTS').isDestroyed).toBe(true)
  limits[which] = 2
  expect(connect('CLIENTS').isDestroyed).toBe(false)
})

describe('where max.connections are there', () => {
  test('a client is refused', async () => {
    const { connect } = await fullServer()
    expect(['CLIENTS', 'CLIENTS', 'CLIENTS'].map(() => connect('CLIENTS').isDestroyed)).toEqual([false, false, true])
  })

  test('a client that comes again and again is told of now and then, with how often it was refused', async () => {
    const { clock, logger, connect } = await fullServer()
    for (let tries = 0; tries < 102; tries++) connect('CLIENTS')
    expect(logger.events).toMatchObject([{ fields: { client: '10.0.0.7', refused: 1 } }])
    await clock.run(10_000)
    connect('CLIENTS')
    expect(logger.events).toMatchObject([{}, { fields: { refused: 100 } }])
  })

  test('a broker is let in, and the client that has been quiet for longest goes', async () => {
    const { clock, connect, server } = await fullServer()
    const [one, other] = [connect('CLIENTS'), connect('CLIENTS')]
    await clock.run(10)
    one.receive(Uint8Array.of(0))
    expect(connect('BETWEEN').isDestroyed).toBe(false)
    expect([one.isDestroyed, other.isDestroyed]).toEqual([false, true])
    expect(connect('BETWEEN').isDestroyed).toBe(false)
    expect(one.isDestroyed).toBe(true)
    expect([server.connectionCount('CLIENTS'), server.connectionCount('BETWEEN')]).toEqual([0, 2])
    expect([server.createdCount('CLIENTS'), server.createdCount('BETWEEN')]).toEqual([2, 2])
  })

  test('a broker is let in where nobody can go, as long as the process may open more', async () => {
    const { connect, limits } = await fullServer()
    limits.total = 0
    expect([connect('BETWEEN'), connect('BETWEEN'), connect('BETWEEN')].map((each) => each.isDestroyed)).toEqual([
      false,
      false,
      true,
    ])
  })

  test('a broker is refused where all of them are of brokers', async () => {
    const { connect } = await fullServer()
    expect([connect('BETWEEN'), connect('BETWEEN'), connect('BETWEEN')].map((each) => each.isDestroyed)).toEqual([
      false,
      false,
      true,
    ])
  })
})

describe('connections.max.idle.ms', () => {
  const reply = { bytes: [], sizeInBytes: 0, leaves: () => {}, sent: () => {} }
  const request = Uint8Array.of(0, 0, 0, 1, 7)

  test('ends a connection on which nothing happens', async () => {
    const { clock, connect } = await fullServer(1000)
    const client = connect('CLIENTS')
    await clock.run(900)
    client.receive(request)
    await clock.run(900)
    expect(client.isDestroyed).toBe(false)
    await clock.run(2000)
    expect(client.isDestroyed).toBe(true)
  })

  test('leaves a client that still reads its answer, until it takes nothing any more', async () => {
    const { clock, connect } = await fullServer(1000, { ...DISPATCHER, dispatch: () => reply })
    const client = connect('CLIENTS')
    client.queued = 36_000_000
    client.receive(request)
    for (let taken = 0; taken < 10; taken++) {
      await clock.run(1000)
      client.queued -= 1_000_000
    }
    expect(client.isDestroyed).toBe(false)
    await clock.run(4000)
    expect(client.isDestroyed).toBe(true)
  })
})

test('a client that takes nothing of its answer goes once others want its room, one that takes some does not', async () => {
  let isWanted = false
  const reply = { bytes: [], sizeInBytes: 0, leaves: () => {}, sent: () => {} }
  const { clock, connect, logger } = await fullServer(-1, { ...DISPATCHER, dispatch: () => reply }, () => isWanted)
  const [stalled, slow] = [connect('CLIENTS'), connect('CLIENTS')]
  for (const each of [stalled, slow]) {
    each.queued = 36_000_000
    each.receive(Uint8Array.of(0, 0, 0, 1, 7))
  }
  await clock.run(60_000)
  expect([stalled.isDestroyed, slow.isDestroyed]).toEqual([false, false])
  isWanted = true
  for (let taken = 0; taken < 20; taken++) {
    await clock.run(1000)
    slow.queued -= 1_000_000
    if (stalled.isDestroyed) stalled.fail(undefined)
  }
  expect([stalled.isDestroyed, slow.isDestroyed]).toEqual([true, false])
  expect(logger.events).toMatchObject([{ fields: { client: '10.0.0.7', closed: 1 } }])
})

test('TLS handshakes that fail are told of now and then, with how many they were, and what they took is free again', async () => {
  const { clock, logger, connect, server } = await fullServer()
  for (let tries = 0; tries < 101; tries++) connect('CLIENTS').fail(new TlsHandshakeError('it is no TLS'))
  expect(server.connectionCount('CLIENTS')).toBe(0)
  await clock.run(10_000)
  connect('CLIENTS').fail(new TlsHandshakeError('it is no TLS'))
  const fields = { client: '10.0.0.7', listener: 'CLIENTS', reason: 'it is no TLS' }
  expect(logger.events).toMatchObject([
    { level: 'warn', fields: { ...fields, failed: 1 } },
    { level: 'warn', fields: { ...fields, failed: 101 } },
  ])
})
