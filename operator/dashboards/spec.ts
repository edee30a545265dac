/** A dashboard as data: what it shows, not how. `build.ts` makes Grafana's JSON of it. */
export interface DashboardSpec {
  /** Of its URL, and of its file. */
  readonly uid: string
  readonly title: string
  readonly description: string
  /** In the order in which they are chosen: a later one may refer to those before. */
  readonly variables: readonly Variable[]
  readonly rows: readonly Row[]
}

/** What is chosen at the top of a dashboard. All is `.*`: a Prometheus without the label has it too. */
export interface Variable {
  readonly name: string
  readonly label: string
  /** `label_values(series, label)` */
  readonly series: string
  readonly of: string
  /** Several, or all, may be chosen; and all are to begin with. */
  readonly isMulti?: boolean
}

export interface Row {
  readonly title: string
  readonly panels: readonly Panel[]
}

export type Unit = 'short' | 'bytes' | 'Bps' | 'ms' | 's' | 'percentunit' | 'reqps' | 'cps'

export interface Panel {
  readonly title: string
  readonly description?: string
  /** One number, or lines over time, which is the default. */
  readonly kind?: 'number' | 'lines'
  readonly unit?: Unit
  readonly queries: readonly Query[]
  /** Lines only: on top of each other. */
  readonly isStacked?: boolean
  /** Numbers only: above it is red. */
  readonly max?: number
  /** Numbers only: anything else is red. */
  readonly only?: number
}

export interface Query {
  readonly expr: string
  /** As Grafana writes it: `{{pod}}`. */
  readonly legend: string
}

/** Numbers take a half of the height, and an eighth of the width. */
export function number(title: string, expr: string, more: Omit<Panel, 'title' | 'queries' | 'kind'> = {}): Panel {
  return { kind: 'number', title, queries: [{ expr, legend: '' }], ...more }
}

export function lines(title: string, queries: readonly Query[], more: Omit<Panel, 'title' | 'queries'> = {}): Panel {
  return { title, queries, ...more }
}

export function query(legend: string, expr: string): Query {
  return { expr, legend }
}
