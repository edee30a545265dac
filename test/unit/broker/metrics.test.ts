import { expect, test } from '@jest/globals'
import { ApiKey } from '../../../broker/protocol/api-key.ts'
import { ErrorCode } from '../../../broker/protocol/errors.ts'
import { buildBatch } from '../../../broker/records/build.ts'
import { textOf } from '../../fakes/http.ts'
import { TestCluster } from './bed.ts'

const METRICS_PORT = 9404
const PARTITIONS = 6
const RECORDS = 5
/** What is left for the group to consume, of each partition. */
const COMMITTED = 2

/** Series that the dashboards and alerts of Kafka's users ask for, as the JMX exporter, and kafka_exporter for topics and groups, name them. */
const NAMES = [
  'kafka_broker_info',
  'kafka_cluster_partition_atminisr',
  'kafka_cluster_partition_replicascount',
  'kafka_cluster_partition_underminisr',
  'kafka_consumergroup_current_offset',
  'kafka_consumergroup_current_offset_sum',
  'kafka_consumergroup_lag',
  'kafka_consumergroup_lag_sum',
  'kafka_consumergroup_members',
  'kafka_controller_controllerstats_uncleanleaderelections_total',
  'kafka_controller_kafkacontroller_activecontrollercount',
  'kafka_controller_kafkacontroller_offlinepartitionscount',
  'kafka_controller_kafkacontroller_lastappliedrecordlagms',
  'kafka_controller_kafkacontroller_lastcommittedrecordoffset',
  'kafka_controller_kafkacontroller_newactivecontrollerscount',
  'kafka_coordinator_group_groupmetadatamanager_numoffsets',
  'kafka_log_log_size',
  'kafka_log_logmanager_logdirectoryoffline',
  'kafka_server_fetchsessioncache_numincrementalfetchsessions',
  'kafka_server_kafkaserver_brokerstate',
  'kafka_log_logmanager_cordonedlogdirectorycount',
  'kafka_log_logmanager_offlinelogdirectorycount',
  'kafka_network_requestmetrics_requests_total',
  'kafka_network_requestmetrics_totaltimems',
  'kafka_network_socketserver_networkprocessoravgidle_percent',
  'kafka_server_brokertopicmetrics_bytesin_total',
  'kafka_server_brokertopicmetrics_bytesout_total',
  'kafka_server_brokertopicmetrics_failedfetchrequests_total',
  'kafka_server_brokertopicmetrics_failedproducerequests_total',
  'kafka_server_brokertopicmetrics_messagesin_total',
  'kafka_server_brokertopicmetrics_totalfetchrequests_total',
  'kafka_server_brokertopicmetrics_totalproducerequests_total',
  'kafka_server_kafkarequesthandlerpool_requesthandleravgidle_percent',
  'kafka_server_raftchannelmetrics_incoming_byte_total',
  'kafka_server_raftchannelmetrics_outgoing_byte_total',
  'kafka_server_raftchannelmetrics_request_total',
  'kafka_server_raftchannelmetrics_response_total',
  'kafka_server_raftmetrics_append_records_rate',
  'kafka_server_raftmetrics_commit_latency_avg',
  'kafka_server_raftmetrics_current_epoch',
  'kafka_server_raftmetrics_current_leader',
  'kafka_server_raftmetrics_current_state',
  'kafka_server_raftmetrics_current_vote',
  'kafka_server_raftmetrics_fetch_records_rate',
  'kafka_server_raftmetrics_high_watermark',
  'kafka_server_raftmetrics_election_latency_max',
  'kafka_server_raftmetrics_log_end_offset',
  'kafka_server_replicamanager_leadercount',
  'kafka_server_replicamanager_partitioncount',
  'kafka_server_replicamanager_underminisrpartitioncount',
  'kafka_server_replicamanager_underreplicatedpartitions',
  'kafka_server_socket_server_metrics_connection_count',
  'kafka_server_socket_server_metrics_connection_creation_total',
  'kafka_topic_partition_current_offset',
  'kafka_topic_partition_in_sync_replica',
  'kafka_topic_partition_leader_is_preferred',
  'kafka_topic_partition_oldest_offset',
  'kafka_topic_partition_replicas',
  'kafka_topic_partition_under_replicated_partition',
  'kafka_topic_partitions',
]

