import { expect, test } from '@jest/globals'
import { compile } from '../../../../operator/local/cel.ts'

const self = {
  name: 'orders',
  pools: [
    { roles: ['controller'], replicas: 3 },
    { roles: ['broker'], replicas: 4 },
  ],
  config: { 'node.id': 3, text: 'a\nb' },
}

test.each<[string, unknown]>([
  ['1 + 2 == 3 && !(2 > 3)', true],
  ['true || false && false', true],
  ['7 % 2', 1],
  ["'a' + 'b'", 'ab'],
  ['[1] + [2, 3]', [1, 2, 3]],
  ['self.name.size() <= 5 ? "short" : "long"', 'long'],
  ["self.name in ['orders', 'others']", true],
  ["'node.id' in self.config", true],
  ["type(self.config['node.id']) == int", true],
  ["type(self.config['text']) == int", false],
  ['has(self.name) && !has(self.label)', true],
  ["self.pools.map(p, p.roles.exists(r, r == 'broker') ? p.replicas : 0).sum()", 4],
  ['self.pools.all(a, self.pools.exists_one(b, b.replicas == a.replicas))', true],
  ["self.config.filter(k, k.startsWith('node'))[0]", 'node.id'],
  ["self.config.all(k, !string(self.config[k]).matches('[[:cntrl:]]'))", false],
  ["self.name.matches('^[a-z]{6}$') && self.name.contains('rder')", true],
  ["'b-{nodeId}'.replace('{nodeId}', '0')", 'b-0'],
  ["int('12') - 0 == 12", 'refused'],
  ["isQuantity('10Gi') && quantity('0.5Gi').isGreaterThan(quantity('0'))", true],
  ["isQuantity('big')", false],
])('%s', (expression, result) => {
  if (result === 'refused') expect(() => compile(expression)).toThrow('- is not expected')
  else expect(compile(expression)({ self })).toEqual(result)
})

test.each(['self.', '(self', 'self.name.lower()', "'a\\n'", 'self self', '', '[1 2]'])(
  'what cannot be read is an error, not something else: %s',
  (expression) => {
    expect(() => compile(expression)).toThrow(/not expected|cannot be read|not known/)
  },
)

test('a field that is not there is an error, as where an API server asks', () => {
  expect(() => compile('self.label.size() > 0')({ self })).toThrow('there is no label')
  expect(compile('!has(self.label) || self.label.size() > 0')({ self })).toBe(true)
})
