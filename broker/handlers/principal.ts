import { defaultPrincipalData } from '../protocol/messages/default-principal.ts'
import { Reader } from '../schema/reader.ts'
import { Writer } from '../schema/writer.ts'
import type { Principal } from '../security/request-context.ts'

const VERSION = 0

/** A principal as Kafka's default serde has it in an Envelope (KIP-590): the version, then DefaultPrincipalData. */
export function encodePrincipal({ type, name }: Principal): Uint8Array {
  const writer = new Writer()
  writer.int16(VERSION)
  defaultPrincipalData.encode(writer, VERSION, { type, name, tokenAuthenticated: false })
  return writer.concat()
}

/** Throws SchemaError. */
export function decodePrincipal(bytes: Uint8Array): Principal {
  const reader = new Reader(bytes)
  const { type, name } = defaultPrincipalData.decode(reader, reader.int16())
  return { type, name }
}
