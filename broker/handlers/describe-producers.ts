import { ApiKey } from '../protocol/api-key.ts'
import { ErrorCode } from '../protocol/errors.ts'
import type { DescribeProducersResponse } from '../protocol/messages/describe-producers.ts'
import type { Partition } from '../replication/partition.ts'
import type { ReplicaManager } from '../replication/replica-manager.ts'
import type { Handler } from './handler.ts'

export interface DescribeProducersDeps {
  readonly replicas: ReplicaManager
}

type PartitionResponse = DescribeProducersResponse['topics'][number]['partitions'][number]

/** DescribeProducers (61), v0: the producer state of partitions that this broker leads (KIP-664). */
export function describeProducersHandler(deps: DescribeProducersDeps): Handler<typeof ApiKey.DescribeProducers> {
  return {
    key: ApiKey.DescribeProducers,
    handle: (request) => ({
      throttleTimeMs: 0,
      topics: request.topics.map(({ name, partitionIndexes }) => ({
        name,
        partitions: partitionIndexes.map((index) => describe(index, deps.replicas.find(name, index))),
      })),
    }),
  }
}

function describe(partitionIndex: number, partition: Partition | ErrorCode): PartitionResponse {
  const errorCode = typeof partition === 'number' ? partition : partition.checkLeader(-1)
  if (errorCode !== ErrorCode.NONE || typeof partition === 'number')
    return { partitionIndex, errorCode, errorMessage: null, activeProducers: [] }
  return {
    partitionIndex,
    errorCode,
    errorMessage: null,
    activeProducers: [...partition.log.producers.entries()].map((producer) => ({
      producerId: BigInt(producer.producerId),
      producerEpoch: producer.epoch,
      lastSequence: producer.lastSequence,
      lastTimestamp: BigInt(producer.lastTimestampMs),
      coordinatorEpoch: producer.coordinatorEpoch,
      currentTxnStartOffset: BigInt(producer.currentTxnFirstOffset ?? -1),
    })),
  }
}
