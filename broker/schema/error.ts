/**
 * MALFORMED: bytes that are not what the schema says. UNENCODABLE: a value that the schema cannot carry (null in a version without
 * null, a number out of range): a bug of the caller. UNSUPPORTED_VERSION: a version that the message does not have.
 */
export type SchemaErrorCode = 'MALFORMED' | 'UNENCODABLE' | 'UNSUPPORTED_VERSION'

/** A message that cannot be decoded or encoded. `path` names the field: `topicData[3].partitionData[0].records`. */
export class SchemaError extends Error {
  readonly code: SchemaErrorCode
  readonly reason: string
  readonly path: string

  constructor(code: SchemaErrorCode, reason: string, path = '', cause?: unknown) {
    super(path === '' ? reason : `${path}: ${reason}`, { cause })
    this.code = code
    this.reason = reason
    this.path = path
  }
}

/** The same failure seen from the struct or array around it. What is no SchemaError was thrown by an encoder: a value of a wrong type. */
export function within(error: unknown, segment: string): SchemaError {
  if (!(error instanceof SchemaError)) {
    const reason = error instanceof Error ? error.message : String(error)
    return new SchemaError('UNENCODABLE', reason, segment, error)
  }
  const separator = error.path === '' || error.path.startsWith('[') ? '' : '.'
  return new SchemaError(error.code, error.reason, `${segment}${separator}${error.path}`, error.cause)
}
