import type { LogLevel } from '../../broker/telemetry/log-threshold.ts'
import type { Logger } from '../../broker/telemetry/logger.ts'

/** A logger for tests of what is not about logging. */
export function silentLogger(): Logger {
  const logger: Logger = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {}, child: () => logger }
  return logger
}

export interface LoggedEvent {
  readonly level: LogLevel
  readonly fields: Readonly<Record<string, unknown>>
  readonly message: string
}

/** Keeps what is logged, for tests to look at. */
export class MemoryLogger implements Logger {
  readonly events: LoggedEvent[]
  readonly #bindings: object

  constructor(bindings: object = {}, events: LoggedEvent[] = []) {
    this.#bindings = bindings
    this.events = events
  }

  child(bindings: object): MemoryLogger {
    return new MemoryLogger({ ...this.#bindings, ...bindings }, this.events)
  }
  debug(fields: object, message: string): void {
    this.#log('debug', fields, message)
  }
  info(fields: object, message: string): void {
    this.#log('info', fields, message)
  }
  warn(fields: object, message: string): void {
    this.#log('warn', fields, message)
  }
  error(fields: object, message: string): void {
    this.#log('error', fields, message)
  }

  /** The messages of this level. */
  messages(level: LogLevel): string[] {
    return this.events.filter((event) => event.level === level).map(({ message }) => message)
  }

  #log(level: LogLevel, fields: object, message: string): void {
    this.events.push({ level, fields: { ...this.#bindings, ...fields }, message })
  }
}
