import { invalidValue } from './config-error.ts'
import type { ConfigKey, ConfigType, ConfigValue } from './key.ts'

/** A value as the program uses it, and as Kafka prints it. */
export interface ParsedValue {
  readonly value: ConfigValue
  /** Exact also where `value` is a number past 2^53. */
  readonly text: string
}

const INTEGER_BITS = { short: 16, int: 32, long: 64 } as const

/** The value that `text` gives `key`, or the problem with it, in the words of Kafka's ConfigDef. */
export function parseValue(key: ConfigKey, text: string): ParsedValue | { readonly problem: string } {
  const trimmed = text.trim()
  const parsed = parseType(key, trimmed)
  if (typeof parsed === 'string') return { problem: invalidValue(key.name, shown(key, text), parsed) }
  const problem = key.validator?.check(key.name, parsed.value, shown(key, parsed.text))
  return problem === undefined ? parsed : { problem }
}

function shown(key: ConfigKey, text: string): string {
  return key.type === 'password' ? '[hidden]' : text
}

/** A string says what is wrong. */
function parseType(key: ConfigKey, text: string): ParsedValue | string {
  switch (key.type) {
    case 'boolean':
      return parseBoolean(text)
    case 'short':
    case 'int':
    case 'long':
      return parseInteger(key.type, text)
    case 'double':
      return parseDouble(text)
    case 'list':
      return parseList(text)
    case 'class':
      // There is no class loader here: a class that is not what the broker does anyway would be ignored without a word.
      return text === key.default ? { value: text, text } : `Class ${text} could not be found.`
    default:
      return { value: text, text }
  }
}

function parseBoolean(text: string): ParsedValue | string {
  const lower = text.toLowerCase()
  if (lower !== 'true' && lower !== 'false') return 'Expected value to be either true or false'
  return { value: lower === 'true', text: lower }
}

function parseInteger(type: keyof typeof INTEGER_BITS, text: string): ParsedValue | string {
  if (!/^[+-]?\d+$/.test(text)) return notANumber(type)
  const exact = BigInt(text.replace(/^\+/, ''))
  if (BigInt.asIntN(INTEGER_BITS[type], exact) !== exact) return notANumber(type)
  return { value: Number(exact), text: String(exact) }
}

function parseDouble(text: string): ParsedValue | string {
  if (!/^[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?[df]?$/i.test(text)) return notANumber('double')
  const value = Number(text.replace(/[df]$/i, ''))
  return { value, text: javaDouble(value) }
}

/** As Double.toString prints it. */
function javaDouble(value: number): string {
  const size = Math.abs(value)
  if (value === 0 || (size >= 1e-3 && size < 1e7)) return Number.isInteger(value) ? `${value}.0` : String(value)
  const [digits = '', exponent = ''] = value.toExponential().split('e')
  return `${digits.includes('.') ? digits : `${digits}.0`}E${Number(exponent)}`
}

/** Without repetitions: Kafka drops them with a warning. */
function parseList(text: string): ParsedValue {
  const items = [...new Set(listItems(text))]
  return { value: items, text: items.join(',') }
}

/** The items of a list's text. */
export function listItems(text: string): string[] {
  const trimmed = text.trim()
  return trimmed === '' ? [] : trimmed.split(',').map((item) => item.trim())
}

function notANumber(type: ConfigType): string {
  return `Not a number of type ${type.toUpperCase()}`
}
