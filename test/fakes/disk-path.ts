import { DiskError } from '../../broker/env/disk.ts'

/** Paths that were taken apart before: there are few, and each is asked for again and again. */
const known = new Map<string, readonly string[]>()
const KNOWN_MAX = 10_000

/** The names along a path. Throws DiskError where it is not absolute. */
export function namesOf(path: string): readonly string[] {
  const before = known.get(path)
  if (before !== undefined) return before
  if (!path.startsWith('/')) throw new DiskError('OTHER', path, `${path} is not absolute`)
  const names = path.split('/').filter((part) => part !== '')
  if (known.size >= KNOWN_MAX) known.clear()
  known.set(path, names)
  return names
}
