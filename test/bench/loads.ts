/** What the producers of one run send; `acks=all` and idempotence, as clients do by default. */
export interface Load {
  /** Also the topic and the name in the report. */
  readonly name: string
  readonly recordBytes: number
  readonly records: number
  readonly properties: readonly string[]
}

const LARGE_BATCHES = ['batch.size=131072', 'linger.ms=5']
const LZ4 = ['compression.type=lz4']

/** The load that every mode measures, and that the consumer reads. */
export const MAIN_LOAD: Load = { name: 'produce_1k', recordBytes: 1024, records: 250_000, properties: [] }

const SMALL = { recordBytes: 100, records: 1_500_000 }
const KILOBYTE = { recordBytes: 1024, records: 250_000 }

/** Both record sizes, with and without lz4, in the client's default batches and in 128 KiB batches. Their order matters. */
export const FULL_LOADS: readonly Load[] = [
  MAIN_LOAD,
  { name: 'produce_1k_lz4', ...KILOBYTE, properties: LZ4 },
  { name: 'produce_1k_128k', ...KILOBYTE, properties: LARGE_BATCHES },
  { name: 'produce_1k_128k_lz4', ...KILOBYTE, properties: [...LARGE_BATCHES, ...LZ4] },
  { name: 'produce_100b', ...SMALL, properties: [] },
  { name: 'produce_100b_lz4', ...SMALL, properties: LZ4 },
  { name: 'produce_100b_128k', ...SMALL, properties: LARGE_BATCHES },
  { name: 'produce_100b_128k_lz4', ...SMALL, properties: [...LARGE_BATCHES, ...LZ4] },
  // Once more: by now both brokers have compiled what they run, which takes Apache's JVM some ten thousand requests, and V8 as many.
  { name: 'produce_1k_again', ...KILOBYTE, properties: [] },
  { name: 'produce_100b_again', ...SMALL, properties: [] },
]

/** Of three nodes with three replicas: each record is written three times. */
export const CLUSTER_LOADS: readonly Load[] = [
  { name: 'produce_1k', recordBytes: 1024, records: 150_000, properties: [] },
  { name: 'produce_1k_128k', recordBytes: 1024, records: 200_000, properties: LARGE_BATCHES },
]

/** To see that all of it runs. */
export const QUICK_CLUSTER_LOADS: readonly Load[] = CLUSTER_LOADS.map((load) => ({ ...load, records: 30_000 }))

/** Before anything is measured: both brokers compile most of what they run. */
export const WARM_UP: Load = { name: 'warm-up', recordBytes: 1024, records: 150_000, properties: [] }

/**
 * The load under which latency is measured. Without the client's linger: its default of 5 ms is longer than either broker takes, and would be
 * most of both figures.
 */
export const LATENCY = { name: 'latency', recordBytes: 1024, recordsPerSecond: 3000, properties: ['linger.ms=0'] }
