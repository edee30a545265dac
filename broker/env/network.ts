import type { TlsContext } from './tls.ts'

export interface Address {
  readonly host: string
  readonly port: number
}

export interface ListenAddress extends Address {
  /** How many connections may wait to be accepted; the host's own number where it is left out. */
  readonly backlog?: number
}

/** One byte stream. Events are delivered in order, none after `onClose`. */
export interface Connection {
  readonly remote: Address
  readonly local: Address
  /**
   * Sets the receiver of incoming bytes, and starts to read: the peer's end is not seen before. `chunk` is the host's, which uses it
   * again once `receive` has returned. Where `space` gives memory, the host may receive there instead: `chunk` is then the beginning
   * of what `space` gave last.
   */
  onData(receive: (chunk: Uint8Array) => void, space?: () => Uint8Array | undefined): void
  /** Called once, when the stream is over in both directions; `error` where it broke. */
  onClose(closed: (error: Error | undefined) => void): void
  /** Called when the send queue has run empty after a `write` returned false. */
  onDrain(drained: () => void): void
  /**
   * Queues `buffers` in order, without copying; they must not change until they are sent. False: wait for `onDrain`. `sent` is called when
   * the kernel has all of them; where the connection ends before, it may be called or not.
   */
  write(buffers: readonly Uint8Array[], sent?: () => void): boolean
  /** Bytes queued and not yet given to the kernel. */
  queuedBytes(): number
  /** Stops and restarts `onData`. */
  pause(): void
  resume(): void
  /** Sends what is queued, then closes. */
  end(): void
  /** Closes at once and drops what is queued. */
  destroy(): void
}

export interface Listener {
  readonly address: Address
  /** Stops accepting; established connections go on. */
  close(): Promise<void>
}

/** Sockets. */
export interface Network {
  /**
   * Port 0 takes a free port. Rejects with the system's error (EADDRINUSE, …). With `tls`, connections are encrypted, each with what it gives
   * at that moment: `accept` gets them at once, what is written waits for the handshake, and one that fails, or takes too long, is told
   * in `onClose` as a TlsHandshakeError.
   */
  listen(address: ListenAddress, accept: (connection: Connection) => void, tls?: () => TlsContext): Promise<Listener>
  /** Rejects where it takes longer, or `signal` tells meanwhile that nobody wants it any more: nothing is left of it then. */
  connect(address: Address, timeoutMs: number, signal?: AbortSignal): Promise<Connection>
}
