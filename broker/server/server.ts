import type { Clock, Timer } from '../env/clock.ts'
import type { Connection, Listener, Network } from '../env/network.ts'
import type { TlsContext, TlsHandshakeError } from '../env/tls.ts'
import { BufferPool } from '../lib/buffer-pool.ts'
import type { Logger } from '../telemetry/logger.ts'
import { WarningPace } from '../telemetry/warning-pace.ts'
import { type Dispatcher, type RequestsInProgress, ServerConnection } from './connection.ts'

export interface ListenerOptions {
  readonly name: string
  readonly host: string
  /** 0 takes a free port. */
  readonly port: number
  /** socket.listen.backlog.size */
  readonly backlog?: number
}

/** How many connections there may be. Asked for each that comes: limits change at run time. */
export interface ConnectionLimits {
  /** max.connections of the whole broker, or fewer where the process may not have so many open */
  readonly total: () => number
  /** What the process may have open: as in Apache Kafka, max.connections does not keep other nodes out. */
  readonly ofProcess: () => number
  /** max.connections.per.ip, with max.connections.per.ip.overrides */
  readonly ofAddress: (address: string) => number
  /** listener.name.<listener>.max.connections */
  readonly ofListener: (listener: string) => number
}

export interface SocketServerOptions {
  /** socket.request.max.bytes */
  readonly maxFrameBytes: number
  /** connections.max.idle.ms; negative: never */
  readonly maxIdleMs: number
  readonly limits: ConnectionLimits
  /** Listeners that other nodes use: clients cannot keep them out. None where this is left out. */
  readonly isProtected?: (listener: string) => boolean
  /** Whether answers wait until others have been taken. Never where this is left out. */
  readonly isRoomWanted?: () => boolean
}

export interface SocketServerDeps {
  readonly network: Network
  readonly clock: Clock
  readonly logger: Logger
}

/** How often idle connections are looked for, at most. */
const IDLE_CHECK_MS = 10_000
/** How often it is asked whether room is wanted. */
const ROOM_CHECK_MS = 1000
/** For so long a client may take nothing of an answer while others wait for the room that it takes. */
const STALLED_MS_MAX = 5000

/** Accepts connections on any number of listeners, within the limits on their number and idleness. */
export class SocketServer implements AsyncDisposable {
  readonly #options: SocketServerOptions
  readonly #deps: SocketServerDeps
  readonly #memory = new BufferPool()
  readonly #inProgress: RequestsInProgress = { bytes: 0 }
  readonly #listeners = new Map<string, Listener>()
  readonly #connections = new Set<ServerConnection>()
  readonly #perAddress = new Map<string, number>()
  readonly #perListener = new Map<string, number>()
  readonly #createdPerListener = new Map<string, number>()
  #idleTimer: Timer | undefined
  #roomTimer: Timer | undefined
  /** Who is refused comes again at once. */
  readonly #pace = new WarningPace()
  /** So does who is not trusted, or does not trust. */
  readonly #handshakePace = new WarningPace()
  readonly #stalledPace = new WarningPace()

  constructor(options: SocketServerOptions, deps: SocketServerDeps) {
    this.#options = options
    this.#deps = deps
    this.#scheduleIdleCheck()
    this.#scheduleRoomCheck()
  }

  /**
   * Starts a listener, with TLS where `tls` gives what new connections are made with; rejects with the system's error (EADDRINUSE, …).
   * Returns the port it got.
   */
  async listen(options: ListenerOptions, dispatcher: Dispatcher, tls?: () => TlsContext): Promise<number> {
    const { name, ...address } = options
    const accept = (connection: Connection): void => this.#accept(connection, name, dispatcher)
    const listener = await this.#deps.network.listen(address, accept, tls)
    this.#listeners.set(name, listener)
    return listener.address.port
  }

  connectionCount(listener: string): number {
    return this.#perListener.get(listener) ?? 0
  }

  /** Connections since the start, without those that were refused. */
  createdCount(listener: string): number {
    return this.#createdPerListener.get(listener) ?? 0
  }

