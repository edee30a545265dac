import * as net from 'node:net'
import type { Address, Connection, Listener, Network } from '../env/network.ts'
import { SendBuffers } from './send-buffers.ts'

class NodeConnection implements Connection {
  readonly remote: Address
  readonly local: Address
  readonly #socket: net.Socket
  readonly #buffers: SendBuffers
  #closed: ((error: Error | undefined) => void) | undefined
  #error: Error | undefined
  #isCorked = false

  constructor(socket: net.Socket, buffers: SendBuffers) {
    this.#socket = socket
    this.#buffers = buffers
    this.remote = { host: plainHost(socket.remoteAddress), port: socket.remotePort ?? 0 }
    this.local = { host: plainHost(socket.localAddress), port: socket.localPort ?? 0 }
    // Without a handler an error of any peer would end the process. It is told in onClose, which always follows.
    socket.on('error', (error) => {
      this.#error = error
    })
    socket.on('close', () => this.#closed?.(this.#error))
  }

  onData(receive: (chunk: Uint8Array) => void): void {
    this.#socket.on('data', receive)
  }

  onClose(closed: (error: Error | undefined) => void): void {
    this.#closed = closed
    if (this.#socket.closed) closed(this.#error)
  }

  onDrain(drained: () => void): void {
    this.#socket.on('drain', drained)
  }

  write(buffers: readonly Uint8Array[]): boolean {
    const socket = this.#socket
    if (!socket.writable) return true
    this.#cork()
    for (const buffer of buffers) {
      if (this.#buffers.isLent(buffer)) this.#writeLent(buffer)
      else socket.write(buffer)
    }
    return !socket.writableNeedDrain
  }

  #writeLent(buffer: Uint8Array): void {
    this.#socket.write(buffer, (error) => {
      if (error === null || error === undefined) this.#buffers.giveBack(buffer)
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

  queuedBytes(): number {
    return this.#socket.writableLength
  }

  pause(): void {
    this.#socket.pause()
  }

  resume(): void {
    this.#socket.resume()
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

/** TCP. */
export class NodeNetwork implements Network {
  readonly #buffers: SendBuffers

  constructor(buffers = new SendBuffers()) {
    this.#buffers = buffers
  }

  listen(address: Address, accept: (connection: Connection) => void): Promise<Listener> {
    return new Promise((resolve, reject) => {
      const server = net.createServer({ noDelay: true, keepAlive: true }, (socket) =>
        accept(new NodeConnection(socket, this.#buffers)),
      )
      server.once('error', reject)
      server.listen({ host: address.host, port: address.port }, () => {
        server.off('error', reject)
        // accept() itself may fail later, out of file descriptors: the client is refused, the listener stays.
        server.on('error', () => {})
        const bound = server.address()
        const port = typeof bound === 'object' && bound !== null ? bound.port : address.port
        resolve(new NodeListener(server, { host: address.host, port }))
      })
    })
  }

  connect(address: Address, timeoutMs: number): Promise<Connection> {
    return new Promise((resolve, reject) => {
      const socket = net.connect({ host: address.host, port: address.port, noDelay: true, keepAlive: true })
      const timer = setTimeout(() => {
        socket.destroy(new Error(`no connection to ${address.host}:${address.port} within ${timeoutMs} ms`))
      }, timeoutMs)
      const failed = (error: Error) => {
        clearTimeout(timer)
        reject(error)
      }
      socket.once('error', failed)
      socket.once('connect', () => {
        clearTimeout(timer)
        const connection = new NodeConnection(socket, this.#buffers)
        socket.off('error', failed)
        resolve(connection)
      })
    })
  }
}

/** Without the `::ffff:` that a dual-stack socket puts before an IPv4 address. */
function plainHost(host: string | undefined): string {
  return (host ?? '').replace(/^::ffff:(?=\d+\.)/, '')
}
