import { connect as connectSocket } from 'node:net'
import { connect as connectTls, type ConnectionOptions, type TLSSocket } from 'node:tls'
import { afterEach, describe, expect, jest, test } from '@jest/globals'
import type { Address, Connection } from '../../../broker/env/network.ts'
import { TlsHandshakeError, type TlsSettings } from '../../../broker/env/tls.ts'
import { NodeNetwork } from '../../../broker/host/network.ts'
import { NodeTls } from '../../../broker/host/tls.ts'
import { BufferPool } from '../../../broker/lib/buffer-pool.ts'
import { Authority, type Issued, LOCAL_HOSTS } from '../../tools/certificates.ts'
import { tlsIdentity, tlsSettings } from '../../tools/tls-settings.ts'

const LOCAL = { host: '127.0.0.1', port: 0 }
const authority = new Authority()
const broker = authority.issue({ commonName: 'broker', hosts: LOCAL_HOSTS })
const context = new NodeTls()

const settings = (changed: Partial<TlsSettings> = {}): TlsSettings => tlsSettings(broker, changed)

const opened: { destroy(): void }[] = []
const listeners: { close(): Promise<void> }[] = []

afterEach(async () => {
  jest.useRealTimers()
  for (const connection of opened.splice(0)) connection.destroy()
  await Promise.all(listeners.splice(0).map((listener) => listener.close()))
})

interface Served {
  readonly address: Address
  readonly next: () => Promise<Connection>
}

async function serve(tls: () => TlsSettings, network = new NodeNetwork()): Promise<Served> {
  const waiting: ((connection: Connection) => void)[] = []
  const accepted: Connection[] = []
  const listener = await network.listen(
    LOCAL,
    (connection) => {
      opened.push(connection)
      const taker = waiting.shift()
      if (taker === undefined) accepted.push(connection)
      else taker(connection)
    },
    () => context.context(tls()),
  )
  listeners.push(listener)
  const next = (): Promise<Connection> => {
    const connection = accepted.shift()
    return connection === undefined ? new Promise((resolve) => waiting.push(resolve)) : Promise.resolve(connection)
  }
  return { address: listener.address, next }
}

function connect({ port }: Address, options: ConnectionOptions = {}): TLSSocket {
  const socket = connectTls({ host: '127.0.0.1', port, ca: authority.certificate, ...options })
  socket.on('error', () => {})
  opened.push(socket)
  return socket
}

async function pair(changed: Partial<TlsSettings> = {}, options: ConnectionOptions = {}, network?: NodeNetwork) {
  const served = await serve(() => settings(changed), network)
  const client = connect(served.address, options)
  const server = await served.next()
  return { client, server }
}

function closed(connection: Connection): Promise<Error | undefined> {
  return new Promise((resolve) => connection.onClose(resolve))
}

function event(socket: TLSSocket, name: string): Promise<unknown> {
  return new Promise((resolve) => socket.once(name, resolve))
}

/** Bytes that are the same nowhere within 251 of each other. */
function pattern(length: number): Uint8Array {
  return Buffer.alloc(
    length,
    Uint8Array.from({ length: 251 }, (_, index) => index),
  )
}

