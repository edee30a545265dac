import type { ConfigKey } from '../../broker/config/key.ts'
import { parseValue } from '../../broker/config/value.ts'

/** What turns the keys that are set into the keys that are wanted. */
export interface ConfigDiff {
  readonly set: ReadonlyMap<string, string>
  /** Keys that go back to their defaults. */
  readonly unset: readonly string[]
}

/**
 * Only what differs: values are compared as Kafka understands them, which answers `5.0E7` to who has set `50000000`. `keyOf` gives the keys that it
 * knows. Pure.
 */
export function configDiff(
  wanted: ReadonlyMap<string, string>,
  current: ReadonlyMap<string, string>,
  keyOf: (name: string) => ConfigKey | undefined,
): ConfigDiff {
  const differs = (name: string, value: string): boolean => {
    const now = current.get(name)
    return now === undefined || canonical(keyOf(name), now) !== canonical(keyOf(name), value)
  }
  return {
    set: new Map([...wanted].filter(([name, value]) => differs(name, value))),
    unset: [...current.keys()].filter((name) => !wanted.has(name)),
  }
}

/** `a=1, b back to its default`; empty where nothing differs. */
export function describeDiff({ set, unset }: ConfigDiff): string {
  const changes = [...set].map(([key, value]) => `${key}=${value}`)
  return [...changes, ...unset.map((key) => `${key} back to its default`)].join(', ')
}

/** As Kafka prints it; what it would not take as it is. */
function canonical(key: ConfigKey | undefined, text: string): string {
  const parsed = key === undefined ? { problem: '' } : parseValue(key, text)
  return 'problem' in parsed ? text : parsed.text
}
