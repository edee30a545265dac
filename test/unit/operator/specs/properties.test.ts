import { expect, test } from '@jest/globals'
import * as fc from 'fast-check'
import { parseProperties } from '../../../../broker/config/properties.ts'
import { formatProperties } from '../../../../operator/specs/properties.ts'

test('the text is sorted by key', () => {
  expect(
    formatProperties(
      new Map([
        ['b', '2'],
        ['a', 'x y'],
      ]),
    ),
  ).toBe('a=x y\nb=2\n')
})

test('a value cannot end its line or begin another key', () => {
  const text = formatProperties(new Map([['a', '1\nnode.id=7\r\n#\\']]))
  expect(text.trimEnd().split('\n')).toHaveLength(1)
  expect([...parseProperties(text)]).toEqual([['a', '1\nnode.id=7\r\n#\\']])
})

test('whatever is written, the broker reads the same', () => {
  const special = fc.constantFrom(' ', '=', ':', '#', '!', '\\', '\n', '\t', '\u0000', 'é', 'u')
  const text = fc.string({
    unit: fc.oneof(special, fc.string({ unit: 'binary', minLength: 1, maxLength: 1 })),
    maxLength: 20,
  })
  const entries = fc.uniqueArray(
    fc.tuple(
      text.filter((key) => key !== ''),
      text,
    ),
    { selector: ([key]) => key },
  )
  fc.assert(
    fc.property(entries, (properties) => {
      const written = new Map(properties)
      expect(parseProperties(formatProperties(written))).toEqual(written)
    }),
  )
})
