import { expect } from '@jest/globals'
import { RECORDS, workRecord } from './workload.ts'

/** What command-line clients can give and tell: no timestamps, and the partition is the partitioner's choice. */
export interface TextRecord {
  readonly partition: number
  readonly key: string
  readonly value: string
  readonly headers: string
}

/** The key, a tab and the value of each record, a line each, for the standard input of a command-line producer. */
export function keyValueLines(prefix: (index: number) => string = () => ''): string {
  return Array.from({ length: RECORDS }, (_, index) => {
    const { key, value } = workRecord(index)
    return `${prefix(index)}${key}\t${value}\n`
  }).join('')
}

/** Every record is there, once, as it was written; within a partition in the order of writing. */
export function expectAll(records: readonly TextRecord[], headers: (index: number) => string): void {
  const last = new Map<number, number>()
  const outOfOrder: string[] = []
  const seen = new Map<number, TextRecord>()
  for (const record of records) {
    const index = Number(record.key.slice('key-'.length))
    if (index <= (last.get(record.partition) ?? -1)) outOfOrder.push(record.key)
    last.set(record.partition, index)
    seen.set(index, record)
  }
  expect(outOfOrder).toEqual([])
  expect(records.length).toBe(RECORDS)
  const wrong = Array.from({ length: RECORDS }, (_, index) => index).flatMap((index) => {
    const { key, value } = workRecord(index)
    const record = seen.get(index)
    const same = record?.key === key && record.value === value && record.headers === headers(index)
    return same ? [] : [{ index, record }]
  })
  expect(wrong.slice(0, 3)).toEqual([])
}

/** Reads what a client printed: the partition, headers, key and value of a record in each line, tabs between them. */
export function textRecords(output: string): TextRecord[] {
  return output
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const [partition, headers = '', key = '', value = ''] = line.split('\t')
      return { partition: Number(String(partition).replace('Partition:', '')), headers, key, value }
    })
}
