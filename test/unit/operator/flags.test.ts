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
