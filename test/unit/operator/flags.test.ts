import { expect, test } from '@jest/globals'
import { operatorFlags } from '../../../operator/flags.ts'

const IMAGE = '--image=registry/ottla:1'

test('operators of two releases in one namespace take turns by leases of their own', () => {
  const env = { POD_NAMESPACE: 'ops' }
  const leaseOf = (...args: string[]) => operatorFlags([IMAGE, ...args], env).operator.lease
  expect(leaseOf()).toEqual({ namespace: 'ops', name: 'ottla-operator' })
  expect(leaseOf('--lease=team-a-operator')).toEqual({ namespace: 'ops', name: 'team-a-operator' })
  expect(leaseOf('--lease=team-a-operator', '--leader-election=false')).toBeNull()
})

test('a log level that there is not is a wrong flag', () => {
  const levelOf = (level: string) => operatorFlags([IMAGE], { LOG_LEVEL: level }).logLevel
  expect(levelOf('debug')).toBe('debug')
  expect(() => levelOf('verbose')).toThrow(
    '--log-level must be one of trace, debug, info, warn, error, fatal, silent, not verbose',
  )
})
