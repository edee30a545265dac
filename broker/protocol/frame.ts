import { Reader } from '../schema/reader.ts'
import { Writer } from '../schema/writer.ts'
import { type Api, requestHeaderVersion, responseHeaderVersion } from './api.ts'
import { apiOf } from './apis.ts'
import { type RequestHeader, requestHeader, responseHeader } from './messages/header.ts'

/** What a response from a peer may hold: metadata of the largest clusters. */
const RESPONSE_ELEMENTS_MAX = 10_000_000
const LENGTH_BYTES = 4

export interface Request {
  readonly header: RequestHeader
  /** Undefined where no API has the key. */
  readonly api: Api | undefined
  /** Whether `body` can be decoded: the API has a schema for the version. Otherwise ApiVersions is still to be answered, in version 0. */
  readonly isSupported: boolean
  /** Stands at the body. */
  readonly body: Reader
}

/** Splits a request frame, given without its length, into header and body. Throws SchemaError where the header is malformed. */
export function decodeRequest(frame: Uint8Array): Request {
  const body = new Reader(frame)
  const header = requestHeader.decode(body, 1)
  const api = apiOf(header.requestApiKey)
  const version = header.requestApiVersion
  const isSupported = api !== undefined && version >= api.versions.min && version <= api.versions.max
  // Version 2 of the header is version 1 and tagged fields, none of which is defined.
  if (isSupported && requestHeaderVersion(api, version) === 2) body.skipTags()
  return { header, api, isSupported, body }
}

/** A response frame with its length in front, in chunks; byte fields of `body` are not copied. Throws SchemaError UNENCODABLE. */
export function encodeResponse<ResponseIn>(
  api: Api<unknown, never, unknown, ResponseIn>,
  version: number,
  correlationId: number,
  body: ResponseIn,
): Uint8Array[] {
  const writer = new Writer()
  writer.int32(0)
  responseHeader.encode(writer, responseHeaderVersion(api, version), { correlationId })
  api.response.encode(writer, version, body)
  return framed(writer)
}

/** A request frame with its length in front, in chunks. Throws SchemaError UNENCODABLE. */
export function encodeRequest<RequestIn>(
  api: Api<unknown, RequestIn>,
  version: number,
  correlationId: number,
  clientId: string | null,
  body: RequestIn,
): Uint8Array[] {
  const writer = new Writer()
  writer.int32(0)
  requestHeader.encode(writer, requestHeaderVersion(api, version), {
    requestApiKey: api.key,
    requestApiVersion: version,
    correlationId,
    clientId,
  })
  api.request.encode(writer, version, body)
  return framed(writer)
}

/** The correlation id of a response frame, given without its length: it says which API and version the rest is in. */
export function correlationIdOf(frame: Uint8Array): number {
  return new Reader(frame).int32()
}

/** Decodes a response frame, given without its length. Throws SchemaError MALFORMED, also for bytes behind the message. */
export function decodeResponse<ResponseOut>(
  api: Api<unknown, never, ResponseOut>,
  version: number,
  frame: Uint8Array,
): ResponseOut {
  const reader = new Reader(frame, { maxElements: RESPONSE_ELEMENTS_MAX })
  responseHeader.decode(reader, responseHeaderVersion(api, version))
  const body = api.response.decode(reader, version)
  reader.end()
  return body
}

function framed(writer: Writer): Uint8Array[] {
  const length = writer.length - LENGTH_BYTES
  const chunks = writer.chunks()
  const first = chunks[0]
  if (first !== undefined) new DataView(first.buffer, first.byteOffset, first.byteLength).setInt32(0, length)
  return chunks
}
