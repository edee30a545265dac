/**
 * MALFORMED: bytes that are not what the schema says. UNENCODABLE: a value that the schema cannot carry (null in a version without
 * null, a number out of range): a bug of the caller. UNSUPPORTED_VERSION: a version that the message does not have.
 */
export type SchemaErrorCode = 'MALFORMED' | 'UNENCODABLE' | 'UNSUPPORTED_VERSION'

/** A message that cannot be decoded or encoded. `path` names the field: `topicData[3].partitionData[0].records`. */
export class SchemaError extends Error {
  readonly code: SchemaErrorCode
  readonly reason: string
  #path = ''

  constructor(code: SchemaErrorCode, reason: string, cause?: unknown) {
    super(reason, { cause })
    this.code = code
    this.reason = reason
  }

  /** `''` where the failure is not about a field. */
  get path(): string {
    return this.#path
  }

  /** Puts the field or element that the failure was in in front of the path. */
  enter(segment: string): this {
    const separator = this.#path === '' || this.#path.startsWith('[') ? '' : '.'
    this.#path = `${segment}${separator}${this.#path}`
    this.message = `${this.#path}: ${this.reason}`
    return this
  }
}

/** The failure, seen from the struct or array around it. What is no SchemaError was thrown by an encoder: a value of a wrong type. */
export function within(error: unknown, segment: string): SchemaError {
  if (error instanceof SchemaError) return error.enter(segment)
  const reason = error instanceof Error ? error.message : String(error)
  return new SchemaError('UNENCODABLE', reason, error).enter(segment)
}
