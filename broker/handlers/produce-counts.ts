import { ErrorCode } from '../protocol/errors.ts'
import type { AppendOutcome } from '../replication/append-outcome.ts'
import type { Partition } from '../replication/partition.ts'
import type { BrokerTopicMetrics } from '../telemetry/broker-topic-metrics.ts'
import type { Metrics } from '../telemetry/metrics.ts'

/** The client's mistakes and the everyday of a cluster: as in Apache Kafka, what counts as failed is what nobody expects. */
const EXPECTED: ReadonlySet<ErrorCode> = new Set([
  ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
  ErrorCode.UNKNOWN_TOPIC_ID,
  ErrorCode.NOT_LEADER_OR_FOLLOWER,
  ErrorCode.MESSAGE_TOO_LARGE,
  ErrorCode.RECORD_LIST_TOO_LARGE,
  ErrorCode.CORRUPT_MESSAGE,
  ErrorCode.KAFKA_STORAGE_ERROR,
  ErrorCode.DUPLICATE_SEQUENCE_NUMBER,
])
/** Appended, and not replicated as far as was asked for. */
const APPENDED: ReadonlySet<ErrorCode> = new Set([
  ErrorCode.REQUEST_TIMED_OUT,
  ErrorCode.NOT_ENOUGH_REPLICAS_AFTER_APPEND,
])

/** What is counted of a batch of a request; `sizeInBytes` is 0 where there is none. */
export interface CountedBatch {
  readonly partition: Partition | ErrorCode
  readonly sizeInBytes: number
}

/** Counts what became of the batches of one request, topic by topic. */
export function countProduced(
  metrics: Metrics,
  entries: readonly CountedBatch[],
  outcomes: readonly AppendOutcome[],
): void {
  for (let index = 0; index < entries.length; index++) {
    const { partition, sizeInBytes } = entries[index] as CountedBatch
    if (typeof partition === 'number') continue
    const outcome = outcomes[index] as AppendOutcome
    const topic = metrics.brokerTopic(partition.log.topic)
    topic.totalProduceRequests++
    if (outcome.error !== ErrorCode.NONE && !APPENDED.has(outcome.error)) countRefused(topic, sizeInBytes, outcome)
    else {
      topic.bytesIn += sizeInBytes
      topic.messagesIn += outcome.recordCount
    }
  }
}

function countRefused(topic: BrokerTopicMetrics, sizeInBytes: number, { error, flaw }: AppendOutcome): void {
  if (!EXPECTED.has(error)) topic.failedProduceRequests++
  if (error === ErrorCode.MESSAGE_TOO_LARGE) topic.bytesRejected += sizeInBytes
  if (flaw === 'crc') topic.invalidMessageCrcRecords++
  else if (flaw === 'offsetOrSequence') topic.invalidOffsetOrSequenceRecords++
  else if (flaw !== undefined) topic.noKeyCompactedTopicRecords += flaw.keyless
}
