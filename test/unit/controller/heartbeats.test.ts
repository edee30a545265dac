import { describe, expect, test } from '@jest/globals'
import { assignReplicasToDirs } from '../../../broker/controller/assign-replicas-to-dirs.ts'
import { registerBroker } from '../../../broker/controller/brokers.ts'
import { brokerDirectories, brokerHeartbeat, fenceBroker } from '../../../broker/controller/heartbeats.ts'
import { LOST_DIRECTORY } from '../../../broker/metadata/directory-id.ts'
import type { MetadataImage } from '../../../broker/metadata/image.ts'
import { errorName } from '../../../broker/protocol/errors.ts'
import { broker, record, uuid } from '../metadata/records.ts'
import { after, applied, clusterOf, ELR, of, partitionIn, replayed, topicWith } from './cluster.ts'

const EVERYWHERE = { shutdownOffset: undefined, lowestActiveOffset: Infinity }

function request(image: MetadataImage, brokerId: number, more: object = {}) {
  return {
    brokerId,
    brokerEpoch: BigInt(image.brokers.get(brokerId)?.epoch ?? -1),
    currentMetadataOffset: 1000n,
    wantFence: false,
    wantShutDown: false,
    offlineLogDirs: [],
    cordonedLogDirs: null,
    ...more,
  }
}

describe('controlled shutdown', () => {
  const image = clusterOf([1, 2, 3], [], topicWith(9, { replicas: [1, 2, 3] }))
  const shuttingDown = (
    at: MetadataImage,
    context = EVERYWHERE as { shutdownOffset: number | undefined; lowestActiveOffset: number },
  ) => brokerHeartbeat(of(at), request(at, 1, { wantShutDown: true }), context)

  test('begins with the end of all leadership', () => {
    const outcome = shuttingDown(image)
    expect(outcome.response.state).toBe('controlled shutdown')
    const next = after(image, outcome)
    expect(next.brokers.get(1)).toMatchObject({ isInControlledShutdown: true, isFenced: false })
    expect(partitionIn(next)).toMatchObject({ leader: 2, isr: [2, 3] })
  })

  test('ends once the brokers that stay know the new leaders', () => {
    const next = after(image, shuttingDown(image))
    const early = shuttingDown(next, { shutdownOffset: 50, lowestActiveOffset: 49 })
    expect(early).toMatchObject({ records: [], response: { response: { shouldShutDown: false, isFenced: false } } })
    const late = shuttingDown(next, { shutdownOffset: 50, lowestActiveOffset: 50 })
    expect(late.response.response).toMatchObject({ shouldShutDown: true, isFenced: true })
    expect(after(next, late).brokers.get(1)?.isFenced).toBe(true)
  })

  test('goes on while it leads a partition that nobody else can', () => {
    const alone = clusterOf([1, 2], [2], topicWith(9, { replicas: [1, 2], isr: [1] }))
    const next = after(alone, shuttingDown(alone))
    // Nobody takes over; the partition is without a leader, and the broker may go.
    expect(partitionIn(next)).toMatchObject({ leader: -1, isr: [1] })
    expect(shuttingDown(next, { shutdownOffset: 5, lowestActiveOffset: Infinity }).response.state).toBe('shutdown')
  })

  test('another controller goes on with it, without a second record', () => {
    const next = after(image, shuttingDown(image))
    const change = { topicId: uuid(9), partitionId: 0, leader: 1, isr: [1, 2, 3] }
    const leads = applied(next, [{ type: 'PartitionChangeRecord', version: 2, value: change }])
    const outcome = shuttingDown(leads)
    expect(outcome.records.map(({ type }) => type)).toEqual(['PartitionChangeRecord'])
  })
})

