/** What turns the keys that are set into the keys that are wanted. */
export interface ConfigDiff {
  readonly set: ReadonlyMap<string, string>
  /** Keys that go back to their defaults. */
  readonly unset: readonly string[]
}

/** Only what differs. Pure. */
export function configDiff(wanted: ReadonlyMap<string, string>, current: ReadonlyMap<string, string>): ConfigDiff {
  return {
    set: new Map([...wanted].filter(([key, value]) => current.get(key) !== value)),
    unset: [...current.keys()].filter((key) => !wanted.has(key)),
  }
}

/** `a=1, b back to its default`; empty where nothing differs. */
export function describeDiff({ set, unset }: ConfigDiff): string {
  const changes = [...set].map(([key, value]) => `${key}=${value}`)
  return [...changes, ...unset.map((key) => `${key} back to its default`)].join(', ')
}
