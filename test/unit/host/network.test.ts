import { once } from 'node:events'
import { connect as connectSocket, type Socket } from 'node:net'
import { expect, test } from '@jest/globals'
import type { Connection } from '../../../broker/env/network.ts'
import { NodeHttp } from '../../../broker/host/http.ts'
import { NodeNetwork } from '../../../broker/host/network.ts'

const LOCAL = { host: '127.0.0.1', port: 0 }

interface Pair {
  client: Connection
  server: Connection
  close: () => Promise<void>
}

async function pair(): Promise<Pair> {
  const network = new NodeNetwork()
  const accepted = Promise.withResolvers<Connection>()
  const listener = await network.listen(LOCAL, accepted.resolve)
  const client = await network.connect(listener.address, 1000)
  const server = await accepted.promise
  const close = async () => {
    client.destroy()
    server.destroy()
    await listener.close()
  }
  return { client, server, close }
}

function closed(connection: Connection): Promise<Error | undefined> {
  return new Promise((resolve) => connection.onClose(resolve))
}

/** Whatever was on its way on another connection has arrived. */
async function roundTrip(): Promise<void> {
  const { client, server, close } = await pair()
  const answered = new Promise((resolve) => client.onData(resolve))
  server.onData((chunk) => server.write([Uint8Array.from(chunk)]))
  client.write([Uint8Array.of(0)])
  await answered
  await close()
}

test('bytes arrive in order, whole, and as one chunk where they were written in one tick', async () => {
  const { client, server, close } = await pair()
  const chunks: Uint8Array[] = []
  server.onData((chunk) => chunks.push(Uint8Array.from(chunk)))
  client.write([Buffer.from('ab'), Buffer.from('cd')])
  client.write([Buffer.from('ef')])
  client.end()
  expect(await closed(server)).toBeUndefined()
  expect(chunks.map((chunk) => Buffer.from(chunk).toString())).toEqual(['abcdef'])
  await close()
})

test('who writes hears when the kernel has all of it, once, in the order of what was written', async () => {
  const { client, server, close } = await pair()
  const told: string[] = []
  const over = new Promise<void>((resolve) => {
    client.write([Buffer.from('ab'), Buffer.from('cd')], () => told.push('first'))
    client.write([Buffer.from('ef')])
    client.write([Buffer.from('gh')], () => {
      told.push('last')
      resolve()
    })
  })
  expect(told).toEqual([])
  server.onData(() => {})
  await over
  expect(told).toEqual(['first', 'last'])
  await close()
})

test.each(['the connecting', 'the accepting'] as const)(
  '%s side pauses where it receives, and loses nothing',
  async (side) => {
    const { client, server, close } = await pair()
    const [receiver, sender] = side === 'the connecting' ? [client, server] : [server, client]
    const received: number[] = []
    const more = Promise.withResolvers<void>()
    receiver.onData((chunk) => {
      received.push(...chunk)
      receiver.pause()
      more.resolve()
    })
    sender.write([Uint8Array.of(1)])
    await more.promise
    sender.write([Uint8Array.of(2)])
    await roundTrip()
    expect(received).toEqual([1])
    const over = closed(receiver)
    receiver.onData((chunk) => received.push(...chunk))
    sender.end()
    await over
    expect(received).toEqual([1, 2])
    await close()
  },
)

test('bytes are received where the receiver has a place for them', async () => {
  const { client, server, close } = await pair()
  const place = new Uint8Array(100_000)
  let filled = 0
  const inPlace: boolean[] = []
  server.onData(
    (chunk) => {
      inPlace.push(chunk.buffer === place.buffer && chunk.byteOffset === filled)
      filled += chunk.length
    },
    () => (filled === 0 || filled === place.length ? undefined : place.subarray(filled)),
  )
  const content = Uint8Array.from({ length: place.length }, (_, index) => index % 251)
  client.write([content])
  client.end()
  await closed(server)
  expect(filled).toBe(place.length)
  const [first, ...rest] = inPlace
  expect(first).toBe(false)
  expect(rest.length).toBeGreaterThan(0)
  expect(rest).not.toContain(false)
  expect(Buffer.compare(place.subarray(65_536), content.subarray(65_536))).toBe(0)
  await close()
})

test('a slow receiver makes write return false, and onDrain follows', async () => {
  const { client, server, close } = await pair()
  const chunk = new Uint8Array(1 << 20)
  let sent = 1
  while (client.write([chunk])) sent++
  expect(client.queuedBytes()).toBeGreaterThan(0)
  const drained = new Promise<void>((resolve) => client.onDrain(resolve))
  let received = 0
  server.onData(({ length }) => {
    received += length
  })
  await drained
  client.end()
  await closed(server)
  expect(received).toBe(sent * chunk.length)
  await close()
})

