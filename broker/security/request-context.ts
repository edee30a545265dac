/** Who asks. Without authentication everybody is `User:ANONYMOUS`, as in Apache Kafka. */
export interface Principal {
  readonly type: string
  readonly name: string
}

export const ANONYMOUS: Principal = { type: 'User', name: 'ANONYMOUS' }

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
}
