import { evaluate } from './cel.ts'
import type { Rule, Schema } from './schema.ts'

/**
 * What the CEL rules of `schema` refuse about `value`, which has its defaults and no other problems: one line a problem, each beginning with its
 * path. Rules about what a value was before say nothing about what is new.
 */
export function brokenRules(schema: Schema, value: unknown, path = ''): string[] {
  const rules = (schema['x-kubernetes-validations'] ?? []).filter(({ rule }) => !/\boldSelf\b/.test(rule))
  // One that has no result is broken too, as API servers have it.
  const broken = rules.filter(({ rule }) => evaluate(rule, value) !== true)
  return [...broken.map((rule) => located(wordsOf(rule, value), path)), ...brokenBelow(schema, value, path)]
}

function brokenBelow(schema: Schema, value: unknown, path: string): string[] {
  if (Array.isArray(value)) {
    return value.flatMap((item, index) => brokenRules(schema.items ?? {}, item, `${path}[${index}]`))
  }
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([name, field]) => {
    const known = schema.properties?.[name] ?? schema.additionalProperties ?? {}
    return brokenRules(known, field, path === '' ? name : `${path}.${name}`)
  })
}

function wordsOf({ message, messageExpression }: Rule, self: unknown): string {
  const words = messageExpression === undefined ? message : evaluate(messageExpression, self)
  return typeof words === 'string' ? words : message
}

/** Most messages begin with the path, but without the place in a list. */
function located(words: string, path: string): string {
  return words.startsWith(path) ? words : `${path}: ${words}`
}
