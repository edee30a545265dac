import { topicNameProblem } from '../controller/topic-name.ts'
import { toInt64 } from '../lib/int64.ts'
import { ApiKey } from '../protocol/api-key.ts'
import { ErrorCode } from '../protocol/errors.ts'
import type { DescribeProducersResponse } from '../protocol/messages/describe-producers.ts'
import type { Partition } from '../replication/partition.ts'
import type { ReplicaManager } from '../replication/replica-manager.ts'
import type { ClusterView } from './cluster-view.ts'
import type { Handler } from './handler.ts'

export interface DescribeProducersDeps {
  readonly replicas: ReplicaManager
  readonly cluster: () => ClusterView
}

type PartitionResponse = DescribeProducersResponse['topics'][number]['partitions'][number]

/** DescribeProducers (61), v0: the producer state of replicas that this broker hosts, whether or not it leads them (KIP-664). */
export function describeProducersHandler(deps: DescribeProducersDeps): Handler<typeof ApiKey.DescribeProducers> {
  return {
    key: ApiKey.DescribeProducers,
    handle: (request) => ({
      throttleTimeMs: 0,
      topics: request.topics.map(({ name, partitionIndexes }) => ({
        name,
        partitions: partitionIndexes.map(
          (index) => refused(deps, name, index) ?? describe(index, deps.replicas.find(name, index)),
        ),
      })),
    }),
  }
}

/** Where there is no such topic; of a partition that there is not, nothing is explained. */
function refused({ cluster }: DescribeProducersDeps, topic: string, partitionIndex: number): PartitionResponse | null {
  const problem = topicNameProblem(topic)
  if (problem !== null) return failed(partitionIndex, ErrorCode.INVALID_TOPIC_EXCEPTION, problem)
  if (cluster().topic(topic) !== undefined) return null
  return failed(partitionIndex, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, 'This server does not host this topic-partition.')
}

function failed(partitionIndex: number, errorCode: ErrorCode, errorMessage: string | null): PartitionResponse {
  return { partitionIndex, errorCode, errorMessage, activeProducers: [] }
}

function describe(partitionIndex: number, partition: Partition | ErrorCode): PartitionResponse {
  const errorCode = typeof partition === 'number' ? partition : partition.checkReader(-1, true)
  if (errorCode !== ErrorCode.NONE || typeof partition === 'number') return failed(partitionIndex, errorCode, null)
  return {
    partitionIndex,
    errorCode,
    errorMessage: null,
    activeProducers: [...partition.log.producers.entries()].map((producer) => ({
      producerId: BigInt(producer.producerId),
      producerEpoch: producer.epoch,
      lastSequence: producer.lastSequence,
      lastTimestamp: toInt64(producer.lastTimestampMs),
      coordinatorEpoch: producer.coordinatorEpoch,
      currentTxnStartOffset: BigInt(producer.currentTxnFirstOffset ?? -1),
    })),
  }
}
