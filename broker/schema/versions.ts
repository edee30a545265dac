/** Inclusive on both ends; empty when `min > max`. */
export interface VersionRange {
  readonly min: number
  readonly max: number
}

const UNBOUNDED = 0x7fff

export const NO_VERSIONS: VersionRange = { min: 1, max: 0 }
export const ALL_VERSIONS: VersionRange = { min: 0, max: UNBOUNDED }

/** Reads Kafka's notation: `3+`, `0-4`, `2`, `none`. */
export function parseVersions(text: string): VersionRange {
  if (text === 'none') return NO_VERSIONS
  const match = /^(\d+)(?:(\+)|-(\d+))?$/.exec(text)
  if (match === null) throw new TypeError(`not a version range: ${text}`)
  const min = Number(match[1])
  if (match[2] !== undefined) return { min, max: UNBOUNDED }
  return { min, max: match[3] === undefined ? min : Number(match[3]) }
}

export function includes(range: VersionRange, version: number): boolean {
  return version >= range.min && version <= range.max
}
