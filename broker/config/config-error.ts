/** What is wrong with one key. `message` names the key, the value and what is allowed. */
export interface ConfigProblem {
  readonly key: string
  readonly value: string | null
  readonly message: string
}

/** A configuration that cannot be used; all its problems at once. */
export class ConfigError extends Error {
  readonly code = 'INVALID_CONFIG'
  readonly problems: readonly ConfigProblem[]
  constructor(problems: readonly ConfigProblem[]) {
    super(problems.map(({ message }) => message).join('\n'))
    this.problems = problems
  }
}

/** In Kafka's words. */
export function invalidValue(name: string, value: string, why: string): string {
  return `Invalid value ${value} for configuration ${name}: ${why}`
}
