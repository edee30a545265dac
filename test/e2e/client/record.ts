/** What a record says of itself. */
export interface Told {
  readonly partition: number
  /** Counts the partition's records from 0. */
  readonly sequence: number
  /** When it was due to be written, as `now`. */
  readonly dueMs: number
}

/** Ms since the epoch, with fractions; never goes back. The same for all processes of a machine, as far as nobody sets its clock. */
export function now(): number {
  return performance.timeOrigin + performance.now()
}

/** `partition sequence dueMs`, and what fills the record up. */
export function toldBy(value: string): Told {
  const [partition = NaN, sequence = NaN, dueMs = NaN] = value.split(' ', 3).map(Number)
  return { partition, sequence, dueMs }
}
