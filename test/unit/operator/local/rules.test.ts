import { readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { parse } from '@bufbuild/cel'
import { expect, test } from '@jest/globals'
import { parse as parseYaml } from 'yaml'
import { evaluate } from '../../../../operator/local/cel.ts'
import { brokenRules } from '../../../../operator/local/rules.ts'

const CRDS = resolve(import.meta.dirname, '../../../../crds')

/** Every rule, and every expression for a message, of a CRD. */
function expressionsOf(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([name, field]) =>
    (name === 'rule' || name === 'messageExpression') && typeof field === 'string' ? [field] : expressionsOf(field),
  )
}

/** The functions and operators that a parsed expression calls. */
function functionsOf(node: unknown): string[] {
  if (typeof node !== 'object' || node === null) return []
  const below = Object.values(node).flatMap(functionsOf)
  return 'function' in node ? [String(node.function), ...below] : below
}

test.each(readdirSync(CRDS).filter((name) => name.endsWith('.yaml')))('every rule of %s can be evaluated', (file) => {
  const expressions = expressionsOf(parseYaml(readFileSync(join(CRDS, file), 'utf8')))
  const functions = functionsOf(expressions.filter((one) => !one.includes('oldSelf')).map((one) => parse(one).expr))
  expect(functions).not.toEqual([])
  for (const name of new Set(functions.filter((one) => /^\w+$/.test(one)))) {
    const result = evaluate(`self.${name}()`, 'any')
    expect({ result }).not.toMatchObject({ result: { message: `unbound function: ${name}` } })
  }
})

test('a rule that is broken is told with its place, unless its message begins with it', () => {
  const positive = { rule: 'self > 0', message: 'must be positive' }
  const schema = {
    properties: {
      list: { items: { 'x-kubernetes-validations': [positive] } },
      config: {
        'x-kubernetes-validations': [
          { rule: "!('a' in self)", message: 'a', messageExpression: "'config.a is ' + self['a']" },
        ],
      },
    },
  }
  expect(brokenRules(schema, { list: [1, 0], config: { a: 'mine' } })).toEqual([
    'list[1]: must be positive',
    'config.a is mine',
  ])
})

test('rules about what was before are not asked', () => {
  expect(brokenRules({ 'x-kubernetes-validations': [{ rule: 'self == oldSelf', message: 'no' }] }, 1)).toEqual([])
})

test('a rule that asks for a field that is not there is broken', () => {
  const rules = { 'x-kubernetes-validations': [{ rule: 'self.a > 0', message: 'a must be positive' }] }
  expect(brokenRules(rules, {}, 'spec')).toEqual(['spec: a must be positive'])
})

test('a message that has no result is the one in general', () => {
  const rule = { rule: 'self > 0', message: 'must be positive', messageExpression: 'self.name' }
  expect(brokenRules({ 'x-kubernetes-validations': [rule] }, 0, 'spec.a')).toEqual(['spec.a: must be positive'])
})
