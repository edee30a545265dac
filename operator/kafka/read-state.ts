import type { AdminClient } from '../../broker/client/admin-client.ts'
import { describeFeatures } from '../../broker/client/admin-features.ts'
import { describeQuorum } from '../../broker/client/admin-quorum.ts'
import type { QuorumDescription, QuorumReplicaDescription } from '../../broker/client/admin-quorum.ts'
import { describeAllTopics, listReassignments } from '../../broker/client/admin-topics.ts'
import type { Reassignment, TopicPartitionDescription } from '../../broker/client/admin-topics.ts'
import { KafkaError } from '../../broker/client/kafka-error.ts'
import type { KafkaState, PartitionState, QuorumReplica } from './state.ts'

const MIN_ISR = 'min.insync.replicas'
/** Of one request for configurations: an answer of some 100 KB. */
const TOPICS_PER_REQUEST = 2000

/**
 * Everything in a cluster that the operator goes by. A dozen requests for 10,000 topics; none of them changes anything. Rejects with
 * KafkaError.
 */
export async function readKafkaState(client: AdminClient): Promise<KafkaState> {
  const [cluster, quorum, features, topics, reassignments] = await Promise.all([
    client.describeCluster(),
    describeQuorum(client),
    describeFeatures(client),
    describeAllTopics(client),
    listReassignments(client),
  ])
  const minIsr = await readMinIsr(client, [...new Set(topics.map(({ topic }) => topic))])
  return {
    clusterId: cluster.clusterId ?? '',
    brokers: new Map(cluster.brokers.map(({ id, rack }) => [id, { rack }])),
    quorum: quorumState(quorum),
    partitions: partitionStates(topics, reassignments, minIsr),
    metadataVersion: features.get('metadata.version') ?? { finalized: 0, min: 0, max: 0 },
  }
}

/** By topic; one that is gone meanwhile is left out, and no other: what is not known of would not be spared. */
async function readMinIsr(client: AdminClient, topics: readonly string[]): Promise<Map<string, number>> {
  const found = new Map<string, number>()
  for (let from = 0; from < topics.length; from += TOPICS_PER_REQUEST) {
    const some = topics.slice(from, from + TOPICS_PER_REQUEST)
    for (const [topic, entries] of await client.describeConfigs('topic', some, [MIN_ISR])) {
      if (entries instanceof KafkaError) {
        if (entries.code === 'UNKNOWN_TOPIC_OR_PARTITION') continue
        throw entries
      }
      found.set(topic, Number(entries.find(({ name }) => name === MIN_ISR)?.value ?? 1))
    }
  }
  return found
}

function partitionStates(
  topics: readonly TopicPartitionDescription[],
  reassignments: readonly Reassignment[],
  minIsr: ReadonlyMap<string, number>,
): PartitionState[] {
  const moving = new Map(reassignments.map((move) => [`${move.topic}/${move.partition}`, move]))
  return topics.flatMap(({ leader, ...partition }) => {
    const least = minIsr.get(partition.topic)
    if (least === undefined) return []
    const move = moving.get(`${partition.topic}/${partition.partition}`)
    const { adding = [], removing = [] } = move ?? {}
    return [{ ...partition, leader: leader < 0 ? null : leader, adding, removing, minIsr: least }]
  })
}

/** How far the replicas are behind is measured by the leader's clock alone. */
function quorumState({ leaderId, voters, observers }: QuorumDescription): KafkaState['quorum'] {
  const now = Math.max(...[...voters, ...observers].map(({ lastCaughtUpMs }) => lastCaughtUpMs))
  const state = ({ lastCaughtUpMs, ...replica }: QuorumReplicaDescription): QuorumReplica => ({
    ...replica,
    lagMs: lastCaughtUpMs < 0 ? null : now - lastCaughtUpMs,
  })
  return { leaderId, voters: voters.map(state), observers: observers.map(state) }
}
