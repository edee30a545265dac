import { expect, test } from '@jest/globals'
import { parseJson } from '../../../../operator/kube/json.ts'

test('an integer that is too long for a number here comes as it was written', () => {
  const text = '{"config":{"flush.messages":9223372036854775807,"a":[-9223372036854775808, 9007199254740993]}}'
  expect(parseJson(text)).toEqual({
    config: { 'flush.messages': '9223372036854775807', a: ['-9223372036854775808', '9007199254740993'] },
  })
})

test('all else is as JSON has it', () => {
  const text = '{"a":9007199254740991,"b":"x: 12345678901234567890","c":1.5,"d":null,"e":12345678901234567890.5e3}'
  expect(parseJson('{"a":1}')).toEqual({ a: 1 })
  expect(parseJson(text)).toMatchObject({ a: 9007199254740991, b: 'x: 12345678901234567890', c: 1.5, d: null })
})
