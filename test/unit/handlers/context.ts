import type { ApiKey } from '../../../broker/protocol/api-key.ts'
import { APIS, type RequestInputOf } from '../../../broker/protocol/apis.ts'
import { encodeRequest } from '../../../broker/protocol/frame.ts'
import { ANONYMOUS, inOwnMemory, type RequestContext } from '../../../broker/security/request-context.ts'

const LENGTH_BYTES = 4
export const CLIENT = 'tester'

/** The frame of a request, without its length, under correlation id 77. */
export function frameOf<K extends ApiKey>(key: K, version: number, body: RequestInputOf<K>): Uint8Array {
  return Buffer.concat(encodeRequest(APIS[key], version, 77, CLIENT, body)).subarray(LENGTH_BYTES)
}

export function contextOf(more: Partial<RequestContext> = {}): RequestContext {
  return {
    apiVersion: 0,
    clientId: CLIENT,
    clientAddress: '10.0.0.7',
    listener: 'PLAINTEXT',
    principal: ANONYMOUS,
    onAbandoned: () => {},
    connection: { onClosed: () => {}, isClosed: false, takenBytes: 0 },
    received: inOwnMemory(new Uint8Array(0)),
    ...more,
  }
}
