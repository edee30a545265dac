import { brokerKey } from '../../broker/config/broker-keys.ts'
import type { ConfigDiff } from '../api/config-diff.ts'
import { THREAD_POOLS } from '../../broker/config/dynamic-config.ts'

/** `diff` as far as brokers take it at once: a pool of threads may at most double or halve (KIP-226). Pure. */
export function stepOf({ set, unset }: ConfigDiff, current: ReadonlyMap<string, string>): ConfigDiff {
  const step = new Map(set)
  for (const [name, value] of set) step.set(name, towards(name, value, current))
  const far = unset.filter((name) => {
    const target = brokerKey(name)?.default
    if (typeof target !== 'string' || towards(name, target, current) === target) return false
    step.set(name, towards(name, target, current))
    return true
  })
  return { set: step, unset: unset.filter((name) => !far.includes(name)) }
}

/** The value on the way from what `name` is now to `target`; that itself where it is near enough, or no number that can be reached. */
function towards(name: string, target: string, current: ReadonlyMap<string, string>): string {
  const now = Number(current.get(name) ?? brokerKey(name)?.default)
  if (!THREAD_POOLS.has(name) || !(now > 0)) return target
  if (Number(target) > now * 2) return String(now * 2)
  const half = Math.ceil(now / 2)
  return Number(target) < half && half < now ? String(half) : target
}
