import type { Ask } from '../../broker/client/admin-client.ts'
import { describeFeatures } from '../../broker/client/admin-features.ts'
import { describeQuorum } from '../../broker/client/admin-quorum.ts'
import type { QuorumDescription, QuorumReplicaDescription } from '../../broker/client/admin-quorum.ts'
import { describeAllTopics, listReassignments } from '../../broker/client/admin-topics.ts'
import type { Reassignment } from '../../broker/client/admin-topics.ts'
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
/** Of a topic that is gone meanwhile. */
const UNKNOWN = -1
/** Lists of brokers of which there is one each. The more brokers, the more there may be, and each is rare. */
const LISTS_MAX = 10_000
/** Of one request for configurations: an answer of some 100 KB. */
const TOPICS_PER_REQUEST = 2000

/**
 * Everything in a cluster that the operator goes by. A dozen requests for 10,000 topics; none of them changes anything. Rejects with
 * KafkaError.
 */
export async function readKafkaState(client: Runner): Promise<KafkaState> {
  const before = await listReassignments(client)
  const [cluster, quorum, features, partitions] = await Promise.all([
    describeCluster(client),
    describeQuorum(client),
    describeFeatures(client),
    readPartitions(client),
  ])
  const minIsr = await readMinIsr(client, [...new Set(partitions.map(({ topic }) => topic))])
  const moves = movesAround(before, await listReassignments(client))
  return {
    clusterId: cluster.clusterId ?? '',
    brokers: new Map(cluster.brokers.map(({ brokerId, rack }) => [brokerId, { rack }])),
    quorum: quorumState(quorum),
    partitions: completed(partitions, moves, minIsr),
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

type Draft = { -readonly [Key in keyof PartitionState]: PartitionState[Key] }

/** As the broker tells of them; what it does not tell is still to come. */
async function readPartitions(client: Runner): Promise<Draft[]> {
  const lists = new Map<string, readonly number[]>()
  const shared = (ids: readonly number[]): readonly number[] => {
    const key = ids.join()
    const known = lists.get(key) ?? ids
    if (lists.size < LISTS_MAX) lists.set(key, known)
    return known
  }
  const drafts: Draft[] = []
  for await (const page of describeAllTopics(client)) {
    for (const { topic, topicId, partition, leader, replicas, isr } of page) {
      const told = { topic, topicId, partition, leader: leader < 0 ? null : leader }
      drafts.push({ ...told, replicas: shared(replicas), isr: shared(isr), adding: NONE, removing: NONE, minIsr: 0 })
    }
  }
  return drafts
}

/** In place, since there may be a million. */
function completed(
  drafts: Draft[],
  moves: ReadonlyMap<string, Reassignment>,
  minIsr: ReadonlyMap<string, number>,
): readonly PartitionState[] {
  for (const draft of drafts) {
    draft.minIsr = minIsr.get(draft.topic) ?? UNKNOWN
    const move = moves.size === 0 ? undefined : moves.get(moveKey(draft))
    if (move === undefined) continue
    // Of one that moves the replicas are the controller's too: which come and which go makes no sense of any others.
    const { replicas, adding, removing } = move
    Object.assign(draft, { replicas, adding, removing })
  }
  return drafts.filter((draft) => draft.minIsr !== UNKNOWN)
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
