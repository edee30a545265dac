/** A bug to plant: one snippet of one file replaced. The snippet must be there exactly once. */
export interface Mutant {
  readonly name: string
  /** The simulation that is to find it. */
  readonly simulation: 'storage' | 'raft' | 'cluster'
  readonly file: string
  readonly from: string
  readonly to: string
  /** Found within a few seeds: part of the tests. */
  readonly isQuick?: boolean
}

/** The source with the bug in it. Throws where the snippet is not there exactly once: the mutant is out of date. */
export function planted({ name, file, from, to }: Mutant, source: string): string {
  const parts = source.split(from)
  if (parts.length !== 2) throw new Error(`${name}: ${file} has the snippet ${parts.length - 1} times, not once`)
  return parts.join(to)
}
