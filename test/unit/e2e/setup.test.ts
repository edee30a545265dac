import { expect, test } from '@jest/globals'
import { lackingPackages } from '../../e2e/bed/setup.ts'
import { describeWith } from '../../tools/requires.ts'

describeWith(['apt'], 'the packages of the Kubernetes of the tests', () => {
  test('those that are not installed are lacking', () => {
    expect(lackingPackages(['dpkg', 'no-such-package', 'coreutils'])).toEqual(['no-such-package'])
  })
})
