import { expect, test } from '@jest/globals'
import { array, int16, int32, records, string, struct } from '../../../broker/schema/fields.ts'
import { errorCounter } from '../../../broker/server/error-counts.ts'

const partition = struct({ partitionIndex: int32(), errorCode: int16(), records: records(), replicas: array(int32()) })
const topic = struct({ name: string(), partitions: array(partition, { nullable: true }) })
const countErrors = errorCounter({
  errorCode: int16(),
  topics: array(topic),
  throttleTimeMs: int32(),
  coordinator: struct({ nodeId: int32(), errorCode: int16() }),
})

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
  const coordinator = { nodeId: 1, errorCode: 15 }
  expect(errorsOf({ errorCode: 0, topics: [{ name: 'a', partitions }], throttleTimeMs: 3, coordinator })).toEqual([
    0, 0, 6, 15,
  ])
})

test.each([{}, { topics: [] }, { topics: [{ name: 'a', partitions: null }] }, { topics: [{}], coordinator: {} }])(
  '%j has none',
  (answer) => {
    expect(errorsOf(answer)).toEqual([])
  },
)

test('a response whose fields have no error code has none', () => {
  const codes: number[] = []
  errorCounter({ topics: array(struct({ name: string() })) })({ topics: [{ name: 'a', errorCode: 1 }] }, (code) =>
    codes.push(code),
  )
  expect(codes).toEqual([])
})
