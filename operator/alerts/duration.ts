const UNITS_MS = { d: 86_400_000, h: 3_600_000, m: 60_000, s: 1000 } as const
type Unit = keyof typeof UNITS_MS

/** A duration as Prometheus writes it (`1h30m`, `90s`), in ms. Throws for what is none. */
export function durationMs(text: string): number {
  if (!/^(\d+d)?(\d+h)?(\d+m)?(\d+s)?$/.test(text) || text === '') throw new Error(`${text} is not a duration`)
  let ms = 0
  for (const [, amount, unit] of text.matchAll(/(\d+)([dhms])/g)) ms += Number(amount) * UNITS_MS[unit as Unit]
  return ms
}
