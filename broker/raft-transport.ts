import type { Traffic } from './client/connection.ts'
import { Peer } from './client/peer.ts'
import type { Clock } from './env/clock.ts'
import type { Address, Network } from './env/network.ts'
import { ApiKey } from './protocol/api-key.ts'
import type { RequestInputOf, ResponseOf } from './protocol/apis.ts'
import type { RaftApi, RaftTransport } from './raft/raft-types.ts'

export interface PeerTransportOptions {
  readonly clientId: string
  /** Also for making the connection. */
  readonly requestTimeoutMs: number
}

/** A request to another controller that was not answered. */
export class RaftTransportError extends Error {
  /** Nobody listens there. */
  readonly isRefused: boolean

  constructor(address: Address, cause: unknown) {
    super(`No answer from the controller at ${address.host}:${address.port}: ${String(cause)}`, { cause })
    this.isRefused = systemCode(cause) === 'ECONNREFUSED'
  }
}

/**
 * The way from one controller to others: to each address one connection for fetches, which wait there for records, and one for all else,
 * which must not wait behind them.
 */
export class PeerTransport implements RaftTransport {
  /** Of all connections, since the start. */
  readonly traffic: Traffic = { requests: 0, responses: 0, sentBytes: 0, receivedBytes: 0 }
  readonly #options: PeerTransportOptions
  readonly #deps: { readonly network: Network; readonly clock: Clock }
  readonly #peers = new Map<string, Peer>()

  constructor(options: PeerTransportOptions, deps: { readonly network: Network; readonly clock: Clock }) {
    this.#options = options
    this.#deps = deps
  }

  /** Rejects with RaftTransportError. */
  async request<K extends RaftApi>(
    to: Address,
    key: K,
    body: RequestInputOf<K>,
    timeoutMs: number,
  ): Promise<ResponseOf<K>> {
    try {
      return await this.#peer(to, key === ApiKey.Fetch).request(key, body, timeoutMs)
    } catch (error) {
      throw new RaftTransportError(to, error)
    }
  }

  #peer(address: Address, isFetch: boolean): Peer {
    const name = `${address.host}:${address.port}${isFetch ? ' fetch' : ''}`
    const known = this.#peers.get(name)
    if (known !== undefined) return known
    const { clientId, requestTimeoutMs } = this.#options
    const peer = new Peer(
      { address, clientId, connectTimeoutMs: requestTimeoutMs, requestTimeoutMs },
      { network: this.#deps.network, clock: this.#deps.clock, traffic: this.traffic },
    )
    this.#peers.set(name, peer)
    return peer
  }

  /** Closes all connections; what is pending is rejected. */
  close(): void {
    for (const peer of this.#peers.values()) peer.close()
  }
}

/** The system's code of what went wrong, behind the errors that wrap it. */
function systemCode(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined
  const code = 'code' in error && typeof error.code === 'string' ? error.code : undefined
  return systemCode(error.cause) ?? code
}
