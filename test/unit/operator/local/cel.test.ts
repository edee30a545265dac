import { expect, test } from '@jest/globals'
import { evaluate } from '../../../../operator/local/cel.ts'

const self = {
  pools: [
    { roles: ['controller'], replicas: 3 },
    { roles: ['broker'], replicas: 4 },
  ],
  config: { 'node.id': 3, text: 'a\nb' },
}

test.each<[string, unknown]>([
  ["type(self.config['node.id']) == int", true],
  ["type(self.config['text']) == int", false],
  ['self.pools.all(p, p.replicas % 2 == 1)', false],
  ['self.pools[0].replicas in [1, 3]', true],
  ["string(self.config['node.id']) == '3'", true],
  ["self.pools.map(p, p.roles.exists(r, r == 'broker') ? p.replicas : 0).sum() == 4", true],
  ['[].sum() == 0', true],
  ["self.config.exists(k, string(self.config[k]).matches('[[:cntrl:]]'))", true],
  ["'b-{nodeId}'.replace('{nodeId}', '0')", 'b-0'],
  ["isQuantity('10Gi')", true],
  ["isQuantity('big')", false],
  ["quantity('0.5Gi').isGreaterThan(quantity('1M'))", true],
  ["quantity('0').isGreaterThan(quantity('0'))", false],
])('%s', (expression, result) => {
  expect(evaluate(expression, self)).toBe(result)
})

test('a field that is not there is an error, as where an API server asks', () => {
  expect(evaluate('self.label.size() > 0', self)).toBeInstanceOf(Error)
  expect(evaluate('!has(self.label) || self.label.size() > 0', self)).toBe(true)
})

test('what cannot be read is thrown', () => {
  expect(() => evaluate('self self', self)).toThrow('expecting end of input')
})
