import { el } from './dom.ts'

export interface Column<T> {
  readonly title: string
  /** Figures are to the right. */
  readonly isNumber?: boolean
  readonly cell: (row: T) => Node | string
}

/** Rows beyond these are counted, not drawn. */
const ROWS_MAX = 300

export function table<T>(
  caption: string,
  columns: readonly Column<T>[],
  rows: readonly T[],
  empty: string,
): HTMLElement {
  if (rows.length === 0) return el('p', { class: 'empty' }, empty)
  const align = ({ isNumber }: Column<T>): Record<string, string> => (isNumber === true ? { class: 'number' } : {})
  const head = columns.map((column) => el('th', { scope: 'col', ...align(column) }, column.title))
  const body = rows
    .slice(0, ROWS_MAX)
    .map((row) => el('tr', {}, ...columns.map((column) => el('td', align(column), column.cell(row)))))
  const more =
    rows.length > ROWS_MAX &&
    el('p', { class: 'empty' }, `${ROWS_MAX} of ${rows.length} are shown; filter to see the others.`)
  return el(
    'div',
    { class: 'table' },
    el('table', {}, el('caption', {}, caption), el('thead', {}, el('tr', {}, ...head)), el('tbody', {}, ...body)),
    more,
  )
}

/** A figure; one above zero of what should be zero stands out. */
export function bad(count: number, kind: 'warn' | 'bad'): Node | string {
  return count === 0 ? '0' : el('strong', { class: kind }, format(count))
}

export function format(count: number): string {
  return count.toLocaleString('en')
}
