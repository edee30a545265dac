import { describe, expect, test } from '@jest/globals'
import { httpResponder } from '../../../broker/telemetry/http-responder.ts'
import { IdleRatio } from '../../../broker/telemetry/idle-ratio.ts'
import {
  type BrokerGaugeSources,
  type NodeGaugeSources,
  registerBrokerGauges,
  registerNodeGauges,
} from '../../../broker/telemetry/kafka-gauges.ts'
import type { PartitionSample } from '../../../broker/telemetry/partition-gauges.ts'
import { Metrics } from '../../../broker/telemetry/metrics.ts'
import { Registry } from '../../../broker/telemetry/registry.ts'
import { BusyClock } from '../../fakes/busy-clock.ts'
import { SimClock } from '../../fakes/clock.ts'
import { textOf } from '../../fakes/http.ts'

function create(): { metrics: Metrics; clock: SimClock } {
  const clock = new SimClock()
  return { clock, metrics: new Metrics({ withProcess: false }, { clock }) }
}

async function lines(metrics: Metrics, name: string): Promise<string[]> {
  const text = textOf(await metrics.exposition())
  return text.split('\n').filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `))
}

describe('topic counters', () => {
  const name = 'kafka_server_brokertopicmetrics_bytesin_total'

  test('are told by topic and in total', async () => {
    const { metrics } = create()
    metrics.brokerTopic('a').bytesIn += 5
    metrics.brokerTopic('b').bytesIn += 7
    metrics.brokerTopic('a').bytesIn += 1
    expect(await lines(metrics, name)).toEqual([`${name} 13`, `${name}{topic="a"} 6`, `${name}{topic="b"} 7`])
  })

  test('stay in the total when their topic is deleted', async () => {
    const { metrics } = create()
    metrics.brokerTopic('a').bytesIn += 5
    metrics.removeTopic('a')
    expect(await lines(metrics, name)).toEqual([`${name} 5`])
  })
})

describe('request metrics', () => {
  test('tell quantiles, counts, versions and errors by API', async () => {
    const { metrics } = create()
    for (const ms of [2, 4]) metrics.request('Produce').totalTime.observe(ms)
    for (const version of [11, 11]) metrics.request('Produce').count(version)
    metrics.request('Produce').error('NONE')
    const prefix = 'kafka_network_requestmetrics'
    expect(await lines(metrics, `${prefix}_requests_total`)).toEqual([
      `${prefix}_requests_total{request="Produce",version="11"} 2`,
    ])
    expect(await lines(metrics, `${prefix}_errors_total`)).toEqual([
      `${prefix}_errors_total{request="Produce",error="NONE"} 1`,
    ])
    expect(await lines(metrics, `${prefix}_totaltimems_count`)).toEqual([
      `${prefix}_totaltimems_count{request="Produce"} 2`,
    ])
    const [median] = await lines(metrics, `${prefix}_totaltimems`)
    expect(median).toMatch(/^kafka_network_requestmetrics_totaltimems\{request="Produce",quantile="0.5"\} 2\.0/)
  })

  test('tell of Fetch as a whole, of consumers and of followers', async () => {
    const { metrics } = create()
    const [consumers, followers] = [metrics.request('FetchConsumer'), metrics.request('FetchFollower')]
    for (const ms of [1, 1, 1, 500]) consumers.totalTime.observe(ms)
    followers.totalTime.observe(500)
    consumers.count(17)
    followers.count(17)
    for (const each of [consumers, followers]) each.error('NONE')
    const prefix = 'kafka_network_requestmetrics'
    expect(await lines(metrics, `${prefix}_requests_total`)).toEqual([
      `${prefix}_requests_total{request="FetchConsumer",version="17"} 1`,
      `${prefix}_requests_total{request="FetchFollower",version="17"} 1`,
      `${prefix}_requests_total{request="Fetch",version="17"} 2`,
    ])
    expect(await lines(metrics, `${prefix}_errors_total`)).toEqual([
      `${prefix}_errors_total{request="Fetch",error="NONE"} 2`,
    ])
    expect(await lines(metrics, `${prefix}_totaltimems_sum`)).toContain(
      `${prefix}_totaltimems_sum{request="Fetch"} 1003`,
    )
    const times = await lines(metrics, `${prefix}_totaltimems`)
    expect(times.find((line) => line.includes('"Fetch",quantile="0.5"'))).toMatch(/ 1\.0/)
    expect(times.find((line) => line.includes('"Fetch",quantile="0.75"'))).toMatch(/ 50\d/)
  })

  test('forget old durations as time goes by', async () => {
    const { metrics, clock } = create()
    metrics.request('Fetch').totalTime.observe(500)
    clock.advance(121_000)
    const [median] = await lines(metrics, 'kafka_network_requestmetrics_totaltimems')
    expect(median).toMatch(/ 0$/)
  })
})

test('a registered gauge is read at each scrape', async () => {
  const { metrics } = create()
  let value = 1
  metrics.registerGauge('one', 'help', () => value)
  metrics.registerGauge('many', 'help', () => [{ value, labels: { topic: 't"x' } }])
  value = 2
  expect(await lines(metrics, 'one')).toEqual(['one 2'])
  expect(await lines(metrics, 'many')).toEqual([String.raw`many{topic="t\"x"} 2`])
})

function partition(topic: string, index: number, counts: { replicas: number; isr: number }): PartitionSample {
  return {
    ...counts,
    topic,
    partition: index,
    leader: 1,
    minIsr: 2,
    isPreferred: index !== 2,
    topicPartitions: topic === 't' ? 3 : 1,
    highWatermark: 50,
    logStartOffset: 7,
  }
}

const SOURCES: BrokerGaugeSources & NodeGaugeSources = {
  ledPartitions: () => [
    partition('t', 0, { replicas: 3, isr: 3 }),
    partition('t', 1, { replicas: 3, isr: 2 }),
    partition('t', 2, { replicas: 3, isr: 1 }),
    partition('u', 0, { replicas: 1, isr: 1 }),
  ],
  partitionCount: () => 9,
  offlineReplicaCount: () => 0,
  producerIdCount: () => 1,
  logs: () => [{ topic: 't', partition: 0, sizeInBytes: 10, logStartOffset: 1, logEndOffset: 5, segments: 2 }],
  logDirectories: () => [{ path: '/data', totalBytes: 100, usableBytes: 40 }],
  logDirectoryStates: () => [
    { path: '/data', online: true, isCordoned: true },
    { path: '/gone', online: false, isCordoned: false },
  ],
  brokerState: () => 3,
  self: () => ({ id: 1, address: 'b1:9092' }),
  fetchSessions: () => ({ size: 2, partitionCount: 30, evictions: 1 }),
  raft: () => ({
    state: 'leader',
    leaderId: 1,
    votedId: -1,
    epoch: 3,
    highWatermark: 40,
    logEndOffset: 41,
    voters: 3,
    observers: 2,
    appendRate: 2,
    fetchRate: 0,
    commitLatencyMs: { average: 1.5, max: NaN },
    electionLatencyMs: { average: NaN, max: 12 },
  }),
  raftTraffic: () => ({ requests: 4, responses: 3, sentBytes: 200, receivedBytes: 100 }),
  connections: () => [{ listener: 'PLAINTEXT', open: 4, created: 7 }],
  certificates: () => [['TLS', 1_900_000_000_000]],
  idleRatio: () => 0.75,
  diskBytes: () => undefined,
  groupOffsets: () => [
    { group: 'g', topic: 't', partition: 0, offset: 38, endOffset: 50 },
    { group: 'g', topic: 't', partition: 1, offset: 7, endOffset: 5 },
    { group: 'g', topic: 't', partition: 2, offset: 4, endOffset: undefined },
    { group: 'g', topic: 'u', partition: 0, offset: 1, endOffset: 2 },
  ],
  groupOffsetCount: () => 4,
  groupMembers: () => [['g', 2]],
  groups: () => [['Stable', 2]],
  appliedMetadata: () => ({ offset: 39, timestampMs: 5, lagMs: 7 }),
}

test('the state in the quorum is a label, as the exporters of Kafka have it', async () => {
  const { metrics } = create()
  registerNodeGauges(metrics, SOURCES)
  const name = 'kafka_server_raftmetrics_current_state'
  expect(await lines(metrics, name)).toEqual([`${name}{current_state="leader"} 1`])
})

test('how idle the event loop is, is the same for both of its gauges and in every scrape', async () => {
  const { metrics, clock } = create()
  let asked = 0
  // As the event loop's own figure: asked again at once, there was no time to be idle in.
  const sinceLast = () => (asked++ === 0 ? 0.75 : 0)
  using idle = new IdleRatio(sinceLast, { clock })
  registerNodeGauges(metrics, { ...SOURCES, idleRatio: () => idle.value })
  const told = async () => [
    ...(await lines(metrics, 'kafka_network_socketserver_networkprocessoravgidle_percent')),
    ...(await lines(metrics, 'kafka_server_kafkarequesthandlerpool_requesthandleravgidle_percent')),
  ]
  const values = async () => (await told()).map((line) => line.split(' ')[1])
  expect(await values()).toEqual(['1', '1'])
  clock.advance(10_000)
  expect(await values()).toEqual(['0.75', '0.75'])
  expect(await values()).toEqual(['0.75', '0.75'])
  clock.advance(10_000)
  expect(await values()).toEqual(['0', '0'])
})

test('values and labels are written as Prometheus reads them', async () => {
  const { metrics } = create()
  metrics.registerGauge('values', 'help', () =>
    [NaN, Infinity, -Infinity, 1e21, 0.5].map((value) => ({ value, labels: { l: 'a\\b\nc' } })),
  )
  expect(await lines(metrics, 'values')).toEqual(
    ['NaN', '+Inf', '-Inf', '1e+21', '0.5'].map((value) => String.raw`values{l="a\\b\nc"} ${value}`),
  )
})

test('a long scrape lets others have their turn', async () => {
  let turns = 0
  const metrics = new Metrics({ withProcess: false }, { clock: new BusyClock(() => turns++, 1000) })
  const many = Array.from({ length: 3000 }, (_, i) => ({ value: i, labels: { i } }))
  for (const name of ['a', 'b', 'c']) metrics.registerGauge(name, 'help', () => many)
  expect(await lines(metrics, 'c')).toHaveLength(3000)
  expect(turns).toBe(4)
})

test('one metric of many samples does so too, and is written as UTF-8 in each of them', async () => {
  const registry = new Registry()
  let collected = 0
  registry.gauge('many', 'help', function* () {
    for (; collected < 5000; collected++) yield { value: collected, labels: { i: `ä${collected}` } }
  })
  const turns: number[] = []
  const pieces = await registry.exposition(new BusyClock(() => turns.push(collected), 1000))
  expect(turns.map((at) => Math.round(at / 1000))).toEqual([2, 4])
  expect(pieces.map((piece) => Math.round(textOf([piece]).split('\n').length / 1000))).toEqual([2, 2, 1])
  expect(textOf(pieces)).toBe(
    `# HELP many help\n# TYPE many gauge\n${Array.from({ length: 5000 }, (_, i) => `many{i="ä${i}"} ${i}\n`).join('')}\n`,
  )
})

