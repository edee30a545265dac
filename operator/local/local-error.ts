/** What the user can put right: printed without a stack. */
export class LocalError extends Error {
  readonly code = 'LOCAL'
}
