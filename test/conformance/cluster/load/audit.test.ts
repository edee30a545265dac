import { expect, test } from '@jest/globals'
import { audit, type Entry } from './audit.ts'

const of = (producer: number, sequence: number, offset: number, partition = 0): Entry => ({
  partition,
  offset,
  producer,
  sequence,
})
const written = [of(1, 0, 0), of(2, 0, 1), of(1, 1, 2), of(1, 0, 0, 1)]

test('the records of several producers and partitions are all well where they were acknowledged', () => {
  expect(audit(written, written)).toEqual([])
})

test('a record that is not there is lost', () => {
  expect(audit(written, written.slice(0, 3))).toEqual([
    'partition 1 offset 0: record 0 of producer 1 was acknowledged, nothing is there',
  ])
})

test('a record that another took the place of is lost', () => {
  const read = [of(1, 0, 0), of(1, 1, 1), of(2, 0, 2), of(1, 0, 0, 1)]
  expect(audit(written, read)).toEqual([
    'partition 0 offset 1: record 0 of producer 2 was acknowledged, record 1 of producer 1 is there',
    'partition 0 offset 2: record 1 of producer 1 was acknowledged, record 0 of producer 2 is there',
  ])
})

test('a record that is there twice is out of order and one too many', () => {
  expect(audit(written, [...written, of(1, 0, 1, 1)])).toEqual([
    'partition 1 offset 1: record 0 of producer 1 is where 1 should be',
    '5 were read, 4 acknowledged',
  ])
})
