import type { Ask } from '../../broker/client/admin-client.ts'
import { describeFeatures } from '../../broker/client/admin-features.ts'
import { describeQuorum } from '../../broker/client/admin-quorum.ts'
import type { QuorumDescription, QuorumReplicaDescription } from '../../broker/client/admin-quorum.ts'
import { describeAllTopics, listReassignments } from '../../broker/client/admin-topics.ts'
import type { Reassignment, TopicPartitionDescription } from '../../broker/client/admin-topics.ts'
import { ConfigResourceType } from '../../broker/client/admin-types.ts'
import { KafkaError } from '../../broker/client/kafka-error.ts'
import { ApiKey } from '../../broker/protocol/api-key.ts'
import type { ResponseOf } from '../../broker/protocol/apis.ts'
import { ErrorCode } from '../../broker/protocol/errors.ts'
import { moveKey, movesAround } from './moves.ts'
import type { Runner } from './one-broker.ts'
import type { KafkaState, PartitionState, QuorumReplica } from './state.ts'

const MIN_ISR = 'min.insync.replicas'
const NONE: readonly number[] = []
/** Of one request for configurations: an answer of some 100 KB. */
const TOPICS_PER_REQUEST = 2000

/**
 * Everything in a cluster that the operator goes by. A dozen requests for 10,000 topics; none of them changes anything. Rejects with
 * KafkaError.
 */
export async function readKafkaState(client: Runner): Promise<KafkaState> {
  const before = await listReassignments(client)
  const [cluster, quorum, features, topics] = await Promise.all([
    describeCluster(client),
    describeQuorum(client),
    describeFeatures(client),
    describeAllTopics(client),
  ])
  const minIsr = await readMinIsr(client, [...new Set(topics.map(({ topic }) => topic))])
  const moves = movesAround(before, await listReassignments(client))
  return {
    clusterId: cluster.clusterId ?? '',
    brokers: new Map(cluster.brokers.map(({ brokerId, rack }) => [brokerId, { rack }])),
    quorum: quorumState(quorum),
    partitions: partitionStates(topics, moves, minIsr),
    metadataVersion: features.get('metadata.version') ?? { finalized: 0, min: 0, max: 0 },
  }
}

function describeCluster(client: Runner): Promise<ResponseOf<typeof ApiKey.DescribeCluster>> {
  return client.run(async (ask) => {
    const answer = await ask(ApiKey.DescribeCluster, {})
    if (answer.errorCode !== ErrorCode.NONE) throw KafkaError.fromCode(answer.errorCode, answer.errorMessage)
    return answer
  })
}

/** By topic; one that is gone meanwhile is left out, and no other: what is not known of would not be spared. */
async function readMinIsr(client: Runner, topics: readonly string[]): Promise<Map<string, number>> {
  const found = new Map<string, number>()
  for (let from = 0; from < topics.length; from += TOPICS_PER_REQUEST) {
    const some = topics.slice(from, from + TOPICS_PER_REQUEST)
    for (const [topic, minIsr] of await client.run((ask) => minIsrOf(ask, some))) found.set(topic, minIsr)
  }
  return found
}

async function minIsrOf(ask: Ask, topics: readonly string[]): Promise<[string, number][]> {
  const resourceType = ConfigResourceType.topic
  const resources = topics.map((resourceName) => ({ resourceType, resourceName, configurationKeys: [MIN_ISR] }))
  const { results } = await ask(ApiKey.DescribeConfigs, { resources })
  if (results.length < topics.length) throw KafkaError.network('an answer that leaves topics out')
  return results.flatMap(({ errorCode, errorMessage, resourceName, configs }): [string, number][] => {
    if (errorCode === ErrorCode.UNKNOWN_TOPIC_OR_PARTITION) return []
    if (errorCode !== ErrorCode.NONE) throw KafkaError.fromCode(errorCode, errorMessage)
    return [[resourceName, Number(configs.find(({ name }) => name === MIN_ISR)?.value ?? 1)]]
  })
}

function partitionStates(
  topics: readonly TopicPartitionDescription[],
  moves: ReadonlyMap<string, Reassignment>,
  minIsr: ReadonlyMap<string, number>,
): PartitionState[] {
  return topics.flatMap(({ leader, ...partition }) => {
    const least = minIsr.get(partition.topic)
    if (least === undefined) return []
    const move = moves.size === 0 ? undefined : moves.get(moveKey(partition))
    // Of one that moves the replicas are the controller's too: which come and which go makes no sense of any others.
    const { replicas = partition.replicas, adding = NONE, removing = NONE } = move ?? {}
    return [{ ...partition, leader: leader < 0 ? null : leader, replicas, adding, removing, minIsr: least }]
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
