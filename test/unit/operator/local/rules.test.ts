import { readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { expect, test } from '@jest/globals'
import { parse } from 'yaml'
import { compile } from '../../../../operator/local/cel.ts'
import { brokenRules } from '../../../../operator/local/rules.ts'

const CRDS = resolve(import.meta.dirname, '../../../../crds')

/** Every rule, and every expression for a message, of a CRD. */
function expressionsOf(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([name, field]) =>
    (name === 'rule' || name === 'messageExpression') && typeof field === 'string' ? [field] : expressionsOf(field),
  )
}

test.each(readdirSync(CRDS).filter((name) => name.endsWith('.yaml')))('every rule of %s can be read', (file) => {
  const expressions = expressionsOf(parse(readFileSync(join(CRDS, file), 'utf8')))
  expect(expressions.length).toBeGreaterThan(0)
  for (const expression of expressions.filter((one) => !one.includes('oldSelf'))) {
    expect(() => compile(expression)).not.toThrow()
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
