import { pino } from 'pino'
import type { Clock } from '../env/clock.ts'

export type LogLevel = 'debug' | 'info' | 'warn' | 'error'

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

/** A logger that writes events of `level` and above as JSON lines: level, time (ms since the epoch), fields, msg. */
export function createLogger(
  options: { readonly level: LogLevel },
  deps: { readonly clock: Clock; readonly destination: LogDestination },
): Logger {
  return pino(
    {
      level: options.level,
      base: null,
      timestamp: () => `,"time":${deps.clock.wallMs()}`,
      formatters: { level: (label) => ({ level: label }) },
    },
    deps.destination,
  )
}
