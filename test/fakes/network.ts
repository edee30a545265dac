import type { Timer } from '../../broker/env/clock.ts'
import type { Address, Connection, Listener, Network } from '../../broker/env/network.ts'
import type { ScopedClock, SimClock } from './clock.ts'
import { SendQueue } from './send-queue.ts'
import { isSelf, SYN_RETRY_MS, systemError } from './socket.ts'
import type { SimRandom } from './random.ts'

export interface SimNetworkOptions {
  /** Longest one-way delay in ms. */
  readonly delayMsMax?: number
  /** Bytes in flight at which `write` returns false. */
  readonly windowBytes?: number
  /** How likely a write breaks its connection. */
  readonly breakChance?: number
  /** How likely what arrives is only a part of what is on its way. */
  readonly cutChance?: number
}

type Accept = (connection: Connection) => void

/**
 * Hosts joined by links that delay, hold back and break. Within a connection bytes arrive in order, cut up as TCP may. A host's
 * name is its address; `localhost`, `127.0.0.1`, `0.0.0.0` and '' mean the host itself.
 */
export class SimNetwork {
  breakChance: number
  readonly cutChance: number
  readonly clock: SimClock
  readonly random: SimRandom
  readonly delayMsMax: number
  readonly windowBytes: number
  readonly #listeners = new Map<string, { accept: Accept; host: SimHost }>()
  readonly #open = new Set<SimConnection>()
  /** `from>to`. */
  readonly #cut = new Set<string>()
  readonly #delays = new Map<string, number>()
  readonly #off = new Set<string>()
  #memory = new Uint8Array(64 * 1024)
  #signals: { readonly from: string; readonly to: string; readonly happen: () => void }[] = []
  #nextPort = 40_000

  constructor(options: SimNetworkOptions, deps: { clock: SimClock; random: SimRandom }) {
    this.clock = deps.clock
    this.random = deps.random
    this.delayMsMax = options.delayMsMax ?? 2
    this.windowBytes = options.windowBytes ?? 256 * 1024
    this.breakChance = options.breakChance ?? 0
    this.cutChance = options.cutChance ?? 0.3
  }

  /** The network as a process on this host sees it; `clock` is the one that stops and dies with the process. */
  host(name: string, clock: ScopedClock): SimHost {
    return new SimHost(name, this, clock)
  }

  /** Nothing passes between the two hosts any more, and nobody is told. */
  partition(a: string, b: string): void {
    this.cut(a, b)
    this.cut(b, a)
  }

  /** Nothing passes from the one to the other; the other way is open. */
  cut(from: string, to: string): void {
    this.#cut.add(`${from}>${to}`)
  }

  /** What was held back between the two arrives. */
  heal(a: string, b: string): void {
    this.#cut.delete(`${a}>${b}`)
    this.#cut.delete(`${b}>${a}`)
    this.#flush()
  }

  /** Ends every partition and every delay of single links. */
  healAll(): void {
    this.#cut.clear()
    this.#delays.clear()
    this.#flush()
  }