describe('an encrypted connection', () => {
  test.each(['TLSv1.2', 'TLSv1.3'] as const)(
    'carries megabytes both ways, in order and whole, over %s',
    async (protocol) => {
      const { client, server } = await pair({ protocols: [protocol] })
      const content = pattern(5_000_000)
      const back: Buffer[] = []
      client.on('data', (chunk: Buffer) => back.push(chunk))
      let received = 0
      server.onData((chunk) => {
        received += chunk.length
        server.write([Uint8Array.from(chunk)])
        if (received === content.length) server.end()
      })
      client.write(content)
      await event(client, 'end')
      expect(client.getProtocol()).toBe(protocol)
      expect(Buffer.compare(Buffer.concat(back), content)).toBe(0)
    },
  )

  test('tells how much of one large write the client has not taken', async () => {
    const { client, server } = await pair()
    await event(client, 'secureConnect')
    client.pause()
    const content = pattern(32_000_000)
    server.write([content])
    // It is encrypted before any of it is queued.
    while (server.queuedBytes() === 0) await new Promise((resolve) => setImmediate(resolve))
    const before = server.queuedBytes()
    let received = 0
    await new Promise<void>((resolve) => {
      client.on('data', ({ length }: Buffer) => {
        received += length
        if (received < content.length / 2) return
        client.pause()
        resolve()
      })
      client.resume()
    })
    const after = server.queuedBytes()
    expect(after).toBeGreaterThan(0)
    expect(after).toBeLessThan(before)
  })

  test('tells where it comes from', async () => {
    const { client, server } = await pair()
    await event(client, 'secureConnect')
    expect(server.remote).toEqual({ host: '127.0.0.1', port: client.localPort })
    expect(server.local).toEqual({ host: '127.0.0.1', port: client.remotePort })
  })

  test('gives what came with the end of the handshake to who asks for it later', async () => {
    const { client, server } = await pair()
    client.write('early')
    await event(client, 'secureConnect')
    // The answer to another client comes behind what was on its way already.
    const other = connect(client.remotePort === undefined ? LOCAL : { host: '', port: client.remotePort })
    await event(other, 'secureConnect')
    const received = new Promise((resolve) => server.onData((chunk) => resolve(Buffer.from(chunk).toString())))
    expect(await received).toBe('early')
  })

  test('is silent while it is paused, and loses nothing', async () => {
    const { client, server } = await pair()
    const content = pattern(1_000_000)
    const received: Uint8Array[] = []
    let paused = false
    let whilePaused = 0
    let total = 0
    const whole = new Promise<void>((resolve) => {
      server.onData((chunk) => {
        if (paused) whilePaused++
        received.push(Uint8Array.from(chunk))
        total += chunk.length
        if (total === content.length) return resolve()
        paused = true
        server.pause()
        setImmediate(() => {
          paused = false
          server.resume()
        })
      })
    })
    client.write(content)
    await whole
    expect(whilePaused).toBe(0)
    expect(Buffer.compare(Buffer.concat(received), content)).toBe(0)
  })

  test('tells what it holds before it tells that it is over', async () => {
    const { client, server } = await pair()
    const received: Uint8Array[] = []
    server.onData((chunk) => {
      received.push(Uint8Array.from(chunk))
      server.pause()
    })
    client.end(pattern(40_000))
    expect(await closed(server)).toBeUndefined()
    expect(Buffer.concat(received).length).toBe(40_000)
  })

  test('receives where the receiver has a place', async () => {
    const { client, server } = await pair()
    const place = new Uint8Array(100_000)
    let filled = 0
    let inPlace = 0
    server.onData(
      (chunk) => {
        if (chunk.buffer === place.buffer) inPlace += chunk.length
        else place.set(chunk, filled)
        filled += chunk.length
      },
      () => (filled === 0 || filled === place.length ? undefined : place.subarray(filled)),
    )
    const content = pattern(place.length)
    client.end(content)
    await closed(server)
    expect(inPlace).toBeGreaterThan(50_000)
    expect(Buffer.compare(place, content)).toBe(0)
  })

  test('a slow receiver makes write return false, and onDrain follows', async () => {
    const { client, server } = await pair()
    client.pause()
    const chunk = new Uint8Array(1 << 20)
    let sent = 1
    while (server.write([chunk])) sent++
    const drained = new Promise<void>((resolve) => server.onDrain(resolve))
    let received = 0
    client.on('data', ({ length }: Buffer) => {
      received += length
    })
    client.resume()
    await drained
    server.end()
    await event(client, 'end')
    expect(received).toBe(sent * chunk.length)
  })

  test.each([[[50, 400_000, 20, 70_000, 30, 10]], [[50, 400, 20, 700]], [[40_000, 40_000]], [[1_000_000, 1]]])(
    'carries what is written together, of %j bytes, in its order, and tells when all of it is sent',
    async (sizes) => {
      const { client, server } = await pair()
      const pieces = sizes.map((size) => pattern(size))
      const back: Buffer[] = []
      client.on('data', (chunk: Buffer) => back.push(chunk))
      const told: string[] = []
      server.write([Buffer.from('first')], () => told.push('first'))
      server.write(pieces, () => told.push('pieces'))
      await new Promise<void>((resolve) => void server.write([Buffer.from('last')], resolve))
      expect(told).toEqual(['first', 'pieces'])
      server.end()
      await event(client, 'end')
      const all = Buffer.concat([Buffer.from('first'), ...pieces, Buffer.from('last')])
      expect(Buffer.compare(Buffer.concat(back), all)).toBe(0)
    },
  )

  test('gives lent memory back when it is sent', async () => {
    const buffers = new BufferPool()
    const { client, server } = await pair({}, {}, new NodeNetwork(buffers))
    client.resume()
    const lent = buffers.take(8192)
    await new Promise<void>((resolve) => void server.write([Buffer.from('head'), lent], resolve))
    expect(buffers.isLent(lent)).toBe(false)
  })
})

