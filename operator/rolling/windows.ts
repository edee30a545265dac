const MINUTE_MS = 60_000
const DAY_MINUTES = 24 * 60
const DAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat']
/** 1 January 1970 was a Thursday. */
const FIRST_DAY = DAYS.indexOf('Thu')
/** `02:00-06:00` of every day, `Sat 02:00-06:00`, `Mon-Fri,Sun 22:00-04:00`. */
const FORM = /^(?:([A-Z][a-z]{2}(?:[-,][A-Z][a-z]{2})*) )?([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]|24):([0-5]\d)$/

interface Window {
  /** Of the week, Sunday is 0: those on which it begins. */
  readonly days: ReadonlySet<number>
  /** Of the day. */
  readonly fromMinute: number
  /** At least 1; at most a day. */
  readonly minutes: number
}

/** Whether restarts may be made at `nowMs` (since 1970), and when that changes. No windows: always. */
export function windowAt(
  windows: readonly string[],
  nowMs: number,
): { readonly isOpen: boolean; readonly nextMs: number | null } {
  const parsed = windows.flatMap((text) => parseWindow(text) ?? [])
  // Admission lets only windows pass; what is none never opens.
  if (parsed.length === 0) return { isOpen: windows.length === 0, nextMs: null }
  const times = parsed.flatMap((window) => openings(window, nowMs))
  const open = times.filter(({ from, to }) => from <= nowMs && nowMs < to)
  if (open.length > 0) return { isOpen: true, nextMs: Math.max(...open.map(({ to }) => to)) }
  return { isOpen: false, nextMs: Math.min(...times.filter(({ from }) => from > nowMs).map(({ from }) => from)) }
}

/** A window of spec.rolling.windows, in UTC; one that ends before it begins ends on the next day. Null where it is none. */
export function parseWindow(text: string): Window | null {
  const [, days, fromHour, fromMinutes, toHour, toMinutes] = FORM.exec(text) ?? []
  if (fromHour === undefined) return null
  const parsed = days === undefined ? new Set(DAYS.keys()) : parseDays(days)
  const fromMinute = Number(fromHour) * 60 + Number(fromMinutes)
  const toMinute = Number(toHour) * 60 + Number(toMinutes)
  if (parsed === null || toMinute > DAY_MINUTES) return null
  return {
    days: parsed,
    fromMinute,
    minutes: toMinute > fromMinute ? toMinute - fromMinute : toMinute - fromMinute + DAY_MINUTES,
  }
}

/** `Mon-Fri,Sun`; a range may go over the end of the week. */
function parseDays(text: string): ReadonlySet<number> | null {
  const days = new Set<number>()
  for (const part of text.split(',')) {
    const [from = -1, to = from, ...more] = part.split('-').map((day) => DAYS.indexOf(day))
    if (from < 0 || to < 0 || more.length > 0) return null
    for (let day = from; day !== to; day = (day + 1) % DAYS.length) days.add(day)
    days.add(to)
  }
  return days
}

/** When it is open from yesterday to a week from now, in ms since 1970. */
function openings({ days, fromMinute, minutes }: Window, nowMs: number): { from: number; to: number }[] {
  const today = Math.floor(nowMs / MINUTE_MS / DAY_MINUTES)
  const near = Array.from({ length: DAYS.length + 2 }, (_, index) => today - 1 + index)
  return near
    .filter((day) => days.has((day + FIRST_DAY) % DAYS.length))
    .map((day) => {
      const from = (day * DAY_MINUTES + fromMinute) * MINUTE_MS
      return { from, to: from + minutes * MINUTE_MS }
    })
}
