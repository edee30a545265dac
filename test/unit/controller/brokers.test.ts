import { describe, expect, test } from '@jest/globals'
import { registerBroker, unregisterBroker } from '../../../broker/controller/brokers.ts'
import { electLeaders } from '../../../broker/controller/elect-leaders.ts'
import { brokerHeartbeat, fenceBroker } from '../../../broker/controller/heartbeats.ts'
import { allocateProducerIds } from '../../../broker/controller/producer-ids.ts'
import type { MetadataImage } from '../../../broker/metadata/image.ts'
import { ErrorCode } from '../../../broker/protocol/errors.ts'
import { config, feature, record, topic, uuid } from '../metadata/records.ts'
import { after, applied, clusterOf, of } from './cluster.ts'

const CONTEXT = { clusterId: 'cluster', nextOffset: 500, kraftVersion: 0, hasSession: false, isConnected: false }
/** Not in controlled shutdown, and everybody has read everything. */
const NO_SHUTDOWN = { shutdownOffset: undefined, lowestActiveOffset: Infinity }

function registration(brokerId: number, incarnationId = uuid(77)) {
  return {
    brokerId,
    clusterId: 'cluster',
    incarnationId,
    listeners: [{ name: 'PLAINTEXT', host: 'localhost', port: 9092, securityProtocol: 0 }],
    features: [{ name: 'metadata.version', minSupportedVersion: 7, maxSupportedVersion: 30 }],
    rack: null,
    isMigratingZkBroker: false,
    logDirs: [uuid(brokerId)],
    previousBrokerEpoch: -1n,
  }
}

function heartbeat(
  image: MetadataImage,
  brokerId: number,
  wants: { fence?: boolean; shutDown?: boolean; at?: number },
  context: { shutdownOffset: number | undefined; lowestActiveOffset: number } = NO_SHUTDOWN,
) {
  const request = {
    brokerId,
    brokerEpoch: BigInt(image.brokers.get(brokerId)?.epoch ?? -1),
    currentMetadataOffset: BigInt(wants.at ?? 1000),
    wantFence: wants.fence ?? false,
    wantShutDown: wants.shutDown ?? false,
    offlineLogDirs: [],
    cordonedLogDirs: null,
  }
  const { records, response } = brokerHeartbeat(of(image), request, context)
  return { records, response: response.response }
}

/** A partition of topic 9 on these replicas, all in sync, led by the first. */
function partitionOn(replicas: number[]) {
  const value = { partitionId: 0, topicId: uuid(9), replicas, isr: replicas, leader: replicas[0] ?? -1, leaderEpoch: 0 }
  const directories = replicas.map((id) => uuid(id))
  return [
    record('TopicRecord', { name: 'topic-9', topicId: uuid(9) }),
    record('PartitionRecord', { ...value, partitionEpoch: 0, directories }, 2),
  ]
}

