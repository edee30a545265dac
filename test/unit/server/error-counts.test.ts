import { expect, test } from '@jest/globals'
import { countErrors } from '../../../broker/server/error-counts.ts'

function errorsOf(answer: unknown): number[] {
  const codes: number[] = []
  countErrors(answer, (code) => codes.push(code))
  return codes
}

test('the errors of a response, of its topics and of their partitions are counted', () => {
  const partitions = [
    { partitionIndex: 0, errorCode: 0, records: Buffer.from('x') },
    { partitionIndex: 1, errorCode: 6, replicas: [1, 2] },
  ]
  expect(errorsOf({ errorCode: 0, topics: [{ name: 'a', partitions }], throttleTimeMs: 3 })).toEqual([0, 0, 6])
})

test.each([null, 'none', 7, [], {}, { errorCode: 'text' }, Buffer.alloc(9)])('%j has none', (answer) => {
  expect(errorsOf(answer)).toEqual([])
})
