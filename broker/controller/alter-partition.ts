import { LOST_DIRECTORY } from '../metadata/directory-id.ts'
import { NO_LEADER, type PartitionImage, RECOVERED } from '../metadata/image.ts'
import { partitionAfter } from '../metadata/partition-after.ts'
import type { ApiKey } from '../protocol/api-key.ts'
import type { RequestOf, ResponseInputOf } from '../protocol/apis.ts'
import { ErrorCode } from '../protocol/errors.ts'
import { checkBrokerEpoch } from './brokers.ts'
import { allowsUnclean, type Cluster } from './cluster.ts'
import { changePartition, RECOVERING } from './partition-change.ts'
import { type ElementOf, type NewMetadataRecord, type Outcome } from './result.ts'

type Request = RequestOf<typeof ApiKey.AlterPartition>
type Response = ResponseInputOf<typeof ApiKey.AlterPartition>
type Asked = Request['topics'][number]['partitions'][number]
type Answer = ElementOf<ElementOf<Response['topics']>['partitions']>

interface IsrMember {
  readonly brokerId: number
  /** -1: not told (v2). */
  readonly brokerEpoch: number
}

/** The ISR as its leader wants it (KIP-497, KIP-903); each partition is refused on its own. Throws ApiError STALE_BROKER_EPOCH. */
export function alterPartition(cluster: Cluster, request: Request): Outcome<Response> {
  const { image } = cluster
  checkBrokerEpoch(image, request.brokerId, Number(request.brokerEpoch))
  const records: NewMetadataRecord[] = []
  const topics = request.topics.map(({ topicId, partitions }) => ({
    topicId,
    partitions: partitions.map((asked) => alter(cluster, request.brokerId, topicId, asked, records)),
  }))
  return { records, response: { throttleTimeMs: 0, errorCode: ErrorCode.NONE, topics }, isDivisible: true }
}

function alter(
  cluster: Cluster,
  brokerId: number,
  topicId: string,
  asked: Asked,
  records: NewMetadataRecord[],
): Answer {
  const { partitionIndex, leaderRecoveryState } = asked
  const topic = cluster.image.topicById(topicId)
  if (topic === undefined) return { partitionIndex, errorCode: ErrorCode.UNKNOWN_TOPIC_ID }
  const partition = topic.partitions[partitionIndex]
  if (partition === undefined) return { partitionIndex, errorCode: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION }
  const errorCode = problemOf(cluster, brokerId, partition, asked)
  if (errorCode !== ErrorCode.NONE) return { partitionIndex, errorCode }
  const record = changePartition(
    cluster,
    { topic, partition },
    {
      isr: membersOf(asked).map((member) => member.brokerId),
      leaderRecoveryState,
      election: allowsUnclean(cluster, topic.name) ? 'unclean' : 'clean',
    },
  )
  if (record === null) return answerOf(partition)
  records.push(record)
  const after = partitionAfter(partition, record.value)
  // The reassignment is complete, and the leader is not among the replicas that stay.
  if (after.leader !== brokerId) return { partitionIndex, errorCode: ErrorCode.NEW_LEADER_ELECTED }
  return answerOf(after)
}

function answerOf(partition: PartitionImage): Answer {
  const { index, leader, leaderEpoch, isr, leaderRecoveryState, partitionEpoch } = partition
  return {
    partitionIndex: index,
    errorCode: ErrorCode.NONE,
    leaderId: leader,
    leaderEpoch,
    isr: [...isr],
    leaderRecoveryState,
    partitionEpoch,
  }
}

function membersOf({ newIsrWithEpochs, newIsr }: Asked): IsrMember[] {
  if (newIsrWithEpochs.length === 0) return newIsr.map((brokerId) => ({ brokerId, brokerEpoch: -1 }))
  return newIsrWithEpochs.map(({ brokerId, brokerEpoch }) => ({ brokerId, brokerEpoch: Number(brokerEpoch) }))
}

function problemOf({ image }: Cluster, brokerId: number, partition: PartitionImage, asked: Asked): ErrorCode {
  const { leader, leaderEpoch, partitionEpoch } = partition
  // The leader knows of changes that this controller does not: another one is active.
  if (asked.leaderEpoch > leaderEpoch || asked.partitionEpoch > partitionEpoch) return ErrorCode.NOT_CONTROLLER
  if (asked.leaderEpoch < leaderEpoch) return ErrorCode.FENCED_LEADER_EPOCH
  if (leader === NO_LEADER || brokerId !== leader) return ErrorCode.INVALID_REQUEST
  if (asked.partitionEpoch < partitionEpoch) return ErrorCode.INVALID_UPDATE_VERSION
  const members = membersOf(asked)
  if (!isIsrOf(partition, members)) return ErrorCode.INVALID_REQUEST
  if (!isRecovery(partition, asked.leaderRecoveryState, members)) return ErrorCode.INVALID_REQUEST
  const isEligible = ({ brokerId: id, brokerEpoch }: IsrMember) => {
    const broker = image.brokers.get(id)
    if (broker === undefined || broker.isFenced || broker.isInControlledShutdown) return false
    // It is about to cut what it had when its leader heard of it last.
    if (partition.directories[partition.replicas.indexOf(id)] === LOST_DIRECTORY) return false
    return brokerEpoch === -1 || brokerEpoch === broker.epoch
  }
  return members.every(isEligible) ? ErrorCode.NONE : ErrorCode.INELIGIBLE_REPLICA
}

/** Replicas, each once, the leader among them. */
function isIsrOf({ replicas, leader }: PartitionImage, members: readonly IsrMember[]): boolean {
  const ids = new Set(members.map(({ brokerId }) => brokerId))
  return ids.size === members.length && ids.has(leader) && [...ids].every((id) => replicas.includes(id))
}

/** KIP-704: a leader that recovers is alone, and recovers once. */
function isRecovery({ leaderRecoveryState: before }: PartitionImage, after: number, members: readonly IsrMember[]) {
  if (after !== RECOVERED && after !== RECOVERING) return false
  return after === RECOVERED || (before === RECOVERING && members.length === 1)
}
