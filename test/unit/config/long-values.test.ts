import { describe, expect, test } from '@jest/globals'
import { brokerKey } from '../../../broker/config/broker-keys.ts'
import { pemBlocks } from '../../../broker/config/pem.ts'
import { topicKey } from '../../../broker/config/topic-config.ts'
import { parseValue } from '../../../broker/config/value.ts'
import { hasVariable } from '../../../broker/config/variables.ts'
import { growth, GROWTH_MAX } from '../../tools/growth.ts'

// Clients set values, and every broker reads them on its event loop.
describe('a long value is read in linear time:', () => {
  const variables: [string, (size: number) => string][] = [
    ['colons', (size) => `\${${':'.repeat(size)}`],
    ['colons with an end', (size) => `\${${':'.repeat(size)}}`],
    ['beginnings', (size) => '${'.repeat(size / 2)],
    ['beginnings with a colon', (size) => '${:'.repeat(size / 4)],
    ['no variables', (size) => '${}'.repeat(size / 4)],
  ]
  test.each(variables)('variables: %s', (_, valueOf) => {
    expect(growth((size) => hasVariable(valueOf(size)))).toBeLessThan(GROWTH_MAX)
  })

  const pems: [string, (size: number) => string][] = [
    ['dashes', (size) => '-'.repeat(size)],
    ['beginnings', (size) => '-BEGIN '.repeat(size / 8)],
    ['spaces before the label', (size) => `-BEGIN${' '.repeat(size)}!`],
    ['spaces after the label', (size) => `-BEGIN A${' '.repeat(size)}!`],
    ['a label of many words', (size) => `-BEGIN${' A'.repeat(size / 2)}!`],
    ['dashes around the content', (size) => `-BEGIN A${'-'.repeat(size)}!${'-'.repeat(size)}END A-`],
    ['spaces before the content', (size) => `-BEGIN A-${' '.repeat(size)}!-END A-`],
    ['what is not base64', (size) => `-BEGIN A-${' '.repeat(size)}${'a'.repeat(size)}!-END A-`],
    ['headers', (size) => `-BEGIN A-${'a:\n'.repeat(size / 4)}!-END A-`],
    ['blocks', (size) => '-BEGIN A-a-END A-'.repeat(size / 16)],
  ]
  test.each(pems)('PEM: %s', (_, valueOf) => {
    expect(growth((size) => pemBlocks(valueOf(size)))).toBeLessThan(GROWTH_MAX)
  })

  const typed = [
    [topicKey('leader.replication.throttled.replicas'), (size: number) => `a${' '.repeat(size)}b`],
    [brokerKey('log.cleaner.io.buffer.load.factor'), (size: number) => `${'1'.repeat(size)}x`],
  ] as const
  test.each(typed)('%j', (key, valueOf) => {
    if (key === undefined) throw new Error('there is no such key')
    expect(growth((size) => parseValue(key, valueOf(size)))).toBeLessThan(GROWTH_MAX)
  })
})
