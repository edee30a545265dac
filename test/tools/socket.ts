import { connect } from 'node:net'

/** How one exchange over a raw socket ended. */
export interface Exchange {
  /** Everything that came back. */
  readonly received: Buffer
  /** The other side closed or reset the connection before this side gave up or ended. */
  readonly closed: boolean
}

export interface ExchangeOptions {
  /** Ends this side's half after sending. */
  readonly end?: boolean
  /** Returns after the first complete frame. */
  readonly oneFrame?: boolean
  /** Returns after this long in any case. */
  readonly msMax?: number
}

/** Sends `bytes` on a new connection and collects what comes back until it closes, or as the options say. */
export function exchange(port: number, bytes: Uint8Array, options: ExchangeOptions = {}): Promise<Exchange> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port })
    const chunks: Buffer[] = []
    const done = (closed: boolean) => (): void => {
      clearTimeout(timer)
      socket.destroy()
      resolve({ received: Buffer.concat(chunks), closed })
    }
    const timer = setTimeout(done(false), options.msMax ?? 5000)
    socket.on('connect', () => (options.end === true ? socket.end(bytes) : socket.write(bytes)))
    socket.on('data', (chunk) => {
      chunks.push(chunk)
      const all = Buffer.concat(chunks)
      if (options.oneFrame === true && all.length >= 4 && all.length >= 4 + all.readInt32BE(0)) done(false)()
    })
    socket.on('error', done(true))
    socket.on('close', done(true))
  })
}

/** `body` with its length in front. */
export function frame(body: Uint8Array): Buffer {
  const length = Buffer.alloc(4)
  length.writeInt32BE(body.length)
  return Buffer.concat([length, body])
}

/** A request header of version 1, which is also version 2 with `flexible`'s empty tag section. */
export function requestHead(apiKey: number, apiVersion: number, correlationId: number, flexible = false): Buffer {
  const head = Buffer.alloc(10)
  head.writeInt16BE(apiKey, 0)
  head.writeInt16BE(apiVersion, 2)
  head.writeInt32BE(correlationId, 4)
  head.writeInt16BE(-1, 8)
  return flexible ? Buffer.concat([head, Buffer.from([0])]) : head
}
