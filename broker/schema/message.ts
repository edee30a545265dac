import { SchemaError } from './error.ts'
import type { Fields, StructIn, StructOut } from './fields.ts'
import { type Decoder, generateDecoder } from './generate-decoder.ts'
import { type Encoder, generateEncoder } from './generate-encoder.ts'
import type { Reader } from './reader.ts'
import { includes, parseVersions, type VersionRange } from './versions.ts'
import type { Writer } from './writer.ts'

export interface MessageOptions {
  readonly name: string
  /** The API's key, or the type of a record. */
  readonly apiKey?: number
  /** As `3-13`. */
  readonly validVersions: string
  /** The versions in KIP-482's compact form, with tagged fields: `9+` or `none`. */
  readonly flexibleVersions: string
}

/**
 * A struct with versions. The codec of a version is generated when it is first used.
 *
 * Decoding gives every field; one that the version lacks has Kafka's default. Encoding takes any subset: what is left out has its
 * default, and what the version lacks is dropped.
 */
export class Message<Out, In> {
  readonly name: string
  /** -1 where there is none. */
  readonly apiKey: number
  readonly versions: VersionRange
  readonly fields: Fields
  readonly #flexibleVersions: VersionRange
  readonly #decoders: (Decoder<Out> | undefined)[] = []
  readonly #encoders: (Encoder<In> | undefined)[] = []

  constructor(options: MessageOptions, fields: Fields) {
    this.name = options.name
    this.apiKey = options.apiKey ?? -1
    this.versions = parseVersions(options.validVersions)
    this.#flexibleVersions = parseVersions(options.flexibleVersions)
    this.fields = fields
  }

  isFlexible(version: number): boolean {
    return includes(this.#flexibleVersions, version)
  }

  /** Reads one message and leaves the reader behind it. Throws SchemaError: MALFORMED, UNSUPPORTED_VERSION. */
  decode(reader: Reader, version: number): Out {
    const decoder = (this.#decoders[version] ??= generateDecoder(
      this.fields,
      this.#supported(version),
      this.isFlexible(version),
    ))
    return decoder(reader)
  }

  /** Appends one message. Throws SchemaError: UNENCODABLE, UNSUPPORTED_VERSION. */
  encode(writer: Writer, version: number, value: In): void {
    const encoder = (this.#encoders[version] ??= generateEncoder(
      this.fields,
      this.#supported(version),
      this.isFlexible(version),
    ))
    encoder(writer, value)
  }

  #supported(version: number): number {
    if (includes(this.versions, version)) return version
    throw new SchemaError('UNSUPPORTED_VERSION', `${this.name} has no version ${version}`)
  }
}

/** Declares a message; `fields` are in wire order. */
export function message<const F extends Fields>(
  options: MessageOptions,
  fields: F,
): Message<StructOut<F>, StructIn<F>> {
  return new Message(options, fields)
}

/** What decoding a message gives. */
export type Infer<M> = M extends Message<infer Out, infer _> ? Out : never
/** What encoding a message takes. */
export type InferInput<M> = M extends Message<infer _, infer In> ? In : never