describe('log directories', () => {
  const TWO_DIRS = record(
    'RegisterBrokerRecord',
    {
      brokerId: 1,
      incarnationId: uuid(101),
      brokerEpoch: 101n,
      endPoints: [],
      features: [],
      rack: null,
      fenced: false,
      logDirs: [uuid(1), uuid(51)],
    },
    4,
  )
  const image = clusterOf(
    [1, 2],
    [],
    [
      TWO_DIRS,
      ...topicWith(
        9,
        { replicas: [1, 2], directories: [uuid(51), uuid(2)] },
        { replicas: [1, 2], directories: [uuid(1), uuid(2)] },
      ),
    ],
  )

  test('replicas in one that failed lead no more and are out of sync', () => {
    const next = after(image, brokerDirectories(of(image), request(image, 1, { offlineLogDirs: [uuid(51), uuid(70)] })))
    expect(next.brokers.get(1)?.logDirs).toEqual([uuid(1)])
    expect(next.topic('topic-9')?.partitions.map(({ leader, isr }) => [leader, isr])).toEqual([
      [2, [2]],
      [1, [1, 2]],
    ])
  })

  test('what is told again makes no record', () => {
    const failed = request(image, 1, { offlineLogDirs: [uuid(51)] })
    const next = after(image, brokerDirectories(of(image), failed))
    expect(brokerDirectories(of(next), failed).records).toEqual([])
  })

  test('one that takes no new replicas is noted', () => {
    const cordoned = brokerDirectories(of(image), request(image, 1, { cordonedLogDirs: [uuid(1)] }))
    expect(cordoned.records.map(({ version }) => version)).toEqual([3])
    expect(after(image, cordoned).brokers.get(1)?.cordonedLogDirs).toEqual([uuid(1)])
  })

  const assign = (at: MetadataImage, directory: string, partitionIndex = 0, brokerId = 1, topicId = uuid(9)) => {
    const outcome = assignReplicasToDirs(of(at, { minInSyncReplicas: 2 }), {
      brokerId,
      brokerEpoch: BigInt(brokerId + 100),
      directories: [{ id: directory, topics: [{ topicId, partitions: [{ partitionIndex }] }] }],
    })
    const error = outcome.response.directories?.[0]?.topics?.[0]?.partitions?.[0]?.errorCode ?? 0
    return { image: after(at, outcome), error: errorName(error) }
  }

  test('a broker says where it has a replica', () => {
    const { image: next, error } = assign(image, uuid(1))
    expect(error).toBe('NONE')
    expect(partitionIn(next)).toMatchObject({ directories: [uuid(1), uuid(2)], leader: 1, isr: [1, 2] })
  })

  test('a replica that is moved to one that failed leads no more', () => {
    expect(partitionIn(assign(image, uuid(60)).image)).toMatchObject({
      directories: [uuid(60), uuid(2)],
      leader: 2,
      isr: [2],
    })
  })

  const partitionWith = (isr: readonly number[], elr: readonly number[] = []) =>
    clusterOf([1, 2], [], [ELR, ...topicWith(9, { replicas: [1, 2], leader: isr[0] ?? -1, isr, elr })])

  test('a replica in one that failed may lead again when that is back', () => {
    expect(partitionIn(assign(partitionWith([1, 2]), uuid(60)).image)).toMatchObject({
      isr: [2],
      eligibleLeaderReplicas: [1],
    })
  })

  test('a replica that is lost is not even eligible to lead', () => {
    const lost = { leader: 2, isr: [2], eligibleLeaderReplicas: [] }
    expect(partitionIn(assign(partitionWith([1, 2]), LOST_DIRECTORY).image)).toMatchObject(lost)
    expect(partitionIn(assign(partitionWith([2], [1]), LOST_DIRECTORY).image)).toMatchObject(lost)
  })

  test('the last in sync stays eligible, though it is lost', () => {
    expect(partitionIn(assign(partitionWith([1]), LOST_DIRECTORY).image)).toMatchObject({
      leader: -1,
      isr: [],
      eligibleLeaderReplicas: [1],
    })
  })

  test('of what is not there nothing is noted', () => {
    expect(assign(image, uuid(1), 0, 1, uuid(5)).error).toBe('UNKNOWN_TOPIC_ID')
    expect(assign(image, uuid(1), 9).error).toBe('UNKNOWN_TOPIC_OR_PARTITION')
    const elsewhere = clusterOf([1, 2], [], topicWith(9, { replicas: [2] }))
    expect(assign(elsewhere, uuid(1)).error).toBe('NOT_LEADER_OR_FOLLOWER')
  })
})

describe('a broker that comes back', () => {
  const image = clusterOf([1, 2], [], [ELR, ...topicWith(9, { replicas: [1, 2], isr: [1], elr: [2] })])
  const register = (brokerId: number, previousBrokerEpoch: number) =>
    after(
      image,
      registerBroker(
        of(image, { minInSyncReplicas: 2 }),
        {
          brokerId,
          clusterId: 'cluster',
          incarnationId: uuid(77),
          listeners: [],
          features: [
            { name: 'metadata.version', minSupportedVersion: 7, maxSupportedVersion: 30 },
            { name: ELR_NAME, minSupportedVersion: 0, maxSupportedVersion: 1 },
          ],
          rack: null,
          isMigratingZkBroker: false,
          logDirs: [uuid(brokerId)],
          previousBrokerEpoch: BigInt(previousBrokerEpoch),
        },
        { clusterId: 'cluster', nextOffset: 500, kraftVersion: 0, hasSession: false, isConnected: false },
      ),
    )

  test('after a shutdown in order is eligible to lead', () => {
    expect(partitionIn(register(1, 101))).toMatchObject({ leader: 2, isr: [2], eligibleLeaderReplicas: [1] })
  })

  test('after a crash is not', () => {
    expect(partitionIn(register(1, -1))).toMatchObject({ leader: 2, isr: [2], eligibleLeaderReplicas: [] })
    expect(partitionIn(register(2, -1))).toMatchObject({ leader: 1, isr: [1], eligibleLeaderReplicas: [] })
  })
})

const ELR_NAME = 'eligible.leader.replicas.version'

test('a fenced broker is not fenced again', () => {
  const image = replayed([broker(1, 101, true)], clusterOf([]))
  expect(fenceBroker(of(image), 1)).toEqual([])
  expect(fenceBroker(of(image), 7)).toEqual([])
})
