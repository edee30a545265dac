import { ApiKey } from '../protocol/api-key.ts'
import { ErrorCode } from '../protocol/errors.ts'
import type { AdminClient } from './admin-client.ts'
import { KafkaError } from './kafka-error.ts'

export interface TopicPartition {
  readonly topic: string
  readonly partition: number
}

/** Where a partition's replicas are to be, the preferred leader first; null: the reassignment under way is cancelled (KIP-455). */
export interface ReassignmentTarget extends TopicPartition {
  readonly replicas: readonly number[] | null
}

/** One that was refused. */
export interface RefusedReassignment extends TopicPartition {
  readonly error: KafkaError
}

const PREFERRED = 0
/** Answers that say that there is nothing to do. */
const NOTHING_TO_DO: ReadonlySet<number> = new Set([
  ErrorCode.NONE,
  ErrorCode.ELECTION_NOT_NEEDED,
  ErrorCode.PREFERRED_LEADER_NOT_AVAILABLE,
])
/** Cancelling where nothing is under way: it has just ended. */
const NOTHING_TO_CANCEL = ErrorCode.NO_REASSIGNMENT_IN_PROGRESS

/** Starts or cancels reassignments; resolves with those that the controller refuses. Rejects with KafkaError. */
export function alterReassignments(
  client: AdminClient,
  targets: readonly ReassignmentTarget[],
): Promise<RefusedReassignment[]> {
  return client.run(async (ask) => {
    const topics = byTopic(targets).map(([name, some]) => ({
      name,
      partitions: some.map(({ partition, replicas }) => ({
        partitionIndex: partition,
        replicas: replicas === null ? null : [...replicas],
      })),
    }))
    const answer = await ask(ApiKey.AlterPartitionReassignments, { topics })
    if (answer.errorCode !== ErrorCode.NONE) throw KafkaError.fromCode(answer.errorCode, answer.errorMessage)
    return answer.responses.flatMap(({ name, partitions }) =>
      partitions.flatMap(({ partitionIndex, errorCode, errorMessage }) =>
        errorCode === ErrorCode.NONE || errorCode === NOTHING_TO_CANCEL
          ? []
          : [{ topic: name, partition: partitionIndex, error: KafkaError.fromCode(errorCode, errorMessage) }],
      ),
    )
  })
}

/** Makes the preferred replicas leaders of all partitions, where they are in sync (KIP-460). Rejects with KafkaError. */
export function electPreferredLeaders(client: AdminClient): Promise<void> {
  return client.run(async (ask) => {
    const answer = await ask(ApiKey.ElectLeaders, { electionType: PREFERRED, topicPartitions: null })
    if (answer.errorCode !== ErrorCode.NONE) throw KafkaError.fromCode(answer.errorCode)
    const failed = answer.replicaElectionResults
      .flatMap(({ partitionResult }) => partitionResult)
      .find(({ errorCode }) => !NOTHING_TO_DO.has(errorCode))
    if (failed !== undefined) throw KafkaError.fromCode(failed.errorCode, failed.errorMessage)
  })
}

function byTopic<T extends TopicPartition>(items: readonly T[]): [string, T[]][] {
  return [...Map.groupBy(items, ({ topic }) => topic)]
}
