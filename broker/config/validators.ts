import { invalidValue } from './config-error.ts'
import type { ConfigValue } from './key.ts'

/** Checks a parsed value; the messages are those of Kafka's ConfigDef validators. */
export interface Validator {
  /** What is allowed, for people. */
  readonly allowed: string
  /** The problem in full, undefined where there is none. */
  check(name: string, value: ConfigValue, text: string): string | undefined
}

export function atLeast(least: number): Validator {
  return range(least, undefined)
}

export function between(least: number, most: number): Validator {
  return range(least, most)
}

function range(least: number, most: number | undefined): Validator {
  return {
    allowed: most === undefined ? `[${least},...]` : `[${least},...,${most}]`,
    check: (name, value, text) => {
      if (typeof value !== 'number') return undefined
      if (value < least) return invalidValue(name, text, `Value must be at least ${least}`)
      if (most !== undefined && value > most) return invalidValue(name, text, `Value must be no more than ${most}`)
      return undefined
    },
  }
}

export function oneOf(...allowed: readonly string[]): Validator {
  return {
    allowed: `[${allowed.join(', ')}]`,
    check: (name, value, text) =>
      typeof value === 'string' && !allowed.includes(value)
        ? invalidValue(name, text, `String must be one of: ${allowed.join(', ')}`)
        : undefined,
  }
}

export function oneOfIgnoringCase(...allowed: readonly string[]): Validator {
  return {
    allowed: `(case insensitive) [${allowed.join(', ')}]`,
    check: (name, value, text) =>
      typeof value === 'string' && !allowed.includes(value.toUpperCase())
        ? invalidValue(name, text, `String must be one of (case insensitive): ${allowed.join(', ')}`)
        : undefined,
  }
}

/** A list of any of `allowed`. */
export function eachOf(...allowed: readonly string[]): Validator {
  return {
    allowed: `[${allowed.join(', ')}]`,
    check: (name, value) => {
      if (!Array.isArray(value)) return undefined
      const wrong = value.find((item) => !allowed.includes(String(item)))
      if (wrong === undefined) return undefined
      if (wrong === '') return `Configuration '${name}' values must not be empty.`
      return invalidValue(name, String(wrong), `String must be one of: ${allowed.join(', ')}`)
    },
  }
}

/** A list of at least one of `allowed`. */
export function nonEmptyEachOf(...allowed: readonly string[]): Validator {
  const items = eachOf(...allowed)
  return {
    allowed: items.allowed,
    check: (name, value, text) => emptyList(name, value, items.allowed) ?? items.check(name, value, text),
  }
}

export const NON_EMPTY_LIST: Validator = {
  allowed: 'a non-empty list',
  check: (name, value) => emptyList(name, value, 'any non-empty value'),
}

function emptyList(name: string, value: ConfigValue, allowed: string): string | undefined {
  if (!Array.isArray(value) || value.length > 0) return undefined
  return `Configuration '${name}' must not be empty. Valid values include: ${allowed}`
}

export const NON_EMPTY: Validator = {
  allowed: 'non-empty string',
  check: (name, value, text) => (value === '' ? invalidValue(name, text, 'String must be non-empty') : undefined),
}

export const GZIP_LEVEL: Validator = {
  allowed: '[1,...,9] or -1',
  check: (name, value, text) => {
    if (typeof value !== 'number' || value === -1 || (value >= 1 && value <= 9)) return undefined
    return invalidValue(name, text, 'Value must be between 1 and 9 or equal to -1')
  },
}

const REPLICA_LIST = '[partitionId]:[brokerId],[partitionId]:[brokerId],...'

export const THROTTLED_REPLICAS: Validator = {
  allowed: REPLICA_LIST,
  check: (name, value) => {
    if (!Array.isArray(value)) return undefined
    // As Apache Kafka does: a comma too many is nobody's replica.
    const items = value.map(String).filter((item) => item !== '')
    if (items.join() === '*' || items.every((item) => /^\d+:\d+$/.test(item))) return undefined
    const why = `${name} must be the literal '*' or a list of replicas in the following format: ${REPLICA_LIST}`
    return invalidValue(name, `[${items.join(', ')}]`, why)
  },
}

/** KIP-932: where a share group starts. */
export const SHARE_OFFSET_RESET: Validator = {
  allowed: "'earliest', 'latest' or 'by_duration:<PnDTnHnMn.nS>'",
  check: (name, value, text) => {
    if (typeof value !== 'string' || /^(earliest|latest)$/i.test(value) || isDuration(value)) return undefined
    const why = `Invalid value \`${value}\` for configuration ${name}. The value must be either 'earliest', 'latest' or of the format 'by_duration:<PnDTnHnMn.nS>'.`
    return invalidValue(name, text, why)
  },
}

/** ISO 8601 as java.time.Duration reads it, and not negative. */
function isDuration(value: string): boolean {
  const match = /^by_duration:P(\d+D)?(T(?=\d)(\d+H)?(\d+M)?(\d+(\.\d{1,9})?S)?)?$/i.exec(value)
  return match !== null && (match[1] !== undefined || match[2] !== undefined)
}
