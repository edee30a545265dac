import { ApiKey } from '../protocol/api-key.ts'
import type { ResponseOf } from '../protocol/apis.ts'
import { ErrorCode } from '../protocol/errors.ts'
import type { AdminClient } from './admin-client.ts'
import { KafkaError } from './kafka-error.ts'

/** The quorum of the metadata log, as its leader sees it (KIP-595, KIP-853). */
export interface QuorumDescription {
  readonly leaderId: number
  readonly voters: readonly QuorumReplicaDescription[]
  readonly observers: readonly QuorumReplicaDescription[]
}

export interface QuorumReplicaDescription {
  readonly id: number
  readonly directoryId: string
  readonly logEndOffset: number
  /** When it last had all that the leader had, in ms since 1970 by the leader's clock; -1: never, as far as this leader knows. */
  readonly lastCaughtUpMs: number
}

type Partition = ResponseOf<typeof ApiKey.DescribeQuorum>['topics'][number]['partitions'][number]

/** Rejects with KafkaError, where there is no leader with a retriable one. */
export function describeQuorum(client: Pick<AdminClient, 'run'>): Promise<QuorumDescription> {
  return client.run(async (ask) => {
    const topics = [{ topicName: '__cluster_metadata', partitions: [{ partitionIndex: 0 }] }]
    const answer = await ask(ApiKey.DescribeQuorum, { topics })
    if (answer.errorCode !== ErrorCode.NONE) throw KafkaError.fromCode(answer.errorCode, answer.errorMessage)
    const partition = answer.topics[0]?.partitions[0]
    if (partition === undefined) throw KafkaError.network('an answer without the metadata log')
    if (partition.errorCode !== ErrorCode.NONE) throw KafkaError.fromCode(partition.errorCode, partition.errorMessage)
    const { leaderId, currentVoters, observers } = partition
    return { leaderId, voters: currentVoters.map(replica), observers: observers.map(replica) }
  })
}

function replica(described: Partition['currentVoters'][number]): QuorumReplicaDescription {
  const { replicaId, replicaDirectoryId, logEndOffset, lastCaughtUpTimestamp } = described
  return {
    id: replicaId,
    directoryId: replicaDirectoryId,
    logEndOffset: Number(logEndOffset),
    lastCaughtUpMs: Number(lastCaughtUpTimestamp),
  }
}