test('what is queued gets less while one large write is under way', async () => {
  const { client, server, close } = await pair()
  client.write(Array.from({ length: 64 }, () => new Uint8Array(1 << 20)))
  await roundTrip()
  const queued = client.queuedBytes()
  expect(queued).toBeGreaterThan(0)
  const received = new Promise<void>((resolve) => {
    let bytes = 0
    server.onData(({ length }) => {
      bytes += length
      if (bytes < 32 << 20) return
      server.pause()
      resolve()
    })
  })
  await received
  await roundTrip()
  expect(client.queuedBytes()).toBeGreaterThan(0)
  expect(client.queuedBytes()).toBeLessThan(queued)
  client.destroy()
  await close()
})

test('a reset by the peer is told in onClose and nowhere else', async () => {
  const network = new NodeNetwork()
  const accepted = Promise.withResolvers<Connection>()
  const listener = await network.listen(LOCAL, accepted.resolve)
  const socket = connectSocket({ host: '127.0.0.1', port: listener.address.port })
  const server = await accepted.promise
  server.onData(() => {})
  socket.resetAndDestroy()
  expect(await closed(server)).toMatchObject({ code: 'ECONNRESET' })
  await listener.close()
})

test('a closed listener refuses, and its connections go on', async () => {
  const network = new NodeNetwork()
  const accepted = Promise.withResolvers<Connection>()
  const listener = await network.listen(LOCAL, accepted.resolve)
  const client = await network.connect(listener.address, 1000)
  const server = await accepted.promise
  await listener.close()
  await expect(network.connect(listener.address, 1000)).rejects.toMatchObject({ code: 'ECONNREFUSED' })
  server.onData(() => {})
  const received = new Promise((resolve) => client.onData((chunk) => resolve(Buffer.from(chunk))))
  server.write([Buffer.from('still here')])
  expect(String(await received)).toBe('still here')
  client.destroy()
  await closed(server)
})

test('a connection that nobody wants any more is given up', async () => {
  const network = new NodeNetwork()
  const listener = await network.listen(LOCAL, (connection) => connection.destroy())
  const wish = new AbortController()
  const connecting = network.connect(listener.address, 10_000, wish.signal)
  wish.abort()
  await expect(connecting).rejects.toThrow('nobody wants a connection')
  await listener.close()
})

test('a port in use rejects with EADDRINUSE', async () => {
  const network = new NodeNetwork()
  const listener = await network.listen(LOCAL, () => {})
  await expect(network.listen(listener.address, () => {})).rejects.toMatchObject({ code: 'EADDRINUSE' })
  await listener.close()
})

test('http answers GET by path, refuses the rest, and turns a failure into 500', async () => {
  const listener = await new NodeHttp().serve(LOCAL, (path) => {
    if (path === '/broken') return Promise.reject(new Error('why'))
    const body = path === '/long' ? ['to', 'gether ', 'ä'].map((text) => Buffer.from(text)) : path
    return Promise.resolve({ status: 200, contentType: 'text/plain', body })
  })
  const url = `http://127.0.0.1:${listener.address.port}`
  expect(await (await fetch(`${url}/metrics?x=1`)).text()).toBe('/metrics')
  const long = await fetch(`${url}/long`)
  expect([await long.text(), long.headers.get('content-length')]).toEqual(['together ä', '11'])
  const head = await fetch(`${url}/long`, { method: 'HEAD' })
  expect([await head.text(), head.headers.get('content-length')]).toEqual(['', '11'])
  expect((await fetch(url, { method: 'POST' })).status).toBe(405)
  expect((await fetch(`${url}/broken`)).status).toBe(500)
  await listener.close()
})

test('an HTTP server holds some dozens of connections: the oldest makes way for a new one', async () => {
  const answer = { status: 200, contentType: 'text/plain', body: 'ok' }
  const listener = await new NodeHttp().serve(LOCAL, () => Promise.resolve(answer))
  const { port } = listener.address
  const sockets: Socket[] = []
  const closings: Promise<unknown>[] = []
  for (let i = 0; i < 70; i++) {
    const socket = connectSocket(port, LOCAL.host)
    socket.on('error', () => {}).resume()
    await once(socket, 'connect')
    sockets.push(socket)
    closings.push(once(socket, 'close'))
  }
  expect(await (await fetch(`http://127.0.0.1:${port}/healthz`)).text()).toBe('ok')
  await Promise.all(closings.slice(0, 7))
  expect(sockets.filter((socket) => !socket.closed)).toHaveLength(63)
  await listener.close()
})
