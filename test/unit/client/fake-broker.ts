import type { Address, Connection, Listener, Network } from '../../../broker/env/network.ts'
import { ApiKey } from '../../../broker/protocol/api-key.ts'
import { APIS, isApiKey, type RequestOf, type ResponseInputOf } from '../../../broker/protocol/apis.ts'
import { FrameDecoder } from '../../../broker/protocol/frame-decoder.ts'
import { decodeRequest, encodeResponse } from '../../../broker/protocol/frame.ts'

/** What a broker does with a request: answers with a body, with bytes of any kind, not at all, or by closing the connection. */
export type Answer<T> = T | Uint8Array | 'silence' | 'close'

type Handlers = {
  [K in ApiKey]?: (request: RequestOf<K>, version: number) => Answer<ResponseInputOf<K>>
}

/** A broker that does what its handlers say; it advertises what it handles. */
export class FakeBroker {
  readonly handlers: Handlers
  /** `name/version` of each request, in order. */
  readonly requests: string[] = []
  /** Connections ever made, and those that are open. */
  connections = 0
  open = 0

  constructor(handlers: Handlers) {
    this.handlers = {
      [ApiKey.ApiVersions]: () => ({ apiKeys: this.#advertised() }),
      ...handlers,
    }
  }

  #advertised(): { apiKey: number; minVersion: number; maxVersion: number }[] {
    const keys = Object.keys(this.handlers).map(Number)
    return keys.filter(isApiKey).map((apiKey) => {
      const { min, max } = APIS[apiKey].versions
      return { apiKey, minVersion: min, maxVersion: max }
    })
  }

  /** The bytes that answer a request frame. */
  answer(frame: Uint8Array): Uint8Array | 'silence' | 'close' {
    const { header, body } = decodeRequest(frame)
    const { requestApiKey: key, requestApiVersion: version, correlationId } = header
    return isApiKey(key) ? this.#answer(key, this.handlers[key], version, correlationId, body) : 'close'
  }

  #answer<K extends ApiKey>(
    key: K,
    handler: Handlers[K],
    version: number,
    correlationId: number,
    body: ReturnType<typeof decodeRequest>['body'],
  ): Uint8Array | 'silence' | 'close' {
    const api = APIS[key]
    this.requests.push(`${api.name}/${version}`)
    const answer = handler?.(api.request.decode(body, version), version) ?? 'close'
    if (answer === 'silence' || answer === 'close' || answer instanceof Uint8Array) return answer
    return Buffer.concat(encodeResponse(api, version, correlationId, answer))
  }
}

/** Brokers by `host:port`; where there is none, a connection is refused. Answers come a few microtasks later. */
export class FakeNetwork implements Network {
  readonly brokers = new Map<string, FakeBroker>()

  listen(): Promise<Listener> {
    return Promise.reject(new Error('nobody listens here'))
  }

  connect(address: Address): Promise<Connection> {
    const broker = this.brokers.get(`${address.host}:${address.port}`)
    if (broker === undefined) return Promise.reject(new Error('ECONNREFUSED'))
    broker.connections++
    broker.open++
    return Promise.resolve(new FakeConnection(broker, address))
  }
}

class FakeConnection implements Connection {
  readonly remote: Address
  readonly local: Address = { host: 'client', port: 1 }
  readonly #broker: FakeBroker
  readonly #frames = new FrameDecoder(1 << 20)
  #receive: (chunk: Uint8Array) => void = () => {}
  #closed: (error: Error | undefined) => void = () => {}
  #isOpen = true

  constructor(broker: FakeBroker, remote: Address) {
    this.#broker = broker
    this.remote = remote
  }

  onData(receive: (chunk: Uint8Array) => void): void {
    this.#receive = receive
  }
  onClose(closed: (error: Error | undefined) => void): void {
    this.#closed = closed
  }
  onDrain(): void {}

  write(buffers: readonly Uint8Array[]): boolean {
    for (const buffer of buffers) this.#frames.push(buffer)
    for (let frame = this.#frames.next(); frame !== undefined; frame = this.#frames.next()) {
      const answer = this.#broker.answer(frame)
      void Promise.resolve().then(() => this.#deliver(answer))
    }
    return true
  }

  #deliver(answer: Uint8Array | 'silence' | 'close'): void {
    if (!this.#isOpen || answer === 'silence') return
    if (answer === 'close') return this.#close()
    // In two pieces, as a network may.
    this.#receive(answer.subarray(0, 3))
    this.#receive(answer.subarray(3))
  }

  #close(): void {
    if (!this.#isOpen) return
    this.#isOpen = false
    this.#broker.open--
    this.#closed(undefined)
  }

  queuedBytes(): number {
    return 0
  }
  pause(): void {}
  resume(): void {}
  end(): void {
    this.#close()
  }
  destroy(): void {
    this.#close()
  }
}
