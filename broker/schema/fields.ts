export type Kind =
  | 'int8'
  | 'int16'
  | 'uint16'
  | 'int32'
  | 'uint32'
  | 'int64'
  | 'float64'
  | 'bool'
  | 'uuid'
  | 'string'
  | 'bytes'
  | 'records'
  | 'array'
  | 'struct'

declare const types: unique symbol

/** One declared field. `Decoded` is what decoding gives, `Encoded` what encoding takes; both exist for the compiler only. */
export interface Field<Decoded = unknown, Encoded = unknown> {
  readonly kind: Kind
  readonly options: Options<unknown>
  /** Of an array. */
  readonly element?: Field
  /** Of a struct. */
  readonly fields?: Fields
  readonly [types]?: { readonly out: Decoded; readonly in: Encoded }
}

/** The fields of a struct, in wire order. */
export type Fields = Readonly<Record<string, Field>>

export interface Options<T> {
  /** Versions that have the field, as `3+`, `0-4` or `2`; all that have the struct around it when left out. */
  readonly versions?: string
  /** Versions in which the field may be null; `true`: all that have the field. */
  readonly nullable?: string | true
  /**
   * Makes it a tagged field (KIP-482): written behind the others, and only when it differs from its default. No message of Kafka
   * has a field that is tagged in some of its versions only.
   */
  readonly tag?: number
  /** False: never in compact form, even in flexible versions (the request header's client id). */
  readonly flexible?: false
  /** Text for people: where it is too long for the wire it is cut, at a character, rather than refused. */
  readonly cut?: true
  /** The value of the field where the version, or the caller, leaves it out. By itself: 0, false, '', the zero uuid, empty. */
  readonly default?: T
}

type Fixed<T> = Omit<Options<T>, 'nullable'>
type NoOptions = { readonly versions?: string }
type OrNull<O> = O extends { nullable: string | true } ? null : never
export type Out<F> = F extends Field<infer T> ? T : never
export type In<F> = F extends Field<unknown, infer T> ? T : never
export type StructOut<F extends Fields> = { [K in keyof F]: Out<F[K]> }
export type StructIn<F extends Fields> = { readonly [K in keyof F]?: In<F[K]> | undefined }

/** What `records` encodes from: bytes, or chunks of them. */
export type RecordsInput = Uint8Array | readonly Uint8Array[]

function scalar<T>(kind: Kind): (options?: Fixed<T>) => Field<T, T> {
  return (options = {}) => ({ kind, options })
}

export const int8 = scalar<number>('int8')
export const int16 = scalar<number>('int16')
export const uint16 = scalar<number>('uint16')
export const int32 = scalar<number>('int32')
export const uint32 = scalar<number>('uint32')
/** A bigint, so that any value survives. */
export const int64 = scalar<bigint>('int64')
export const float64 = scalar<number>('float64')
export const bool = scalar<boolean>('bool')
/** Kafka's 22-character base64url form. */
export const uuid = scalar<string>('uuid')

type Nullable<T, O> = Field<T | OrNull<O>, T | OrNull<O>>

/** At most 32767 bytes of UTF-8. */
export function string<const O extends Options<string | null> = NoOptions>(options?: O): Nullable<string, O> {
  return { kind: 'string', options: options ?? {} }
}

/** Decodes to a view of the frame. */
export function bytes<const O extends Options<null> = NoOptions>(options?: O): Nullable<Uint8Array, O> {
  return { kind: 'bytes', options: options ?? {} }
}

/** Record batches: on the wire as `bytes`. Decodes to a view of the frame; encodes from bytes or chunks, which are not copied. */
export function records<const O extends Options<null> = NoOptions>(
  options?: O,
): Field<Uint8Array | OrNull<O>, RecordsInput | OrNull<O>> {
  return { kind: 'records', options: options ?? {} }
}

/** `options.nullable` is about the array; elements are never null in Kafka's schemas. */
export function array<F extends Field, const O extends Options<null> = NoOptions>(
  element: F,
  options?: O,
): Field<Out<F>[] | OrNull<O>, readonly In<F>[] | OrNull<O>> {
  return { kind: 'array', element, options: options ?? {} }
}

export function struct<const F extends Fields, const O extends Options<null> = NoOptions>(
  fields: F,
  options?: O,
): Field<StructOut<F> | OrNull<O>, StructIn<F> | OrNull<O>> {
  return { kind: 'struct', fields, options: options ?? {} }
}
