import { brokerKey } from './broker-keys.ts'
import { key } from './key.ts'
import type { ConfigKey } from './key.ts'
import { atLeast } from './validators.ts'

const UNLIMITED = '9223372036854775807'

/** Limits on the copying of replicas (KIP-73, KIP-113) that can be set while brokers run, and in no server.properties. */
const DYNAMIC_ONLY_KEYS: readonly ConfigKey[] = [
  key('follower.replication.throttled.rate', 'long', UNLIMITED, 'medium', 'cluster-wide', atLeast(0)),
  key('leader.replication.throttled.rate', 'long', UNLIMITED, 'medium', 'cluster-wide', atLeast(0)),
  key('replica.alter.log.dirs.io.max.bytes.per.second', 'long', UNLIMITED, 'medium', 'cluster-wide', atLeast(0)),
]

/** What can be set for brokers in the metadata log. */
export function dynamicKey(name: string): ConfigKey | undefined {
  return brokerKey(name) ?? DYNAMIC_ONLY_KEYS.find((one) => one.name === name)
}
