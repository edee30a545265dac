/** A broken invariant of our own code: never caused by input, always a bug. */
export class InvariantError extends Error {
  readonly code = 'BROKEN_INVARIANT'
}

/** Asserts that `condition` holds; on in production. */
export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new InvariantError(message)
}
