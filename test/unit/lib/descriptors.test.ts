import { expect, test } from '@jest/globals'
import { shareDescriptors } from '../../../broker/lib/descriptors.ts'

test.each([
  [20_000, 15_000, 4936],
  [1024, 768, 192],
  [1_048_576, 32_768, 1_015_744],
  [Infinity, 32_768, Infinity],
  [2, 1, 1],
])('of %d descriptors logs get %d, connections %d', (max, logFiles, connections) => {
  expect(shareDescriptors(max)).toEqual({ logFiles, connections })
})
