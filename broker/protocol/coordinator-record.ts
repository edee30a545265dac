import { SchemaError } from '../schema/error.ts'
import type { Message } from '../schema/message.ts'
import { Reader } from '../schema/reader.ts'
import { Writer } from '../schema/writer.ts'

/**
 * The keys and values of the coordinators' logs (`__consumer_offsets`, `__transaction_state`, `__share_group_state`): an int16, then the
 * fields. In a key the int16 says which type of record it is, and the fields are in version 0; in a value it is the schema's version.
 */
const KEY_VERSION = 0

/** Throws SchemaError UNENCODABLE. */
export function encodeRecordKey<In>(schema: Message<unknown, In>, value: In): Uint8Array {
  const writer = new Writer(64)
  writer.int16(schema.apiKey)
  schema.encode(writer, KEY_VERSION, value)
  return writer.concat()
}

/** Throws SchemaError UNENCODABLE, UNSUPPORTED_VERSION. */
export function encodeRecordValue<In>(schema: Message<unknown, In>, version: number, value: In): Uint8Array {
  const writer = new Writer(128)
  writer.int16(version)
  schema.encode(writer, version, value)
  return writer.concat()
}

/** The type of the record with this key: the `apiKey` of its schemas. Throws SchemaError MALFORMED. */
export function recordTypeOf(key: Uint8Array): number {
  return new Reader(key).int16()
}

/** Throws SchemaError MALFORMED, also where the key is of another type or has bytes behind it. */
export function decodeRecordKey<Out>(schema: Message<Out, never>, key: Uint8Array): Out {
  const reader = new Reader(key)
  const type = reader.int16()
  if (type !== schema.apiKey)
    throw new SchemaError('MALFORMED', `a key of type ${type}, ${schema.name} has ${schema.apiKey}`)
  const value = schema.decode(reader, KEY_VERSION)
  reader.end()
  return value
}

/** Throws SchemaError: MALFORMED, UNSUPPORTED_VERSION. */
export function decodeRecordValue<Out>(schema: Message<Out, never>, bytes: Uint8Array): Out {
  const reader = new Reader(bytes)
  const value = schema.decode(reader, reader.int16())
  reader.end()
  return value
}
