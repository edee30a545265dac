import { TOPIC_KEYS } from '../../broker/config/topic-keys.ts'
import { crc32c } from '../../broker/lib/crc32c.ts'
import { KAFKA_TOPIC } from '../api/resource.ts'
import type { Manifest } from '../api/resource.ts'
import type { TopicState } from '../topic/admin.ts'
import { PASSING } from '../topic/plan.ts'
import { ANNOTATION_PAUSED } from '../api/paused.ts'

export interface ImportOptions {
  /** The KafkaCluster that the topics will belong to. */
  readonly cluster: { readonly name: string; readonly namespace?: string }
  /** Null: whatever `kubectl apply` puts them into. */
  readonly namespace: string | null
  /** The topics are looked at only. */
  readonly observe: boolean
}

export interface Imported {
  /** KafkaTopics, by name. */
  readonly manifests: readonly Manifest[]
  /** What they leave out, in words. */
  readonly warnings: readonly string[]
}

const NAME_MAX = 253
const KNOWN: ReadonlySet<string> = new Set(TOPIC_KEYS.map(({ name }) => name))
const MIN_ISR = 'min.insync.replicas'

/** The KafkaTopics of existing topics, which change nothing when they are applied. Deleting one leaves its topic. Pure. */
export function importTopics(topics: ReadonlyMap<string, TopicState>, options: ImportOptions): Imported {
  const warnings: string[] = []
  const taken = new Set<string>()
  const manifests = [...topics]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([topic, state]) => {
      const name = resourceName(topic, taken)
      taken.add(name)
      return manifestOf(topic, name, state, options, (warning) => warnings.push(`topic ${topic}: ${warning}`))
    })
  return { manifests, warnings }
}

function manifestOf(
  topic: string,
  name: string,
  state: TopicState,
  options: ImportOptions,
  warn: (text: string) => void,
): Manifest {
  const config = configOf(state, warn)
  const minIsr = Number(config[MIN_ISR] ?? 0)
  if (minIsr > state.replicas) {
    warn(
      `${MIN_ISR} ${minIsr} exceeds its ${state.replicas} replicas, which no KafkaTopic may say: spec.replicas is left out`,
    )
  }
  return {
    apiVersion: KAFKA_TOPIC.apiVersion,
    kind: KAFKA_TOPIC.kind,
    metadata: {
      name,
      ...(options.namespace === null ? {} : { namespace: options.namespace }),
      ...(options.observe ? { annotations: { [ANNOTATION_PAUSED]: 'true' } } : {}),
    },
    spec: {
      cluster: options.cluster,
      ...(topic === name ? {} : { topicName: topic }),
      partitions: state.partitions,
      ...(minIsr > state.replicas ? {} : { replicas: state.replicas }),
      ...(Object.keys(config).length === 0 ? {} : { config }),
      deletionPolicy: 'retain',
    },
  }
}

function configOf({ config }: TopicState, warn: (text: string) => void): Record<string, string> {
  const kept = [...config].filter(([key]) => {
    if (PASSING.has(key)) return false
    if (KNOWN.has(key)) return true
    warn(`${key} is no topic configuration of Kafka 4.3: left out`)
    return false
  })
  return Object.fromEntries(kept.sort(([a], [b]) => (a < b ? -1 : 1)))
}

/** A name that Kubernetes takes (RFC 1123), as near to the topic's as can be; other than those that are `taken`. */
function resourceName(topic: string, taken: ReadonlySet<string>): string {
  const plain = topic
    .toLowerCase()
    .replaceAll(/[^a-z0-9.]+/g, '-')
    .replaceAll(/[-.]*\.[-.]*/g, '.')
    .replaceAll(/^[-.]+|[-.]+$/g, '')
  if (plain !== '' && !taken.has(plain)) return plain
  const suffix = crc32c(Buffer.from(topic)).toString(16).padStart(8, '0')
  return plain === '' ? `topic-${suffix}` : `${plain.slice(0, NAME_MAX - suffix.length - 1)}-${suffix}`
}
