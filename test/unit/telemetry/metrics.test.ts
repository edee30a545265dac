import { describe, expect, test } from '@jest/globals'
import { httpResponder } from '../../../broker/telemetry/http-responder.ts'
import {
  type BrokerGaugeSources,
  type NodeGaugeSources,
  registerBrokerGauges,
  registerNodeGauges,
} from '../../../broker/telemetry/kafka-gauges.ts'
import { createLogger } from '../../../broker/telemetry/logger.ts'
import { Metrics } from '../../../broker/telemetry/metrics.ts'
import { SimClock } from '../../fakes/clock.ts'

function create(): { metrics: Metrics; clock: SimClock } {
  const clock = new SimClock()
  return { clock, metrics: new Metrics({ withProcess: false }, { clock }) }
}

async function lines(metrics: Metrics, name: string): Promise<string[]> {
  const text = await metrics.text()
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
    metrics.request('Produce').observe(2, 11)
    metrics.request('Produce').observe(4, 11)
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

  test('forget old durations as time goes by', async () => {
    const { metrics, clock } = create()
    metrics.request('Fetch').observe(500)
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

const SOURCES: BrokerGaugeSources & NodeGaugeSources = {
  ledPartitions: () => [
    { topic: 't', partition: 0, replicas: 3, isr: 3, minIsr: 2 },
    { topic: 't', partition: 1, replicas: 3, isr: 2, minIsr: 2 },
    { topic: 't', partition: 2, replicas: 3, isr: 1, minIsr: 2 },
    { topic: 'u', partition: 0, replicas: 1, isr: 1, minIsr: 2 },
  ],
  partitionCount: () => 9,
  offlineReplicaCount: () => 0,
  producerIdCount: () => 1,
  logs: () => [{ topic: 't', partition: 0, sizeInBytes: 10, logStartOffset: 1, logEndOffset: 5, segments: 2 }],
  offlineLogDirectoryCount: () => 0,
  raft: () => ({
    state: 'leader',
    leaderId: 1,
    epoch: 3,
    highWatermark: 40,
    logEndOffset: 41,
    voters: 3,
    observers: 2,
  }),
  connections: () => [['PLAINTEXT', 4]],
  idleRatio: () => 0.75,
  consumerLag: () => [{ group: 'g', topic: 't', partition: 0, lag: 12 }],
  groups: () => [['Stable', 2]],
  appliedMetadata: () => ({ offset: 39, timestampMs: 5, lagMs: 7 }),
}

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
    ['kafka_consumergroup_lag', ['12']],
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

test('a log line is one JSON object with level, time, bindings, fields and message', () => {
  const written: string[] = []
  const logger = createLogger(
    { level: 'info' },
    { clock: new SimClock(1000), destination: { write: (line) => written.push(line) } },
  )
  logger.child({ component: 'log' }).warn({ topic: 't' }, 'rolled')
  logger.debug({}, 'not at this level')
  expect(written.map((line) => JSON.parse(line))).toEqual([
    { level: 'warn', time: 1000, component: 'log', topic: 't', msg: 'rolled' },
  ])
  expect(written[0]?.endsWith('\n')).toBe(true)
})
