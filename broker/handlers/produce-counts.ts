import { ErrorCode } from '../protocol/errors.ts'
import type { AppendOutcome } from '../replication/append-outcome.ts'
import type { ProduceEntry } from '../replication/produce.ts'
import { BatchView } from '../records/batch.ts'
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

/** Counts what became of the batches of one request, topic by topic. */
export function countProduced(
  metrics: Metrics,
  entries: readonly ProduceEntry[],
  outcomes: readonly AppendOutcome[],
): void {
  for (let index = 0; index < entries.length; index++) {
    const { partition, records } = entries[index] as ProduceEntry
    if (typeof partition === 'number') continue
    const outcome = outcomes[index] as AppendOutcome
    const topic = metrics.brokerTopic(partition.log.topic)
    topic.totalProduceRequests++
    if (outcome.error !== ErrorCode.NONE) countRefused(topic, records, outcome)
    else if (records !== null) {
      topic.bytesIn += records.length
      topic.messagesIn += outcome.recordCount
    }
  }
}

function countRefused(topic: BrokerTopicMetrics, records: Uint8Array | null, { error, flaw }: AppendOutcome): void {
  if (APPENDED.has(error) && records !== null) {
    topic.bytesIn += records.length
    topic.messagesIn += new BatchView(records).recordCount
    return
  }
  if (!EXPECTED.has(error)) topic.failedProduceRequests++
  if (error === ErrorCode.MESSAGE_TOO_LARGE) topic.bytesRejected += records?.length ?? 0
  if (flaw === 'crc') topic.invalidMessageCrcRecords++
  else if (flaw === 'offsetOrSequence') topic.invalidOffsetOrSequenceRecords++
  else if (flaw !== undefined) topic.noKeyCompactedTopicRecords += flaw.keyless
}