  #accept(connection: Connection, listener: string, dispatcher: Dispatcher): void {
    const address = connection.remote.host
    const fromAddress = this.#perAddress.get(address) ?? 0
    if (fromAddress >= this.#options.limits.ofAddress(address) || !this.#hasRoom(listener)) {
      this.#warn({ client: address, listener, connections: this.#connections.size, fromAddress })
      connection.destroy()
      return
    }
    this.#perAddress.set(address, fromAddress + 1)
    this.#perListener.set(listener, this.connectionCount(listener) + 1)
    this.#createdPerListener.set(listener, this.createdCount(listener) + 1)
    const served = new ServerConnection(
      connection,
      { listener, maxFrameBytes: this.#options.maxFrameBytes },
      {
        dispatcher,
        logger: this.#deps.logger,
        clock: this.#deps.clock,
        memory: this.#memory,
        inProgress: this.#inProgress,
        onHandshakeFailed: (client, error) => this.#handshakeFailed(client, error),
        onClosed: (closed) => this.#forget(closed),
      },
    )
    this.#connections.add(served)
  }

  #warn(fields: object): void {
    const refused = this.#pace.next(this.#deps.clock.monotonicMs())
    if (refused === undefined) return
    this.#deps.logger.warn(
      { ...fields, refused },
      'refused a connection: max.connections, max.connections.per.ip or the limit on open files (ulimit -n) is reached',
    )
  }

  #handshakeFailed({ listener, clientAddress }: ServerConnection, { message }: TlsHandshakeError): void {
    const failed = this.#handshakePace.next(this.#deps.clock.monotonicMs())
    if (failed === undefined) return
    this.#deps.logger.warn(
      { client: clientAddress, listener, reason: message, failed },
      'closed a connection: the TLS handshake failed',
    )
  }

  /** For another node there is room as long as there are clients: as in Apache Kafka, who has been quiet for longest goes. */
  #hasRoom(listener: string): boolean {
    const { limits, isProtected } = this.#options
    if (this.connectionCount(listener) >= limits.ofListener(listener)) return false
    const maxConnections = limits.total()
    if (this.#connections.size < maxConnections) return true
    if (isProtected?.(listener) !== true) return false
    let quiet: ServerConnection | undefined
    for (const each of this.#connections) {
      if (!isProtected(each.listener) && (quiet === undefined || each.idleSinceMs < quiet.idleSinceMs)) quiet = each
    }
    if (quiet === undefined) return this.#connections.size < limits.ofProcess()
    const client = quiet.clientAddress
    this.#deps.logger.warn({ client, listener, maxConnections }, 'closed a connection to make room for another node')
    quiet.close()
    this.#forget(quiet)
    return true
  }

  #forget(connection: ServerConnection): void {
    if (!this.#connections.delete(connection)) return
    const left = (this.#perAddress.get(connection.clientAddress) ?? 1) - 1
    if (left > 0) this.#perAddress.set(connection.clientAddress, left)
    else this.#perAddress.delete(connection.clientAddress)
    this.#perListener.set(connection.listener, this.connectionCount(connection.listener) - 1)
  }

  #scheduleIdleCheck(): void {
    if (this.#options.maxIdleMs < 0) return
    this.#idleTimer = this.#deps.clock.setTimer(Math.min(IDLE_CHECK_MS, this.#options.maxIdleMs), () => {
      const limit = this.#deps.clock.monotonicMs() - this.#options.maxIdleMs
      for (const connection of this.#connections) {
        connection.lookForProgress()
        if (connection.idleSinceMs < limit) connection.close()
      }
      this.#scheduleIdleCheck()
    })
  }

  #scheduleRoomCheck(): void {
    const { isRoomWanted } = this.#options
    if (isRoomWanted === undefined) return
    this.#roomTimer = this.#deps.clock.setTimer(ROOM_CHECK_MS, () => {
      if (isRoomWanted()) this.#makeRoom()
      this.#scheduleRoomCheck()
    })
  }

  #makeRoom(): void {
    for (const connection of this.#connections) {
      connection.lookForProgress()
      if (connection.stalledMs < STALLED_MS_MAX) continue
      this.#warnOfStalled(connection)
      connection.close()
    }
  }

  #warnOfStalled({ listener, clientAddress }: ServerConnection): void {
    const closed = this.#stalledPace.next(this.#deps.clock.monotonicMs())
    if (closed === undefined) return
    this.#deps.logger.warn(
      { client: clientAddress, listener, closed },
      'closed a connection: the client does not take its answer, and others wait for the memory',
    )
  }

  /** Stops accepting, then drops the connections. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#idleTimer?.cancel()
    this.#roomTimer?.cancel()
    const closing = [...this.#listeners.values()].map((listener) => listener.close())
    for (const connection of this.#connections) connection.close()
    await Promise.all(closing)
  }
}
