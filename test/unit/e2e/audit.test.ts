import { expect, test } from '@jest/globals'
import { Audit } from '../../e2e/client/audit.ts'

const valueOf = (partition: number, sequence: number): string => `${partition} ${sequence} 17.25 .....`

/** Shows records of partition 1: `[offset, sequence]`. */
function read(...records: readonly (readonly [number, number])[]): Audit {
  const audit = new Audit(2)
  for (const [offset, sequence] of records) audit.see(1, offset, valueOf(1, sequence))
  return audit
}

test('records that are read one after the other are well', () => {
  const audit = read([0, 0], [1, 1], [2, 2])
  expect({ next: audit.next, again: audit.again, problems: audit.problems }).toEqual({
    next: [0, 3],
    again: 0,
    problems: [],
  })
})

test('records that are read again, by who took over, are counted and well', () => {
  const audit = read([0, 0], [1, 1], [0, 0], [1, 1], [2, 2])
  expect({ next: audit.next, again: audit.again, problems: audit.problems }).toEqual({
    next: [0, 3],
    again: 2,
    problems: [],
  })
})

test('a record that is lost has another in its place', () => {
  expect(read([0, 0], [1, 2]).problems).toEqual(['partition 1 offset 1 has record 2 of partition 1'])
})

test('a record that is there twice is in the place of another', () => {
  expect(read([0, 0], [1, 0]).problems).toEqual(['partition 1 offset 1 has record 0 of partition 1'])
})

test('offsets that are passed over were not read', () => {
  expect(read([0, 0], [3, 3]).problems).toEqual(['partition 1: offsets 1 to 2 were passed over'])
})

test('a record tells when it was due', () => {
  expect(new Audit(1).see(0, 0, valueOf(0, 0))).toEqual({
    partition: 0,
    sequence: 0,
    dueMs: 17.25,
  })
})
