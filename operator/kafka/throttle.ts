/** What limits the copying of replicas (KIP-73), set while reassignments run and only then: never drift. */

/** Of the brokers, bytes a second. */
export const THROTTLED_RATES: readonly string[] = [
  'leader.replication.throttled.rate',
  'follower.replication.throttled.rate',
]

/** Of topics: the replicas that the rate applies to. Those in sync are never held back. */
export const THROTTLED_REPLICAS: readonly string[] = [
  'leader.replication.throttled.replicas',
  'follower.replication.throttled.replicas',
]
