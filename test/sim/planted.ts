import type { Mutant } from './mutants.ts'

/** The source with the bug in it. Throws where the snippet is not there exactly once: the mutant is out of date. */
export function planted({ name, file, from, to }: Mutant, source: string): string {
  const parts = source.split(from)
  if (parts.length !== 2) throw new Error(`${name}: ${file} has the snippet ${parts.length - 1} times, not once`)
  return parts.join(to)
}
