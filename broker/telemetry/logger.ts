import type { Clock } from '../env/clock.ts'
import type { LogLevel, LogThreshold } from './log-threshold.ts'

/**
 * One event a call: its fields, then what happened, as a phrase that is the same every time. An error goes in the field `err`.
 * No field may hold a secret.
 */
export interface Logger {
  /** A logger that adds these fields to every event. */
  child(bindings: object): Logger
  debug(fields: object, message: string): void
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
}

/** Where lines go: one JSON object each, with its newline. */
export interface LogDestination {
  write(line: string): void
}

/**
 * A logger that writes the events that `threshold` admits as JSON lines: level, time (ms since the epoch), fields, msg. They are as pino's; pino
 * itself takes an eighth of the broker's start to load.
 */
export function createLogger(options: { readonly threshold: LogThreshold }, deps: LoggerDeps): Logger {
  return new JsonLogger(options.threshold, '', deps)
}

interface LoggerDeps {
  readonly clock: Clock
  readonly destination: LogDestination
}

class JsonLogger implements Logger {
  readonly #threshold: LogThreshold
  /** Of every event: members of a JSON object, each with a comma in front. */
  readonly #bindings: string
  readonly #deps: LoggerDeps

  constructor(threshold: LogThreshold, bindings: string, deps: LoggerDeps) {
    this.#threshold = threshold
    this.#bindings = bindings
    this.#deps = deps
  }

  child(bindings: object): Logger {
    return new JsonLogger(this.#threshold, this.#bindings + membersOf(bindings), this.#deps)
  }

  debug(fields: object, message: string): void {
    this.#write('debug', fields, message)
  }
  info(fields: object, message: string): void {
    this.#write('info', fields, message)
  }
  warn(fields: object, message: string): void {
    this.#write('warn', fields, message)
  }
  error(fields: object, message: string): void {
    this.#write('error', fields, message)
  }

  #write(level: LogLevel, fields: object, message: string): void {
    if (!this.#threshold.admits(level)) return
    const head = `{"level":"${level}","time":${this.#deps.clock.wallMs()}`
    this.#deps.destination.write(`${head}${this.#bindings}${membersOf(fields)},"msg":${JSON.stringify(message)}}\n`)
  }
}

/** The fields as members of a JSON object, each with a comma in front; what is undefined is left out. */
function membersOf(fields: object): string {
  return Object.entries(fields)
    .map(([name, value]): [string, string | undefined] => [JSON.stringify(name), textOf(value)])
    .map(([name, text]) => (text === undefined ? '' : `,${name}:${text}`))
    .join('')
}

/** An event is written whatever is in it: a value that is no JSON becomes a text. */
function textOf(value: unknown): string | undefined {
  try {
    return JSON.stringify(value, plain)
  } catch {
    return JSON.stringify(String(value))
  }
}

/** What JSON.stringify would lose, or fail at. */
function plain(_name: string, value: unknown): unknown {
  if (typeof value === 'bigint') return String(value)
  return value instanceof Error ? errorFields(value) : value
}

/**
 * What is tried again is trouble elsewhere, of which a stack tells nothing. To make the first one takes tens of ms, and every broker would do so at
 * the same time: when the active controller goes.
 */
function errorFields(error: Error & { readonly isRetriable?: boolean }): object {
  const { message, cause } = error
  const origin = error.isRetriable === true ? { cause: told(cause) } : { stack: error.stack, cause }
  return Object.assign({ type: error.constructor.name, message, ...origin }, error)
}

function told(cause: unknown): unknown {
  return cause instanceof Error ? cause.message : cause
}
