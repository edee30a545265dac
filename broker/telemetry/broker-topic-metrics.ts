import type { Registry, Sample } from './registry.ts'

/** Counts of one topic since the start; the produce and fetch paths add to them. */
export class BrokerTopicMetrics {
  messagesIn = 0
  bytesIn = 0
  bytesOut = 0
  bytesRejected = 0
  replicationBytesIn = 0
  replicationBytesOut = 0
  totalProduceRequests = 0
  failedProduceRequests = 0
  totalFetchRequests = 0
  failedFetchRequests = 0
  produceMessageConversions = 0
  noKeyCompactedTopicRecords = 0
  invalidMagicNumberRecords = 0
  invalidMessageCrcRecords = 0
  invalidOffsetOrSequenceRecords = 0
}

type Field = keyof BrokerTopicMetrics

/** Kafka's MBean is the field's name in PascalCase + PerSec, its exported name the same in lower case + _total. */
const HELP: Readonly<Record<Field, string>> = {
  messagesIn: 'Records received from producers',
  bytesIn: 'Bytes received from producers',
  bytesOut: 'Bytes sent to consumers',
  bytesRejected: 'Bytes of batches that were too large',
  replicationBytesIn: 'Bytes received from other brokers',
  replicationBytesOut: 'Bytes sent to other brokers',
  totalProduceRequests: 'Produce requests, counted once a partition',
  failedProduceRequests: 'Produce requests that failed, counted once a partition',
  totalFetchRequests: 'Fetch requests, counted once a partition',
  failedFetchRequests: 'Fetch requests that failed, counted once a partition',
  produceMessageConversions: 'Produce requests whose batches were rewritten',
  noKeyCompactedTopicRecords: 'Records without a key for a compacted topic',
  invalidMagicNumberRecords: 'Batches of an unknown format',
  invalidMessageCrcRecords: 'Batches whose checksum was wrong',
  invalidOffsetOrSequenceRecords: 'Batches with wrong offsets or sequence numbers',
}

function isField(name: string): name is Field {
  return name in HELP
}

const FIELDS = Object.keys(HELP).filter(isField)

/** The counts of all topics, each and in total. */
export class AllTopicsMetrics {
  readonly #topics = new Map<string, BrokerTopicMetrics>()
  /** What deleted topics counted: a total never goes back. */
  readonly #gone = new BrokerTopicMetrics()

  constructor(registry: Registry) {
    for (const field of FIELDS) {
      const name = `kafka_server_brokertopicmetrics_${field.toLowerCase()}_total`
      registry.counter(name, `${HELP[field]}, by topic, and of all topics without a label`, () => this.#samples(field))
    }
  }

  topic(name: string): BrokerTopicMetrics {
    const known = this.#topics.get(name)
    if (known !== undefined) return known
    const created = new BrokerTopicMetrics()
    this.#topics.set(name, created)
    return created
  }

  remove(name: string): void {
    const topic = this.#topics.get(name)
    if (topic === undefined) return
    for (const field of FIELDS) this.#gone[field] += topic[field]
    this.#topics.delete(name)
  }

  #samples(field: Field): Sample[] {
    let total = this.#gone[field]
    const samples: Sample[] = []
    for (const [topic, metrics] of this.#topics) {
      total += metrics[field]
      samples.push({ value: metrics[field], labels: { topic } })
    }
    return [{ value: total }, ...samples]
  }
}
