import type { Logger } from '../../broker/telemetry/logger.ts'

/** A logger for tests of what is not about logging. */
export function silentLogger(): Logger {
  const logger: Logger = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {}, child: () => logger }
  return logger
}