describe('registration', () => {
  test('a new broker is fenced, and its epoch is the offset of its record', () => {
    const outcome = registerBroker(of(clusterOf([])), registration(1), CONTEXT)
    expect(outcome.response).toBe(500)
    expect(after(clusterOf([]), outcome).brokers.get(1)).toMatchObject({ epoch: 500, isFenced: true })
  })

  test('a new incarnation leads nothing that the old one led', () => {
    const image = clusterOf([1], [], topic(9, 2))
    const outcome = registerBroker(of(image), registration(1), CONTEXT)
    expect(outcome.response).toBe(502)
    const next = after(image, outcome)
    expect(next.topic('topic-9')?.partitions.map(({ leader, isr }) => [leader, isr])).toEqual([
      [-1, [1]],
      [-1, [1]],
    ])
  })

  test('another incarnation is refused while the registered one is alive', () => {
    const register = (context: object, request = registration(1)) =>
      registerBroker(of(clusterOf([1])), request, { ...CONTEXT, hasSession: true, ...context })
    const refused = expect.objectContaining({ code: ErrorCode.DUPLICATE_BROKER_REGISTRATION })
    expect(() => register({ isConnected: true })).toThrow(refused)
    const onOtherDisks = { ...registration(1), logDirs: [uuid(77)] }
    expect(() => register({ isConnected: false }, onOtherDisks)).toThrow(refused)
  })

  test('another incarnation on the disks of one whose connection has broken need not wait for the end of its session', () => {
    const context = { ...CONTEXT, hasSession: true, isConnected: false }
    expect(registerBroker(of(clusterOf([1])), registration(1), context).response).toBe(500)
  })

  test('the same incarnation keeps its epoch and its state', () => {
    const image = clusterOf([1], [], topic(9, 1))
    const outcome = registerBroker(of(image), registration(1, uuid(101)), { ...CONTEXT, hasSession: true })
    expect(outcome.records.map(({ type }) => type)).toEqual(['RegisterBrokerRecord'])
    expect(after(image, outcome).brokers.get(1)).toMatchObject({ epoch: 101, isFenced: false })
  })

  test.each([
    ['another cluster', { clusterId: 'other' }, ErrorCode.INCONSISTENT_CLUSTER_ID],
    ['no directory', { logDirs: [] }, ErrorCode.INVALID_REGISTRATION],
    ['a reserved directory', { logDirs: ['AAAAAAAAAAAAAAAAAAAAAQ'] }, ErrorCode.INVALID_REGISTRATION],
    ['a directory of another broker', { logDirs: [uuid(2)] }, ErrorCode.INVALID_REGISTRATION],
    ['no metadata.version', { features: [] }, ErrorCode.INVALID_REGISTRATION],
    [
      'an old metadata.version',
      { features: [{ name: 'metadata.version', minSupportedVersion: 7, maxSupportedVersion: 29 }] },
      ErrorCode.UNSUPPORTED_VERSION,
    ],
  ])('%s is refused', (_what, wrong, code) => {
    const register = () => registerBroker(of(clusterOf([2])), { ...registration(1), ...wrong }, CONTEXT)
    expect(register).toThrow(expect.objectContaining({ code }))
  })
})

describe('heartbeats', () => {
  test('a broker that has read its registration is unfenced, and leads again', () => {
    const image = applied(clusterOf([1], [], topic(9, 1)), fenceBroker(of(clusterOf([1], [], topic(9, 1))), 1))
    expect(image.topic('topic-9')?.partitions[0]?.leader).toBe(-1)
    expect(heartbeat(image, 1, { at: 100 }).records).toEqual([])
    const outcome = heartbeat(image, 1, { at: 101 })
    expect(outcome.response).toMatchObject({ isFenced: false, isCaughtUp: true })
    expect(after(image, outcome).topic('topic-9')?.partitions[0]).toMatchObject({ leader: 1, leaderEpoch: 2, isr: [1] })
  })

  test('a broker that wants to shut down hands over first', () => {
    let image = clusterOf([1, 2], [], partitionOn([1, 2]))
    const first = heartbeat(image, 1, { shutDown: true })
    expect(first.response).toMatchObject({ shouldShutDown: false, isFenced: false })
    image = after(image, first)
    expect(image.topic('topic-9')?.partitions[0]).toMatchObject({ leader: 2, isr: [2] })
    const second = heartbeat(image, 1, { shutDown: true })
    expect(second.response).toMatchObject({ shouldShutDown: true, isFenced: true })
    expect(after(image, second).brokers.get(1)?.isFenced).toBe(true)
  })

  test('a stale epoch is refused', () => {
    const request = () => brokerHeartbeat(of(clusterOf([1])), { ...STALE, brokerId: 1 }, NO_SHUTDOWN)
    expect(request).toThrow(expect.objectContaining({ code: ErrorCode.STALE_BROKER_EPOCH }))
  })
})

const STALE = {
  brokerEpoch: 7n,
  currentMetadataOffset: 0n,
  wantFence: false,
  wantShutDown: false,
  offlineLogDirs: [],
  cordonedLogDirs: null,
}

