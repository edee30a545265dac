import { type Counts, Histogram } from '../client/histogram.ts'
import type { Told } from './load.ts'

/** A stretch of the run, in ms since the epoch. */
export interface Phase {
  readonly name: string
  readonly fromMs: number
  readonly toMs: number
}

/** What the load has said of a phase. Times are ms. */
export interface Summary extends Phase {
  readonly written: number
  readonly read: number
  readonly again: number
  /** Of writes, without what the machine's host took; the longest is also the longest pause, since latencies count from when a record was due. */
  readonly p50: number
  readonly p99: number
  readonly longest: number
  /** The 99th percentile by the clock. */
  readonly elapsedP99: number
  /** Processor time that the host took. */
  readonly stolen: number
  readonly readP99: number
  readonly readLongest: number
  readonly looks: number
  readonly leastIsr: number
  readonly below: readonly string[]
}

/** How much longer than in the quiet phase the 99th percentile of writes may be, of each phase and of the whole day. */
export const P99_FACTOR_MAX = 3

export function summaryOf(phase: Phase, told: Told): Summary {
  const during = <L extends { readonly atMs: number }>(lines: readonly L[]): L[] =>
    lines.filter(({ atMs }) => atMs > phase.fromMs && atMs <= phase.toMs)
  const writer = during(told.writer)
  const reader = during(told.reader)
  const watcher = during(told.watcher)
  const latencies = mergedOf(writer.map((line) => line.latencies))
  const delays = mergedOf(reader.map((line) => line.delays))
  const again = sum(reader.map((line) => line.again))
  return {
    ...phase,
    written: latencies.size,
    read: delays.size - again,
    again,
    p50: latencies.quantile(0.5),
    p99: latencies.quantile(0.99),
    longest: latencies.quantile(1),
    elapsedP99: mergedOf(writer.map((line) => line.elapsed)).quantile(0.99),
    stolen: sum(writer.map((line) => line.stolenMs)),
    readP99: delays.quantile(0.99),
    readLongest: delays.quantile(1),
    looks: sum(watcher.map((line) => line.looks)),
    leastIsr: Math.min(...watcher.map((line) => line.leastIsr).filter((isr) => isr >= 0)),
    below: [...new Set(watcher.flatMap((line) => line.below))],
  }
}

/** What is wrong with a phase, compared to the quiet one; empty where all is well. `factorMax`: how much longer its p99 may be. */
export function problemsOf(summary: Summary, quiet: Summary, factorMax: number): string[] {
  const { name, p99, below, looks, written, read } = summary
  const problems = below.map((partition) => `${name}: below min.insync.replicas: ${partition}`)
  if (looks === 0) problems.push(`${name}: no broker said who is in sync`)
  if (written === 0 || read === 0) problems.push(`${name}: ${written} records were written, ${read} read`)
  if (p99 > factorMax * quiet.p99)
    problems.push(`${name}: p99 ${p99.toFixed(1)} ms, more than ${factorMax} x ${quiet.p99.toFixed(1)} ms`)
  return problems
}

/** What is wrong with all that has been written and read, once it is over: every record must have been read, in order, and none twice there. */
export function lossesOf({ writer, reader }: Told): string[] {
  const [written, read] = [writer.at(-1), reader.at(-1)]
  if (written?.isLast !== true) return ['the writer did not end: something has not been acknowledged']
  const missing = written.acknowledged.flatMap((count, partition) => {
    const seen = read?.next[partition] ?? 0
    return seen === count ? [] : [`partition ${partition}: ${count} records were acknowledged, ${seen} read`]
  })
  return [...(read?.problems ?? []), ...missing]
}

const COLUMNS: readonly (readonly [string, (summary: Summary) => string])[] = [
  ['phase', ({ name }) => name],
  ['s', ({ fromMs, toMs }) => ((toMs - fromMs) / 1000).toFixed(0)],
  ['written', ({ written }) => String(written)],
  ['read', ({ read }) => String(read)],
  ['again', ({ again }) => String(again)],
  ['p50', ({ p50 }) => p50.toFixed(1)],
  ['p99', ({ p99 }) => p99.toFixed(1)],
  ['longest', ({ longest }) => longest.toFixed(0)],
  ['by the clock', ({ elapsedP99 }) => elapsedP99.toFixed(1)],
  ['stolen', ({ stolen }) => stolen.toFixed(0)],
  ['read p99', ({ readP99 }) => readP99.toFixed(1)],
  ['longest', ({ readLongest }) => readLongest.toFixed(0)],
  ['ISR >=', ({ leastIsr }) => String(leastIsr)],
]

/** A row each. */
export function tableOf(summaries: readonly Summary[]): string {
  const rows = [COLUMNS.map(([head]) => head), ...summaries.map((one) => COLUMNS.map(([, cell]) => cell(one)))]
  const widths = COLUMNS.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)))
  const lineOf = (row: readonly string[]): string =>
    row
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0)))
      .join('  ')
  return `${rows.map(lineOf).join('\n')}\n`
}

function mergedOf(all: readonly Counts[]): Histogram {
  const merged = new Histogram()
  for (const counts of all) merged.merge(counts)
  return merged
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0)
}
