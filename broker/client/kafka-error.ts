import { errorName, isRetriable } from '../protocol/errors.ts'

/**
 * A request that failed. `code` is the name of Kafka's error code: the broker's, or, for what fails on this side, that which Kafka's own
 * clients give: NETWORK_EXCEPTION (no connection, a lost one, an answer that cannot be read), REQUEST_TIMED_OUT, UNSUPPORTED_VERSION,
 * BROKER_NOT_AVAILABLE.
 */
export class KafkaError extends Error {
  readonly code: string
  /** Whether the same request may succeed later. */
  readonly isRetriable: boolean

  constructor(code: string, message: string, options: { readonly isRetriable: boolean; readonly cause?: unknown }) {
    super(message, { cause: options.cause })
    this.code = code
    this.isRetriable = options.isRetriable
  }

  /** The error of a response; `message` is the broker's, which may be missing. */
  static fromCode(code: number, message: string | null = null): KafkaError {
    const name = errorName(code)
    return new KafkaError(name, message ?? name, { isRetriable: isRetriable(code) })
  }

  /** The connection could not be made, broke, or is of no use any more. */
  static network(message: string, cause?: unknown): KafkaError {
    return new KafkaError('NETWORK_EXCEPTION', message, { isRetriable: true, cause })
  }
}
