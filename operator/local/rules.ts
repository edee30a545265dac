import { CelError, compile } from './cel.ts'
import type { Rule, Schema } from './schema.ts'

/**
 * What the CEL rules of `schema` refuse about `value`, which has its defaults and no other problems: one line a problem, each beginning with its
 * path. Rules about what a value was before say nothing about what is new.
 */
export function brokenRules(schema: Schema, value: unknown, path = ''): string[] {
  const rules = (schema['x-kubernetes-validations'] ?? []).filter(({ rule }) => !/\boldSelf\b/.test(rule))
  const broken = rules.filter(({ rule }) => !holds(rule, value))
  return [...broken.map((rule) => located(wordsOf(rule, value), path)), ...brokenBelow(schema, value, path)]
}

/** A rule that has no result is broken, as API servers have it. */
function holds(rule: string, self: unknown): boolean {
  const evaluate = compile(rule)
  try {
    return evaluate({ self }) === true
  } catch (error) {
    if (!(error instanceof CelError)) throw error
    return false
  }
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
  return messageExpression === undefined ? message : String(compile(messageExpression)({ self }))
}

/** Most messages begin with the path, but without the place in a list. */
function located(words: string, path: string): string {
  return words.startsWith(path) ? words : `${path}: ${words}`
}