/** A topic on three brokers, every partition with one replica, some records, and a group that has consumed a part of them. */
async function clusterWithGroup(): Promise<TestCluster> {
  const cluster = new TestCluster(['broker,controller', 'broker,controller', 'broker,controller'], {
    'metrics.listen': `0.0.0.0:${METRICS_PORT}`,
    'offsets.topic.replication.factor': '1',
    'offsets.topic.num.partitions': '3',
  })
  await cluster.start()
  const topic = { name: 't', numPartitions: PARTITIONS, replicationFactor: 1, assignments: [], configs: [] }
  await cluster.ask(cluster.nodes[0], ApiKey.CreateTopics, { topics: [topic], timeoutMs: 5000 })
  await cluster.until(
    ApiKey.Metadata,
    () => ({ topics: [{ name: 't' }] }),
    ({ topics }) => topics[0]?.partitions.length === PARTITIONS,
  )
  await produce(cluster)
  await commit(cluster)
  return cluster
}

async function produce(cluster: TestCluster): Promise<void> {
  const records = buildBatch({
    records: Array.from({ length: RECORDS }, () => ({ key: null, value: new Uint8Array(10) })),
    baseTimestampMs: 1_000_000_000_000,
  })
  const answer = await cluster.ask(cluster.nodes[0], ApiKey.Metadata, { topics: [{ name: 't' }] })
  const [topic] = answer?.topics ?? []
  for (const { partitionIndex: index, leaderId } of topic?.partitions ?? []) {
    const node = cluster.nodes.find(({ id }) => id === leaderId)
    const topicData = [{ name: 't', topicId: topic?.topicId ?? '', partitionData: [{ index, records }] }]
    await cluster.ask(node, ApiKey.Produce, { acks: -1, timeoutMs: 5000, topicData })
  }
}

async function commit(cluster: TestCluster): Promise<void> {
  const { topicId = '' } =
    (await cluster.ask(cluster.nodes[0], ApiKey.Metadata, { topics: [{ name: 't' }] }))?.topics[0] ?? {}
  const partitions = Array.from({ length: PARTITIONS }, (_, partitionIndex) => ({
    partitionIndex,
    committedOffset: BigInt(COMMITTED),
  }))
  for (let attempt = 0; attempt < 100; attempt++) {
    const found = await cluster.ask(cluster.nodes[0], ApiKey.FindCoordinator, { keyType: 0, coordinatorKeys: ['g'] })
    const coordinator = cluster.nodes.find(({ id }) => id === found?.coordinators[0]?.nodeId)
    const body = { groupId: 'g', generationIdOrMemberEpoch: -1, topics: [{ name: 't', topicId, partitions }] }
    const answer = await cluster.ask(coordinator, ApiKey.OffsetCommit, body)
    const errors = answer?.topics[0]?.partitions.map(({ errorCode }) => errorCode)
    if (errors?.every((code) => code === ErrorCode.NONE) === true) return
    await cluster.world.clock.run(100)
  }
  throw new Error('the offsets cannot be committed')
}

/** The lines of every node's /metrics. */
async function scrape(cluster: TestCluster): Promise<string[]> {
  const texts = cluster.nodes.map(async ({ machine }) => {
    const answer = await machine.http?.get(METRICS_PORT, '/metrics')
    return answer === undefined ? '' : textOf(answer.body)
  })
  const all = await cluster.world.clock.runFor(Promise.all(texts), 10_000)
  return all.flatMap((text) => text.split('\n'))
}

function nameOf(line: string): string {
  return line.replace(/[{ ].*/, '')
}

test('dashboards find every name that they know', async () => {
  const cluster = await clusterWithGroup()
  const names = new Set((await scrape(cluster)).filter((line) => !line.startsWith('#')).map(nameOf))
  expect(NAMES.filter((name) => !names.has(name))).toEqual([])
  await cluster.stop()
})

test('the lag of every partition is told once, whoever leads it', async () => {
  const cluster = await clusterWithGroup()
  const lines = await scrape(cluster)
  const lag = lines.filter((line) => nameOf(line) === 'kafka_consumergroup_lag').sort()
  expect(lag).toEqual(
    Array.from(
      { length: PARTITIONS },
      (_, partition) =>
        `kafka_consumergroup_lag{consumergroup="g",topic="t",partition="${partition}"} ${RECORDS - COMMITTED}`,
    ),
  )
  await cluster.stop()
})

test('the sums over all brokers count every topic and partition once', async () => {
  const cluster = await clusterWithGroup()
  const lines = await scrape(cluster)
  const sum = (name: string): number =>
    lines
      .filter((line) => line.startsWith(`${name}{`) && line.includes('topic="t"'))
      .reduce((total, line) => total + Number(line.split(' ').at(-1)), 0)
  expect(sum('kafka_topic_partitions')).toBe(PARTITIONS)
  expect(sum('kafka_topic_partition_replicas')).toBe(PARTITIONS)
  expect(sum('kafka_topic_partition_current_offset')).toBe(PARTITIONS * RECORDS)
  await cluster.stop()
})
