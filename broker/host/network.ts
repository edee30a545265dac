import * as net from 'node:net'
import type { Address, Connection, ListenAddress, Listener, Network } from '../env/network.ts'
import type { TlsContext } from '../env/tls.ts'
import { BufferPool } from '../lib/buffer-pool.ts'
import { NodeTlsContext } from './tls.ts'
import { secured } from './tls-socket.ts'

/** Longer than any client needs, however far away; Apache Kafka waits for connections.max.idle.ms. */
const HANDSHAKE_MS_MAX = 30_000

/** What is read where the receiver has no place of its own. All connections share it: a read is told before the next one begins. */
const SCRATCH = Buffer.allocUnsafeSlow(64 * 1024)

/** The `onread` of a socket that is there before its connection is. */
class Reader {
  receive: (chunk: Uint8Array) => void = () => {}
  space: () => Uint8Array | undefined = () => undefined
  #isPaused = true
  /** What was decrypted of a read after which nothing more was wanted. */
  readonly #held: Uint8Array[] = []
  readonly onread = {
    buffer: (): Uint8Array => (this.#isPaused ? undefined : this.space()) ?? SCRATCH,
    callback: (size: number, buffer: Uint8Array): boolean => {
      const chunk = buffer.subarray(0, size)
      if (this.#isPaused) this.#held.push(Uint8Array.from(chunk))
      else this.receive(chunk)
      return true
    },
  }

  pause(): void {
    this.#isPaused = true
  }

  /** False where the receiver has paused again. */
  resume(): boolean {
    this.#isPaused = false
    while (!this.#isPaused && this.#held.length > 0) this.receive(this.#held.shift() as Uint8Array)
    return !this.#isPaused
  }

  /** Nothing comes any more: what is there is told, whether it is wanted or not. */
  end(): void {
    for (const chunk of this.#held.splice(0)) this.receive(chunk)
  }
}

/** What Node keeps of a stream of libuv's: what it gave to it, and how much of that the kernel does not have. */
interface StreamHandle {
  readonly bytesWritten: number
  readonly writeQueueSize: number
}

class NodeConnection implements Connection {
  readonly remote: Address
  readonly local: Address
  readonly #socket: net.Socket
  readonly #reader: Reader
  readonly #buffers: BufferPool
  #closed: ((error: Error | undefined) => void) | undefined
  #error: Error | undefined
  #isCorked = false

  constructor(socket: net.Socket, reader: Reader, buffers: BufferPool) {
    this.#socket = socket
    this.#reader = reader
    this.#buffers = buffers
    this.remote = { host: plainHost(socket.remoteAddress), port: socket.remotePort ?? 0 }
    this.local = { host: plainHost(socket.localAddress), port: socket.localPort ?? 0 }
    // Without a handler an error of any peer would end the process. It is told in onClose, which always follows.
    socket.on('error', (error) => {
      this.#error = error
    })
    socket.on('close', () => {
      this.#reader.end()
      this.#closed?.(this.#error)
    })
  }

  onData(receive: (chunk: Uint8Array) => void, space?: () => Uint8Array | undefined): void {
    this.#reader.receive = receive
    if (space !== undefined) this.#reader.space = space
    this.resume()
  }

  onClose(closed: (error: Error | undefined) => void): void {
    this.#closed = closed
    if (this.#socket.closed) closed(this.#error)
  }

  onDrain(drained: () => void): void {
    this.#socket.on('drain', drained)
  }

  write(buffers: readonly Uint8Array[], sent?: () => void): boolean {
    const socket = this.#socket
    if (!socket.writable) return true
    this.#cork()
    let left = buffers.length
    for (const buffer of buffers) {
      const told = --left === 0 ? sent : undefined
      if (this.#buffers.isLent(buffer)) this.#writeLent(buffer, told)
      else socket.write(buffer, told)
    }
    return !socket.writableNeedDrain
  }

  #writeLent(buffer: Uint8Array, sent: (() => void) | undefined): void {
    this.#socket.write(buffer, (error) => {
      if (error === null || error === undefined) this.#buffers.giveBack(buffer)
      sent?.()
    })
  }

  /** Everything that is written until the running callback returns goes out as one writev. */
  #cork(): void {
    if (this.#isCorked) return
    this.#isCorked = true
    this.#socket.cork()
    process.nextTick(uncork, this)
  }

  uncork(): void {
    this.#isCorked = false
    this.#socket.uncork()
  }

  /** Node's `writableLength` has all of one writev in it until the last byte has left; libuv knows what is left of it. */
  queuedBytes(): number {
    const handle = Reflect.get(this.#socket, '_handle') as StreamHandle | null
    if (handle === null) return this.#socket.writableLength
    const waiting = this.#socket.bytesWritten - handle.bytesWritten
    // TLS says of what it has encrypted only when all of it has left; the stream below knows.
    const below = Reflect.get(handle, '_parent') as StreamHandle | undefined
    return waiting + (below ?? handle).writeQueueSize
  }

  pause(): void {
    this.#reader.pause()
    this.#socket.pause()
  }

  resume(): void {
    if (this.#reader.resume()) this.#socket.resume()
  }

  end(): void {
    this.#socket.end()
  }

  destroy(): void {
    this.#socket.destroy()
  }
}

function uncork(connection: NodeConnection): void {
  connection.uncork()
}

class NodeListener implements Listener {
  readonly address: Address
  readonly #server: net.Server

  constructor(server: net.Server, address: Address) {
    this.#server = server
    this.address = address
  }

  close(): Promise<void> {
    // The callback of close() waits for the connections too, which go on here: the port is free when it returns.
    this.#server.close()
    return Promise.resolve()
  }
}

/** TCP, and TLS over it. */
export class NodeNetwork implements Network {
  readonly #buffers: BufferPool
  readonly #handshakeMsMax: number

  constructor(buffers = new BufferPool(), options: { readonly handshakeMsMax?: number } = {}) {
    this.#buffers = buffers
    this.#handshakeMsMax = options.handshakeMsMax ?? HANDSHAKE_MS_MAX
  }

  listen(address: ListenAddress, accept: (connection: Connection) => void, tls?: () => TlsContext): Promise<Listener> {
    return new Promise((resolve, reject) => {
      const server = net.createServer({ noDelay: true, keepAlive: true, pauseOnConnect: true }, (socket) => {
        const reader = new Reader()
        const own = tls === undefined ? adopt(socket, reader) : this.#secured(socket, reader, tls())
        accept(new NodeConnection(own, reader, this.#buffers))
      })
      server.once('error', reject)
      server.listen(address, () => {
        server.off('error', reject)
        // accept() itself may fail later, out of file descriptors: the client is refused, the listener stays.
        server.on('error', () => {})
        const bound = server.address()
        const port = typeof bound === 'object' && bound !== null ? bound.port : address.port
        resolve(new NodeListener(server, { host: address.host, port }))
      })
    })
  }

  #secured(socket: net.Socket, { onread }: Reader, context: TlsContext): net.Socket {
    if (!(context instanceof NodeTlsContext)) throw new TypeError('a TLS context of another host')
    return secured(socket, { context, onread, handshakeMsMax: this.#handshakeMsMax })
  }

  connect(address: Address, timeoutMs: number, signal?: AbortSignal): Promise<Connection> {
    return new Promise((resolve, reject) => {
      const reader = new Reader()
      const { host, port } = address
      const socket = net.connect({ host, port, noDelay: true, keepAlive: true, onread: reader.onread })
      // What comes before there is a receiver waits in the kernel.
      socket.pause()
      const timer = setTimeout(() => {
        socket.destroy(new Error(`no connection to ${address.host}:${address.port} within ${timeoutMs} ms`))
      }, timeoutMs)
      const abandon = () => socket.destroy(new Error(`nobody wants a connection to ${host}:${port} any more`))
      signal?.addEventListener('abort', abandon)
      const over = () => {
        clearTimeout(timer)
        signal?.removeEventListener('abort', abandon)
      }
      const failed = (error: Error) => {
        over()
        reject(error)
      }
      socket.once('error', failed)
      socket.once('connect', () => {
        over()
        const connection = new NodeConnection(socket, reader, this.#buffers)
        socket.off('error', failed)
        resolve(connection)
      })
    })
  }
}

/**
 * Node reads the sockets of a server into new memory each time, and has `onread` for its own ones only: this makes one of those of an
 * accepted socket's handle. Neither property is documented; both have been there since Node 0.1, and http and cluster live by them.
 */
function adopt(accepted: net.Socket, reader: Reader): net.Socket {
  const handle: unknown = Reflect.get(accepted, '_handle')
  const socket = new net.Socket({ handle, onread: reader.onread, manualStart: true } as object)
  Reflect.set(accepted, '_handle', null)
  return socket
}

/** Without the `::ffff:` that a dual-stack socket puts before an IPv4 address. */
function plainHost(host: string | undefined): string {
  return (host ?? '').replace(/^::ffff:(?=\d+\.)/, '')
}