test('sums over the topics of many groups do so too', async () => {
  let told = 0
  const seen: number[] = []
  const clock = new BusyClock(() => seen.push(told), 1000)
  const metrics = new Metrics({ withProcess: false }, { clock })
  function* offsets() {
    for (told = 0; told < 12_000; told++) {
      yield { group: `g${told >> 2}`, topic: `t${told & 1}`, partition: told & 3, offset: 1, endOffset: undefined }
    }
  }
  registerBrokerGauges(metrics, { ...SOURCES, groupOffsets: offsets })
  const text = textOf(await metrics.exposition())
  const sums = text.split('\n').filter((line) => line.startsWith('kafka_consumergroup_current_offset_sum{'))
  expect(sums).toHaveLength(6000)
  expect(sums.slice(0, 2)).toEqual(
    ['t0', 't1'].map((topic) => `kafka_consumergroup_current_offset_sum{consumergroup="g0",topic="${topic}"} 2`),
  )
  // A line of each offset, and then one of the sum of two.
  expect(seen.slice(0, 9).map((at) => Math.round(at / 2000))).toEqual([1, 2, 3, 4, 5, 6, 2, 4, 6])
})

test('scrapes at the same time share one text', async () => {
  const { metrics } = create()
  let collected = 0
  metrics.registerGauge('collected', 'help', () => ++collected)
  await Promise.all([metrics.exposition(), metrics.exposition(), metrics.exposition()])
  expect(collected).toBe(1)
  expect(await lines(metrics, 'collected')).toEqual(['collected 2'])
})

