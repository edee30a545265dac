import type { Address, Listener } from './network.ts'

export interface HttpResponse {
  readonly status: number
  readonly contentType: string
  /** Text, or the UTF-8 of one that is long, in pieces. */
  readonly body: string | readonly Uint8Array[]
}

/** A small read-only HTTP server: GET of a path without its query. */
export interface Http {
  serve(address: Address, respond: (path: string) => Promise<HttpResponse>): Promise<Listener>
}
