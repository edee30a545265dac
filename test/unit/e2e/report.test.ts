import { expect, test } from '@jest/globals'
import { Histogram } from '../../e2e/client/histogram.ts'
import type { ReaderLine, WatcherLine, WriterLine } from '../../e2e/client/lines.ts'
import type { Told } from '../../e2e/day-two/load.ts'
import { lossesOf, problemsOf, summaryOf, tableOf } from '../../e2e/day-two/report.ts'

const PHASE = { name: 'roll', fromMs: 1000, toMs: 4000 }

function counts(...ms: number[]): Record<string, number> {
  const histogram = new Histogram()
  for (const one of ms) histogram.add(one)
  return histogram.toJSON()
}

const writer = (atMs: number, line: Partial<WriterLine> = {}): WriterLine => ({
  atMs,
  acknowledged: [5, 5],
  latencies: counts(10, 10),
  elapsed: counts(10, 20),
  stolenMs: 10,
  isLast: false,
  ...line,
})
const reader = (atMs: number, line: Partial<ReaderLine> = {}): ReaderLine => ({
  atMs,
  next: [5, 5],
  again: 0,
  delays: counts(12, 12),
  problems: [],
  ...line,
})
const watcher = (atMs: number, line: Partial<WatcherLine> = {}): WatcherLine => ({
  atMs,
  looks: 2,
  failures: 0,
  partitions: 2,
  underReplicated: 0,
  below: [],
  holders: [1, 2, 3],
  leastIsr: 3,
  ...line,
})
const told = (lines: Partial<Told> = {}): Told => ({
  writer: [writer(2000), writer(3000)],
  reader: [reader(2000), reader(3000)],
  watcher: [watcher(2000), watcher(3000)],
  ...lines,
})
const quiet = summaryOf(PHASE, told())

test('what is said before and after a phase is none of it', () => {
  const before = { latencies: counts(900, 900, 900) }
  const lines = told({ writer: [writer(1000, before), writer(2000), writer(3000), writer(4001, before)] })
  expect(summaryOf(PHASE, lines)).toEqual(quiet)
})

test('a phase adds up what is said in it', () => {
  const lines = told({
    reader: [reader(2000, { again: 1 }), reader(3000)],
    watcher: [watcher(2000, { leastIsr: 2 }), watcher(3000, { leastIsr: -1, looks: 0 })],
  })
  expect(summaryOf(PHASE, lines)).toMatchObject({
    written: 4,
    read: 3,
    again: 1,
    looks: 2,
    stolen: 20,
    leastIsr: 2,
  })
})

test('a phase that is as quiet as the quiet one is well', () => {
  expect(problemsOf(summaryOf(PHASE, told()), quiet, 3)).toEqual([])
})

test('writes that take more than three times as long as in the quiet phase are told', () => {
  const slow = (ms: number): Told => told({ writer: [writer(2000, { latencies: counts(10, ms) })] })
  expect(problemsOf(summaryOf(PHASE, slow(29)), quiet, 3)).toEqual([])
  expect(problemsOf(summaryOf(PHASE, slow(33)), quiet, 3)).toEqual([
    expect.stringMatching(/^roll: p99 3\d\.\d ms, more/),
  ])
})

test('a partition below min.insync.replicas is told, once', () => {
  const below = ['orders-1 (in sync: 3)']
  const lines = told({ watcher: [watcher(2000, { below }), watcher(3000, { below })] })
  expect(problemsOf(summaryOf(PHASE, lines), quiet, 3)).toEqual([
    'roll: below min.insync.replicas: orders-1 (in sync: 3)',
  ])
})

test('a phase in which nobody was seen to do anything is told', () => {
  expect(problemsOf(summaryOf(PHASE, told({ watcher: [], reader: [] })), quiet, 3)).toEqual([
    'roll: no broker said who is in sync',
    'roll: 4 records were written, 0 read',
  ])
})

test('all that was acknowledged and read is no loss', () => {
  expect(lossesOf(told({ writer: [writer(5000, { isLast: true })] }))).toEqual([])
})

test('what was acknowledged and not read, and what the readers complain of, is told', () => {
  const lines = told({
    writer: [writer(5000, { isLast: true })],
    reader: [reader(5000, { next: [5, 4], problems: ['partition 1 offset 2 has record 3 of partition 1'] })],
  })
  expect(lossesOf(lines)).toEqual([
    'partition 1 offset 2 has record 3 of partition 1',
    'partition 1: 5 records were acknowledged, 4 read',
  ])
})

test('records that are read and were never acknowledged are told', () => {
  const lines = told({ writer: [writer(5000, { isLast: true, acknowledged: [5, 4] })] })
  expect(lossesOf(lines)).toEqual(['partition 1: 4 records were acknowledged, 5 read'])
})

test('a writer that did not come to its end has not been acknowledged everything', () => {
  expect(lossesOf(told())).toEqual(['the writer did not end: something has not been acknowledged'])
})

test('the table has a row for each phase', () => {
  const rows = tableOf([quiet, { ...quiet, name: 'a longer name' }]).split('\n')
  expect(rows.map((row) => row.split(/ {2,}/)[0])).toEqual(['phase', 'roll', 'a longer name', ''])
})
