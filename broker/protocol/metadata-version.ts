/** Names of the levels of metadata.version that Kafka 4.3 knows as stable, from the lowest on. */
const METADATA_VERSION_NAMES = [
  '3.3-IV3',
  '3.4-IV0',
  '3.5-IV0',
  '3.5-IV1',
  '3.5-IV2',
  '3.6-IV0',
  '3.6-IV1',
  '3.6-IV2',
  '3.7-IV0',
  '3.7-IV1',
  '3.7-IV2',
  '3.7-IV3',
  '3.7-IV4',
  '3.8-IV0',
  '3.9-IV0',
  '4.0-IV0',
  '4.0-IV1',
  '4.0-IV2',
  '4.0-IV3',
  '4.1-IV0',
  '4.1-IV1',
  '4.2-IV0',
  '4.2-IV1',
  '4.3-IV0',
] as const

export const METADATA_VERSION_MIN = 7
export const METADATA_VERSION_LATEST = METADATA_VERSION_MIN + METADATA_VERSION_NAMES.length - 1

/** `4.3-IV0` for 30; the number for a level that this broker does not know. */
export function metadataVersionName(level: number): string {
  return METADATA_VERSION_NAMES[level - METADATA_VERSION_MIN] ?? String(level)
}

/** The level of `4.3-IV0`, and of `4.3`, which is the last level of that release; undefined for what is neither. */
export function metadataVersionLevel(name: string): number | undefined {
  const index = METADATA_VERSION_NAMES.findLastIndex((known) => known === name || known.startsWith(`${name}-`))
  return index < 0 ? undefined : METADATA_VERSION_MIN + index
}