describe('leaders', () => {
  const leaderless = [
    ...topic(9, 1),
    record(
      'PartitionChangeRecord',
      {
        topicId: uuid(9),
        partitionId: 0,
        leader: -1,
        isr: [],
        eligibleLeaderReplicas: [1],
        lastKnownElr: [1],
      },
      2,
    ),
  ]

  test('an eligible leader replica leads when nobody is in sync', () => {
    const image = clusterOf([1], [1], [feature('eligible.leader.replicas.version', 1), ...leaderless])
    const partition = after(image, heartbeat(image, 1, {})).topic('topic-9')?.partitions[0]
    expect(partition).toMatchObject({ leader: 1, isr: [1], eligibleLeaderReplicas: [], leaderRecoveryState: 0 })
  })

  test('with eligible leader replicas the last of the ISR becomes one', () => {
    const image = clusterOf([1], [], [feature('eligible.leader.replicas.version', 1), ...topic(9, 1)])
    const partition = applied(image, fenceBroker(of(image), 1)).topic('topic-9')?.partitions[0]
    expect(partition).toMatchObject({ leader: -1, isr: [], eligibleLeaderReplicas: [1], lastKnownElr: [1] })
  })

  test('nobody out of sync leads unless that is allowed', () => {
    const fenced = (more: ReturnType<typeof config>[]) => {
      const image = clusterOf([1, 2], [2], [...partitionOn([1]), ...more])
      const change = { topicId: uuid(9), partitionId: 0, replicas: [1, 2] }
      return applied(image, [{ type: 'PartitionChangeRecord', version: 2, value: change }])
    }
    const safe = fenced([])
    expect(applied(safe, fenceBroker(of(safe), 1)).topic('topic-9')?.partitions[0]).toMatchObject({
      leader: -1,
      isr: [1],
    })
    const unclean = fenced([config(2, 'topic-9', 'unclean.leader.election.enable', 'true')])
    const gone = applied(unclean, fenceBroker(of(unclean), 1))
    expect(after(gone, heartbeat(gone, 2, {})).topic('topic-9')?.partitions[0]).toMatchObject({
      leader: 2,
      isr: [2],
      leaderRecoveryState: 1,
    })
  })

  test('an unregistered broker is out of every ISR that has others', () => {
    const image = clusterOf([1, 2], [], partitionOn([1, 2]))
    const next = after(image, unregisterBroker(of(image), 1))
    expect(next.brokers.has(1)).toBe(false)
    expect(next.topic('topic-9')?.partitions[0]).toMatchObject({ leader: 2, isr: [2] })
  })

  test('with one replica there is no election to hold', () => {
    const image = clusterOf([1], [], topic(9, 1))
    const topicPartitions = [{ topic: 'topic-9', partitions: [0, 7] }]
    const { records, response } = electLeaders(of(image), { electionType: 0, topicPartitions, timeoutMs: 0 })
    expect(records).toEqual([])
    expect(response.replicaElectionResults?.[0]?.partitionResult?.map(({ errorCode }) => errorCode)).toEqual([
      ErrorCode.ELECTION_NOT_NEEDED,
      ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
    ])
    const all = electLeaders(of(image), { electionType: 0, topicPartitions: null, timeoutMs: 0 })
    expect(all.response.replicaElectionResults).toEqual([{ topic: 'topic-9', partitionResult: [] }])
  })
})

test('blocks of producer ids follow each other', () => {
  const image = clusterOf([1])
  const first = allocateProducerIds(image, { brokerId: 1, brokerEpoch: 101n })
  expect(first.response).toMatchObject({ producerIdStart: 0n, producerIdLen: 1000 })
  const second = allocateProducerIds(after(image, first), { brokerId: 1, brokerEpoch: 101n })
  expect(second.response).toMatchObject({ producerIdStart: 1000n, producerIdLen: 1000 })
  const stale = allocateProducerIds(image, { brokerId: 1, brokerEpoch: 1n })
  expect(stale).toMatchObject({ records: [], response: { errorCode: ErrorCode.STALE_BROKER_EPOCH } })
})
