import type { Figures } from './round.ts'

export interface Report {
  /** Ours over Apache's, by figure. */
  readonly ratios: Figures
  /** Medians over the rounds. */
  readonly ours: Figures
  readonly apache: Figures
}

/** The names under which the ratios that are tracked over time are told. */
const TRACKED: Record<string, string> = {
  produce_1k_per_cpu_s: 'produce_1k_per_cpu_s',
  consume_per_cpu_s: 'consume_per_cpu_s',
  p99_ms: 'p99',
  rss_mib: 'rss',
  startup_ms: 'startup',
}

export function reportOf(ours: readonly Figures[], apache: readonly Figures[]): Report {
  const medians = { ours: medianFigures(ours), apache: medianFigures(apache) }
  const ratios = Object.entries(medians.ours).map(([name, figure]): [string, number] => [
    TRACKED[name] ?? name,
    round(figure / (medians.apache[name] ?? Number.NaN), 3),
  ])
  return { ratios: Object.fromEntries(ratios), ...medians }
}

function medianFigures(rounds: readonly Figures[]): Figures {
  const names = Object.keys(rounds[0] ?? {})
  return Object.fromEntries(names.map((name) => [name, round(median(rounds.map((one) => one[name] ?? Number.NaN)), 1)]))
}

/** The middle one; of an even number, the mean of the two in the middle. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const upper = sorted[Math.floor(sorted.length / 2)] ?? Number.NaN
  const lower = sorted[Math.ceil(sorted.length / 2) - 1] ?? Number.NaN
  return (upper + lower) / 2
}

function round(value: number, digits: number): number {
  return Number(value.toFixed(digits))
}

/** A line a figure: ours, Apache's, ours over Apache's. */
export function tableOf({ ratios, ours, apache }: Report): string {
  const rows = Object.keys(ours).map((name) => [
    name,
    String(ours[name]),
    String(apache[name]),
    String(ratios[TRACKED[name] ?? name]),
  ])
  return [['', 'ours', 'Apache 4.3.1', 'ratio'], ...rows]
    .map(([name = '', ...cells]) => name.padEnd(28) + cells.map((cell) => cell.padStart(14)).join(''))
    .join('\n')
}