test('a scrape waits for what has to be asked for first', async () => {
  const { metrics } = create()
  let value = 0
  metrics.registerGauge('asked', 'help', () => value)
  metrics.beforeScrape(async () => {
    await Promise.resolve()
    value = 1
  })
  expect(await lines(metrics, 'asked')).toEqual(['asked 1'])
})

describe('Kafka gauges', () => {
  test.each([
    ['kafka_server_replicamanager_leadercount', ['4']],
    ['kafka_server_replicamanager_underreplicatedpartitions', ['2']],
    ['kafka_server_replicamanager_underminisrpartitioncount', ['1']],
    ['kafka_cluster_partition_underminisr', ['0', '0', '1', '0']],
    ['kafka_cluster_partition_atminisr', ['0', '1', '0', '1']],
    ['kafka_log_log_size', ['10']],
    ['kafka_server_raftmetrics_high_watermark', ['40']],
    ['kafka_server_raftmetrics_number_of_voters', ['3']],
    ['kafka_server_brokermetadatametrics_last_applied_record_offset', ['39']],
    ['kafka_server_socket_server_metrics_connection_count', ['4']],
    ['kafka_server_socket_server_metrics_connection_creation_total', ['7']],
    ['kafka_server_socket_server_metrics_connection_close_total', ['3']],
    ['kafka_server_fetchsessioncache_numincrementalfetchsessions', ['2']],
    ['kafka_server_fetchsessioncache_numincrementalfetchpartitionscached', ['30']],
    ['kafka_server_fetchsessioncache_incrementalfetchsessionevictions_total', ['1']],
    ['kafka_consumergroup_lag', ['12', '0', '1']],
    ['kafka_consumergroup_lag_sum', ['12', '1']],
    ['kafka_consumergroup_current_offset', ['38', '7', '4', '1']],
    ['kafka_consumergroup_current_offset_sum', ['49', '1']],
    ['kafka_consumergroup_members', ['2']],
    ['kafka_topic_partitions', ['3', '1']],
    ['kafka_topic_partition_leader_is_preferred', ['1', '1', '0', '1']],
    ['kafka_topic_partition_current_offset', ['50', '50', '50', '50']],
    ['kafka_topic_partition_oldest_offset', ['7', '7', '7', '7']],
    ['ottla_log_directory_usable_bytes', ['40']],
    ['kafka_log_logmanager_logdirectoryoffline', ['0', '1']],
    ['kafka_log_logmanager_logdirectorycordoned', ['1', '0']],
    ['kafka_server_kafkaserver_brokerstate', ['3']],
    ['kafka_coordinator_group_groupmetadatamanager_numoffsets', ['4']],
    ['ottla_listener_certificate_not_after_seconds', ['1900000000']],
    ['kafka_server_raftmetrics_commit_latency_avg', ['1.5']],
    ['kafka_server_raftmetrics_commit_latency_max', []],
    ['kafka_server_raftmetrics_election_latency_avg', []],
    ['kafka_server_raftmetrics_election_latency_max', ['12']],
    ['kafka_server_raftchannelmetrics_incoming_byte_total', ['100']],
    ['kafka_server_kafkaserver_linux_disk_read_bytes', []],
    ['kafka_coordinator_group_groupmetadatamanager_numgroupsstable', ['2']],
    ['kafka_controller_kafkacontroller_activecontrollercount', []],
  ])('%s', async (name, expected) => {
    const { metrics } = create()
    registerBrokerGauges(metrics, SOURCES)
    registerNodeGauges(metrics, SOURCES)
    const found = await lines(metrics, name)
    expect(found.map((line) => line.split(' ').at(-1))).toEqual(expected)
  })
})

test.each([
  ['/healthz', null, 'loading', 200],
  ['/readyz', null, 'loading', 503],
  ['/readyz', 'stuck', null, 503],
  ['/readyz', null, null, 200],
  ['/metrics', null, null, 200],
  ['/nothing', null, null, 404],
])('%s with unhealthy=%s and notReady=%s answers with %i', async (path, unhealthy, notReady, status) => {
  const { metrics } = create()
  const respond = httpResponder({ metrics, health: { unhealthy: () => unhealthy, notReady: () => notReady } })
  expect((await respond(path)).status).toBe(status)
})
