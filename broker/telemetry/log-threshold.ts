/** Levels of events, from the one that tells most on. */
export const LOG_LEVELS = ['debug', 'info', 'warn', 'error'] as const
export type LogLevel = (typeof LOG_LEVELS)[number]

/** Kafka's names of levels, each with the level of events from which on it shows them: there is nothing beyond the first or the last of ours. */
const SHOWN_FROM: ReadonlyMap<string, LogLevel> = new Map([
  ['DEBUG', 'debug'],
  ['ERROR', 'error'],
  ['FATAL', 'error'],
  ['INFO', 'info'],
  ['TRACE', 'debug'],
  ['WARN', 'warn'],
])

/** Kafka's names of levels, sorted. */
export const LEVEL_NAMES: readonly string[] = [...SHOWN_FROM.keys()]

/** From which level on events are written; it may change while the process runs. */
export class LogThreshold {
  #name: string
  #least = 0

  constructor(level: LogLevel) {
    this.#name = level.toUpperCase()
    this.set(this.#name)
  }

  /** One of LEVEL_NAMES. */
  get name(): string {
    return this.#name
  }

  /** `name`: one of LEVEL_NAMES. */
  set(name: string): void {
    const level = SHOWN_FROM.get(name)
    if (level === undefined) return
    this.#name = name
    this.#least = LOG_LEVELS.indexOf(level)
  }

  admits(level: LogLevel): boolean {
    return LOG_LEVELS.indexOf(level) >= this.#least
  }
}