  /** A machine without power neither answers nor refuses. */
  powerOff(host: string): void {
    this.#off.add(host)
  }
  powerOn(host: string): void {
    if (this.#off.delete(host)) this.#flush()
  }

  isCut(from: string, to: string): boolean {
    return this.#cut.has(`${from}>${to}`) || this.#off.has(from) || this.#off.has(to)
  }

  /** What goes from the one to the other takes `leastMs` and up to `delayMsMax` more. */
  slow(from: string, to: string, leastMs: number): void {
    this.#delays.set(`${from}>${to}`, leastMs)
  }

  delayMs(from: string, to: string): number {
    const least = this.#delays.size === 0 ? 0 : (this.#delays.get(`${from}>${to}`) ?? 0)
    return least + this.random.fraction() * this.delayMsMax
  }

  /** Passes a signal on, or keeps it until it can pass. */
  signal(from: string, to: string, happen: () => void): void {
    if (this.isCut(from, to)) this.#signals.push({ from, to, happen })
    else happen()
  }

  #flush(): void {
    for (const connection of this.#open) connection.poke()
    const signals = this.#signals
    this.#signals = []
    for (const { from, to, happen } of signals) this.signal(from, to, happen)
  }

  /** Memory for one chunk, until the next one. */
  lend(size: number): Uint8Array {
    if (size > this.#memory.length) this.#memory = new Uint8Array(2 * size)
    return this.#memory.subarray(0, size)
  }

  bind(key: string, entry: { accept: Accept; host: SimHost } | undefined): void {
    if (entry === undefined) this.#listeners.delete(key)
    else this.#listeners.set(key, entry)
  }

  listener(key: string): { accept: Accept; host: SimHost } | undefined {
    return this.#listeners.get(key)
  }

  freePort(): number {
    return this.#nextPort++
  }

  opened(connection: SimConnection): void {
    this.#open.add(connection)
  }
  closed(connection: SimConnection): void {
    this.#open.delete(connection)
  }

  /** Connections with an end on this host. */
  connectionsOf(host: SimHost): SimConnection[] {
    return [...this.#open].filter((connection) => connection.host === host)
  }
}

/** The Network port of one process. */
export class SimHost implements Network {
  readonly name: string
  readonly clock: ScopedClock
  readonly #network: SimNetwork
  readonly #bound = new Set<string>()

  constructor(name: string, network: SimNetwork, clock: ScopedClock) {
    this.name = name
    this.#network = network
    this.clock = clock
  }

  listen(address: Address, accept: Accept): Promise<Listener> {
    const port = address.port === 0 ? this.#network.freePort() : address.port
    const key = `${this.name}:${port}`
    if (this.#network.listener(key) !== undefined) return Promise.reject(systemError('EADDRINUSE', key))
    this.#network.bind(key, { accept, host: this })
    this.#bound.add(key)
    const close = () => {
      this.#unbind(key)
      return Promise.resolve()
    }
    return Promise.resolve({ address: { host: address.host, port }, close })
  }

  connect(address: Address, timeoutMs: number, signal?: AbortSignal): Promise<Connection> {
    const target = isSelf(address.host) ? this.name : address.host
    const key = `${target}:${address.port}`
    const { promise, resolve, reject } = Promise.withResolvers<Connection>()
    let isOver = false
    const giveUp = (code: string): void => {
      isOver = true
      timeout.cancel()
      reject(systemError(code, key))
    }
    const timeout = this.clock.setTimer(timeoutMs, () => giveUp('ETIMEDOUT'))
    const abandon = () => giveUp('ECANCELED')
    signal?.addEventListener('abort', abandon, { once: true })
    const shakeHands = (retryMs: number): void => {
      if (isOver) return
      // A handshake needs both ways; what is lost is sent again, each time after twice as long.
      if (this.#network.isCut(this.name, target) || this.#network.isCut(target, this.name)) {
        this.clock.setTimer(retryMs, () => shakeHands(2 * retryMs))
        return
      }
      timeout.cancel()
      signal?.removeEventListener('abort', abandon)
      const entry = this.#network.listener(key)
      if (entry === undefined) reject(systemError('ECONNREFUSED', key))
      else resolve(this.#establish(entry, address.port))
    }
    const delayMs = this.#network.delayMs(this.name, target) + this.#network.delayMs(target, this.name)
    this.clock.setTimer(delayMs, () => shakeHands(SYN_RETRY_MS))
    return promise
  }

  /** The process is gone: its listeners refuse, its connections are reset at the other end. */
  kill(): void {
    for (const key of this.#bound) this.#network.bind(key, undefined)
    for (const connection of this.#network.connectionsOf(this)) connection.abandon()
  }

  /** The process goes on: what has come for it while it was stopped. */
  resumed(): void {
    for (const connection of this.#network.connectionsOf(this)) connection.pokePeer()
  }

  /** The kernel of the other machine takes the connection, whether its process runs or is stopped. */
  #establish(entry: { accept: Accept; host: SimHost }, port: number): Connection {
    const here = { host: this.name, port: this.#network.freePort() }
    const there = { host: entry.host.name, port }
    const client = new SimConnection(this, here, there, this.#network)
    const server = new SimConnection(entry.host, there, here, this.#network)
    client.join(server)
    server.join(client)
    entry.host.clock.enter(() => entry.accept(server))
    return client
  }

  #unbind(key: string): void {
    this.#network.bind(key, undefined)
    this.#bound.delete(key)
  }
}

/** One end of a connection. */
class SimConnection implements Connection {
  readonly host: SimHost
  readonly local: Address
  readonly remote: Address
  readonly #network: SimNetwork
  #peer: SimConnection | undefined
  #receive: ((chunk: Uint8Array) => void) | undefined
  #closed: ((error: Error | undefined) => void) | undefined
  #drained: (() => void) | undefined
  /** Written here, not yet received there. */
  readonly #outgoing = new SendQueue()
  #isEnding = false
  #isOver = false
  #isPaused = false
  #mustDrain = false
  #delivery: Timer | undefined

  constructor(host: SimHost, local: Address, remote: Address, network: SimNetwork) {
    this.host = host
    this.local = local
    this.remote = remote
    this.#network = network
    network.opened(this)
  }

  join(peer: SimConnection): void {
    this.#peer = peer
  }

  onData(receive: (chunk: Uint8Array) => void): void {
    this.#receive = receive
    this.pokePeer()
  }
  onClose(closed: (error: Error | undefined) => void): void {
    this.#closed = closed
  }
  onDrain(drained: () => void): void {
    this.#drained = drained
  }

  write(buffers: readonly Uint8Array[], sent?: () => void): boolean {
    if (this.#isOver || this.#isEnding) return true
    if (this.#network.random.chance(this.#network.breakChance)) {
      this.#break()
      return true
    }
    for (const buffer of buffers) this.#outgoing.push(buffer)
    this.poke()
    sent?.()
    this.#mustDrain ||= this.#outgoing.bytes > this.#network.windowBytes
    return !this.#mustDrain
  }

  queuedBytes(): number {
    return this.#outgoing.bytes
  }

  pause(): void {
    this.#isPaused = true
  }
  resume(): void {
    this.#isPaused = false
    this.pokePeer()
  }

  end(): void {
    this.#isEnding = true
    this.poke()
  }

  destroy(): void {
    if (this.#isOver) return
    this.#finish(undefined)
    this.#resetPeer()
  }

  /** The process that held this end is gone: no callback of it runs any more. */
  abandon(): void {
    this.#receive = undefined
    this.#closed = undefined
    this.#drained = undefined
    this.destroy()
  }

  reset(): void {
    if (!this.#isOver) this.#finish(systemError('ECONNRESET', `${this.remote.host}:${this.remote.port}`))
  }

  /** As `poke`, for what comes in. */
  pokePeer(): void {
    this.#peer?.poke()
  }

  /** Sees to it that what is outgoing is on its way. */
  poke(): void {
    if (this.#delivery !== undefined || this.#isOver) return
    if (this.#outgoing.bytes === 0 && !this.#isEnding) return
    this.#delivery = this.#later(() => this.#deliver())
  }

  #deliver(): void {
    this.#delivery = undefined
    const peer = this.#peer
    if (peer === undefined || this.#isOver) return
    if (this.#network.isCut(this.host.name, this.remote.host) || !peer.isReading) return
    const lent = this.#take()
    if (lent === undefined) {
      if (this.#isEnding) this.#over(peer)
      return
    }
    peer.#receive?.(lent)
    // The memory is the host's: who keeps a chunk finds nonsense in it.
    lent.fill(0xdb)
    if (this.#mustDrain && this.#outgoing.bytes === 0 && !this.#isOver) {
      this.#mustDrain = false
      this.host.clock.enter(() => this.#drained?.())
    }
    this.poke()
  }

  get isReading(): boolean {
    return this.#receive !== undefined && !this.#isPaused && !this.#isOver && !this.host.clock.isStopped
  }

  /** Some or all of what is outgoing, as one chunk. */
  #take(): Uint8Array | undefined {
    const { bytes } = this.#outgoing
    if (bytes === 0) return undefined
    const isWhole = !this.#network.random.chance(this.#network.cutChance)
    const chunk = this.#network.lend(isWhole ? bytes : this.#network.random.between(1, bytes))
    this.#outgoing.take(chunk)
    return chunk
  }

  #over(peer: SimConnection): void {
    this.#finish(undefined)
    peer.#finish(undefined)
  }

  #break(): void {
    this.reset()
    this.#resetPeer()
  }

  #resetPeer(): void {
    const peer = this.#peer
    if (peer === undefined) return
    this.#later(() => this.#network.signal(this.host.name, peer.host.name, () => peer.reset()))
  }

  #finish(error: Error | undefined): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#outgoing.clear()
    this.#network.closed(this)
    this.host.clock.enter(() => this.#closed?.(error))
  }

  /** The network's doing, so it goes on when the process dies. */
  #later(happen: () => void): Timer {
    return this.#network.clock.setTimer(this.#network.delayMs(this.local.host, this.remote.host), happen)
  }
}
