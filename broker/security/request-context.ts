/** Who asks. Without authentication everybody is `User:ANONYMOUS`, as in Apache Kafka. */
export interface Principal {
  readonly type: string
  readonly name: string
}

export const ANONYMOUS: Principal = { type: 'User', name: 'ANONYMOUS' }

/** The connection that a request came on: the same object for all of its requests. */
export interface Requester {
  /** Calls `closed` when the connection ends; at once where it has. */
  onClosed(closed: () => void): void
  readonly isClosed: boolean
  /** What it has taken of all answers that it has taken whole. */
  readonly takenBytes: number
}

/** A request as it came. */
export interface Received {
  /** Header and body, without the length; empty once it is let go. */
  readonly frame: Uint8Array
  /**
   * Nobody looks at the request any more, nor at parts of it that are not staged in a log by now: its memory is used again at the end of this
   * tick, when what is staged is written. Who does not call this leaves it to the garbage collector. `heldBytes` is about what is held all the
   * same until the answer.
   */
  letGo(heldBytes: number): void
}

/** A request in memory of its own, which nobody waits to use. */
export function inOwnMemory(frame: Uint8Array): Received {
  return { frame, letGo: () => {} }
}

/** What a handler may know of the request besides its body. */
export interface RequestContext {
  readonly apiVersion: number
  /** Empty when the client sent none. */
  readonly clientId: string
  /** The peer's IP address, without the port. */
  readonly clientAddress: string
  /** Name of the listener that the request came in on. */
  readonly listener: string
  readonly principal: Principal
  /** Calls `gone` when the connection closes before the answer is sent, so that a long wait for it can end. */
  onAbandoned(gone: () => void): void
  readonly connection: Requester
  /** A broker has sent the request on for its client, in an envelope (KIP-590). */
  readonly isForwarded?: boolean
  readonly received: Received
}
