import type { ExtraCondition } from '../api/conditions.ts'
import type { KafkaCluster } from '../api/resource.ts'
import type { KafkaState, PartitionState } from '../kafka/state.ts'
import { durabilityOf } from '../specs/broker-config.ts'

/** A topic with what it has of what spec.durability promises. */
export interface TopicDurability {
  readonly topic: string
  /** Of the partition that has the fewest, reassignments under way counted as done. */
  readonly replicationFactor: number
  readonly minIsr: number
}

export interface DurabilityPlan {
  /** Topics whose own min.insync.replicas goes: the cluster's, which they have then, is what spec.durability says. */
  readonly resetMinIsr: readonly string[]
  readonly conditions: readonly ExtraCondition[]
}

/** In a message; the others are counted. */
const NAMES_MAX = 10

/**
 * Holds every topic, internal ones too, to spec.durability: with policy enforce what can be set is set, and `raisedFactors` is for the
 * reassignment; what is short of it is named either way. Pure.
 */
export function planDurability(cluster: KafkaCluster, kafka: KafkaState): DurabilityPlan {
  const promise = durabilityOf(cluster)
  const isEnforced = cluster.spec.durability.policy === 'enforce'
  const topics = topicsOf(kafka.partitions)
  const lowIsr = topics.filter(({ minIsr }) => minIsr < promise.minInSyncReplicas)
  const lowFactor = topics.filter(({ replicationFactor }) => replicationFactor < promise.replicationFactor)
  const words = [
    ...lowIsr.map(({ topic, minIsr }) => `${topic} (min.insync.replicas ${minIsr})`),
    ...lowFactor.map(({ topic, replicationFactor }) => `${topic} (replicas ${replicationFactor})`),
  ]
  const asked = `replicationFactor ${promise.replicationFactor}, minInSyncReplicas ${promise.minInSyncReplicas}`
  const met: ExtraCondition =
    words.length === 0
      ? {
          type: DURABILITY,
          status: 'True',
          reason: 'Met',
          message: `every topic has what spec.durability promises: ${asked}`,
        }
      : {
          type: DURABILITY,
          status: 'False',
          reason: isEnforced ? 'BeingEnforced' : 'BelowPromise',
          message: `less than spec.durability promises (${asked}): ${listed(words)}${isEnforced ? ADVICE.enforce : ADVICE.warn}`,
        }
  return {
    resetMinIsr: isEnforced ? lowIsr.map(({ topic }) => topic) : [],
    conditions: [met, restartSafety(topics, kafka.brokers.size)],
  }
}

/** The replication factors that policy enforce asks for, of topics that have less. */
export function raisedFactors(cluster: KafkaCluster, kafka: KafkaState): Map<string, number> {
  const { replicationFactor: promised } = durabilityOf(cluster)
  if (cluster.spec.durability.policy !== 'enforce') return new Map()
  const low = topicsOf(kafka.partitions).filter(({ replicationFactor }) => replicationFactor < promised)
  return new Map(low.map(({ topic }) => [topic, promised]))
}

/** What is told where nobody can be asked: what was the matter before is taken to go on. */
export function keptDurability({ status }: KafkaCluster): ExtraCondition[] {
  return (status?.conditions ?? [])
    .filter(({ type }) => type === DURABILITY || type === RESTART_SAFE)
    .map(({ type, status: is, reason, message }) => ({ type, status: is, reason, message }))
}

const DURABILITY = 'DurabilityMet'
const RESTART_SAFE = 'RestartSafe'
const ADVICE = {
  enforce: '; they are being changed',
  warn: '; change them, or set spec.durability.policy to enforce',
}

/** Whether a broker can be restarted without acks=all failing. On a single broker that cannot be. */
function restartSafety(topics: readonly TopicDurability[], brokers: number): ExtraCondition {
  const tight = brokers < 2 ? [] : topics.filter(({ replicationFactor, minIsr }) => minIsr >= replicationFactor)
  if (tight.length === 0) {
    return { type: RESTART_SAFE, status: 'True', reason: 'Safe', message: 'no topic needs all of its replicas' }
  }
  const words = tight.map(
    ({ topic, replicationFactor, minIsr }) => `${topic} (replicas ${replicationFactor}, min.insync.replicas ${minIsr})`,
  )
  const message = `writes fail while a broker with one of these restarts: ${listed(words)}; they need more replicas than min.insync.replicas`
  return { type: RESTART_SAFE, status: 'False', reason: 'MinIsrTooHigh', message }
}

function topicsOf(partitions: readonly PartitionState[]): TopicDurability[] {
  const topics = new Map<string, TopicDurability>()
  for (const { topic, replicas, adding, removing, minIsr } of partitions) {
    const target = new Set([...replicas, ...adding])
    for (const id of removing) target.delete(id)
    const least = Math.min(topics.get(topic)?.replicationFactor ?? target.size, target.size)
    topics.set(topic, { topic, replicationFactor: least, minIsr })
  }
  return [...topics.values()]
}

function listed(words: readonly string[]): string {
  const more = words.length - NAMES_MAX
  return words.slice(0, NAMES_MAX).join(', ') + (more > 0 ? ` and ${more} more` : '')
}
