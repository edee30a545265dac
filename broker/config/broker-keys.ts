import { GROUPS_KEYS } from './broker-keys-groups.ts'
import { SECURITY_KEYS } from './broker-keys-security.ts'
import { SERVER_KEYS } from './broker-keys-server.ts'
import { STORAGE_KEYS } from './broker-keys-storage.ts'
import type { ConfigKey, ValuesOf } from './key.ts'

/** Every key of server.properties. */
export const BROKER_KEYS = [...SERVER_KEYS, ...STORAGE_KEYS, ...GROUPS_KEYS, ...SECURITY_KEYS] as const

export type BrokerValues = ValuesOf<typeof BROKER_KEYS>

const BY_NAME: ReadonlyMap<string, ConfigKey> = new Map(BROKER_KEYS.map((key) => [key.name, key]))

/** KIP-103: `listener.name.<listener>.<key>` sets `key` for one listener. */
const LISTENER_PREFIX = /^listener\.name\.[^.]+\./

/** The key of that name; a key for one listener is described by the one that it overrides. */
export function brokerKey(name: string): ConfigKey | undefined {
  const own = BY_NAME.get(name)
  if (own !== undefined || !LISTENER_PREFIX.test(name)) return own
  const base = name.replace(LISTENER_PREFIX, '')
  // SASL keys may carry their mechanism too: listener.name.internal.scram-sha-512.sasl.jaas.config.
  return BY_NAME.get(base) ?? BY_NAME.get(base.replace(/^[^.]+\.(?=sasl\.)/, ''))
}

/** The name without its listener, null where it has none. */
export function withoutListener(name: string): string | null {
  return LISTENER_PREFIX.test(name) ? name.replace(LISTENER_PREFIX, '') : null
}

/** Keys that mean the same in other units: each falls back to the next. */
const CHAINS: readonly (readonly string[])[] = [
  ['log.retention.ms', 'log.retention.minutes', 'log.retention.hours'],
  ['log.roll.ms', 'log.roll.hours'],
  ['log.roll.jitter.ms', 'log.roll.jitter.hours'],
  ['log.flush.interval.ms', 'log.flush.scheduler.interval.ms'],
]

/** Where a key's value may come from, first choice first: itself, then what it falls back to. */
export function brokerSynonyms(name: string): readonly string[] {
  const base = withoutListener(name)
  if (base !== null) return [name, base]
  const chain = CHAINS.find((names) => names.includes(name))
  return chain?.slice(chain.indexOf(name)) ?? [name]
}