describe('a handshake', () => {
  async function failure(changed: Partial<TlsSettings>, options: ConnectionOptions): Promise<Error | undefined> {
    const { client, server } = await pair(changed, options)
    server.onData(() => {})
    client.write('x')
    return closed(server)
  }

  async function failureOf(bytes: Uint8Array | string, thenEnd = false): Promise<Error | undefined> {
    const { address, next } = await serve(() => settings())
    const socket = connectSocket(address.port, '127.0.0.1', () => {
      if (bytes.length > 0) socket.write(bytes)
      if (thenEnd) socket.end()
    })
    socket.on('error', () => {})
    opened.push(socket)
    const server = await next()
    server.onData(() => {})
    return closed(server)
  }

  const API_VERSIONS = Uint8Array.of(0, 0, 0, 10, 0, 18, 0, 0, 0, 0, 0, 1, 255, 255)

  test.each([
    ['a Kafka client that speaks PLAINTEXT', API_VERSIONS, 'may speak PLAINTEXT'],
    ['a browser', 'GET / HTTP/1.1\r\n\r\n', 'HTTP'],
  ])('fails with %s, and says so', async (_who, bytes, words) => {
    const error = await failureOf(bytes)
    expect(error).toBeInstanceOf(TlsHandshakeError)
    expect(error?.message).toContain(words)
  })

  test('that the client breaks off is a failure; a look at the port is none', async () => {
    expect(await failureOf(Uint8Array.of(22, 3, 1, 1, 0, 1), true)).toBeInstanceOf(TlsHandshakeError)
    expect(await failureOf('', true)).toBeUndefined()
  })

  test('that is never finished ends in time', async () => {
    const { address, next } = await serve(() => settings(), new NodeNetwork(new BufferPool(), { handshakeMsMax: 20 }))
    const socket = connectSocket(address.port, '127.0.0.1', () => socket.write(Uint8Array.of(22, 3, 1, 1, 0, 1)))
    opened.push(socket)
    const error = await closed(await next())
    expect(error).toBeInstanceOf(TlsHandshakeError)
    expect(error?.message).toContain('20 ms')
  })

  test('that is finished leaves the connection in peace', async () => {
    jest.useFakeTimers({ doNotFake: ['nextTick', 'queueMicrotask', 'setImmediate', 'clearImmediate'] })
    const { client, server } = await pair({}, {}, new NodeNetwork(new BufferPool(), { handshakeMsMax: 50 }))
    const received = () => new Promise((resolve) => server.onData((chunk) => resolve(String.fromCharCode(...chunk))))
    client.write('x')
    expect(await received()).toBe('x')
    jest.advanceTimersByTime(51)
    client.write('y')
    expect(await received()).toBe('y')
  })

  test('needs a version in common', async () => {
    const error = await failure({ protocols: ['TLSv1.3'] }, { maxVersion: 'TLSv1.2' })
    expect(error?.message).toContain('no TLS version in common')
  })

  test('needs a cipher suite in common', async () => {
    const error = await failure(
      { protocols: ['TLSv1.2'], ciphers: ['ECDHE-ECDSA-AES256-GCM-SHA384'] },
      { maxVersion: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES128-GCM-SHA256' },
    )
    expect(error?.message).toContain('no cipher suite in common')
  })

  const friend = authority.issue({ commonName: 'friend' })
  const stranger = new Authority('another').issue({ commonName: 'stranger' })
  const expired = authority.issue({ commonName: 'old', notAfter: new Date(Date.now() - 1000) })

  test.each(['requested', 'required'] as const)(
    'takes a client with a trusted certificate where it is %s',
    async (clientAuth) => {
      const { client, server } = await pair({ clientAuth, trusted: authority.certificate }, certified(friend))
      const received = new Promise((resolve) => server.onData(resolve))
      client.write('x')
      expect(await received).toBeDefined()
    },
  )

  test('takes a client without a certificate where it is requested', async () => {
    const { client, server } = await pair({ clientAuth: 'requested', trusted: authority.certificate })
    const received = new Promise((resolve) => server.onData(resolve))
    client.write('x')
    expect(await received).toBeDefined()
  })

  test.each(['TLSv1.2', 'TLSv1.3'] as const)(
    'refuses a client without a certificate that is required (%s)',
    async (protocol) => {
      const changed = { clientAuth: 'required', trusted: authority.certificate, protocols: [protocol] } as const
      expect((await failure(changed, {}))?.message).toContain('gave no certificate')
    },
  )

  test.each([
    ['required', 'of somebody else', stranger],
    ['requested', 'of somebody else', stranger],
    ['required', 'that has expired', expired],
  ] as const)('where a certificate is %s refuses one %s', async (clientAuth, _what, client) => {
    const error = await failure({ clientAuth, trusted: authority.certificate }, certified(client))
    expect(error).toBeInstanceOf(TlsHandshakeError)
    expect(error?.message).toContain('not trusted')
  })

  test('a client that does not trust the listener is told of here', async () => {
    const error = await failure({}, { ca: new Authority('another').certificate })
    expect(error).toBeInstanceOf(TlsHandshakeError)
  })

  function certified({ certificate, key }: Issued): ConnectionOptions {
    return { cert: certificate, key }
  }
})

test('a new connection sees the settings of its time, and those before go on', async () => {
  let current = settings()
  const { address, next } = await serve(() => current)
  const before = connect(address)
  const server = await next()
  await event(before, 'secureConnect')
  current = settings({ identity: tlsIdentity(authority.issue({ commonName: 'renewed', hosts: LOCAL_HOSTS })) })
  const after = connect(address)
  await event(after, 'secureConnect')
  expect(before.getPeerCertificate().subject.CN).toBe('broker')
  expect(after.getPeerCertificate().subject.CN).toBe('renewed')
  const received = new Promise((resolve) => server.onData(resolve))
  before.write('x')
  expect(await received).toBeDefined()
})
