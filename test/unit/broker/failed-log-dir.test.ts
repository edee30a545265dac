import { expect, test } from '@jest/globals'
import { ApiKey } from '../../../broker/protocol/api-key.ts'
import { ErrorCode } from '../../../broker/protocol/errors.ts'
import { buildBatch } from '../../../broker/records/build.ts'
import { TestCluster } from './bed.ts'

const TOPIC = {
  name: 't',
  numPartitions: -1,
  replicationFactor: -1,
  assignments: [0, 1].map((partitionIndex) => ({ partitionIndex, brokerIds: [2, 1] })),
  configs: [],
}
const METADATA = { topics: [{ name: 't' }] }

test('the controller hears at once of a log dir that has failed', async () => {
  const cluster = new TestCluster(['broker,controller', 'broker'], {
    'log.dirs': '/data,/more',
    'metadata.log.dir': '/data',
    'broker.heartbeat.interval.ms': '20000',
    'broker.session.timeout.ms': '60000',
  })
  await cluster.start()
  const [one, two] = cluster.nodes
  const created = await cluster.ask(one, ApiKey.CreateTopics, { topics: [TOPIC], timeoutMs: 5000 })
  const topicId = created?.topics[0]?.topicId
  await cluster.world.clock.run(5000)
  const { disk } = two?.machine ?? {}
  const failing = disk?.list('/more').flatMap(({ name }) => /^t-(\d)$/.exec(name)?.[1] ?? []) ?? []
  expect(failing.length).toBe(1)
  if (disk !== undefined) disk.fault = (_operation, path) => (path.startsWith('/more/') ? 'EIO' : undefined)
  const index = Number(failing[0])
  const records = buildBatch({ records: [{ key: null, value: new Uint8Array(9) }], baseTimestampMs: 0 })
  const topicData = [{ topicId, partitionData: [{ index, records: [records] }] }]
  await cluster.ask(two, ApiKey.Produce, { acks: 1, timeoutMs: 5000, topicData })
  const tookMs = await cluster.until(
    ApiKey.Metadata,
    () => METADATA,
    ({ topics }) => topics[0]?.partitions.find(({ partitionIndex }) => partitionIndex === index)?.leaderId === one?.id,
  )
  expect(tookMs).toBeLessThan(500)
  await cluster.stop()
})

test('groups whose offsets were in a log dir that has failed are not served where it was any more', async () => {
  const cluster = new TestCluster(['broker,controller', 'broker', 'broker'], {
    'log.dirs': '/data,/more',
    'metadata.log.dir': '/data',
    'offsets.topic.num.partitions': '4',
  })
  await cluster.start()
  const [one, two] = cluster.nodes
  await cluster.ask(one, ApiKey.FindCoordinator, { keyType: 0, coordinatorKeys: ['a'] })
  await cluster.world.clock.run(5000)
  const disk = two?.machine.disk
  const failing = disk?.list('/more').flatMap(({ name }) => /^__consumer_offsets-(\d)$/.exec(name)?.[1] ?? []) ?? []
  const described = await cluster.ask(one, ApiKey.Metadata, { topics: [{ name: '__consumer_offsets' }] })
  const led = described?.topics[0]?.partitions.find(
    ({ partitionIndex, leaderId }) => leaderId === two?.id && failing.includes(String(partitionIndex)),
  )
  // The hash of a name of one letter is its code.
  const group = ['d', 'a', 'b', 'c'][led?.partitionIndex ?? -1] ?? ''
  const describe = async (): Promise<number | undefined> =>
    (await cluster.ask(two, ApiKey.DescribeGroups, { groups: [group] }))?.groups[0]?.errorCode
  expect(await describe()).not.toBe(ErrorCode.NOT_COORDINATOR)
  if (disk !== undefined) disk.fault = (_operation, path) => (path.startsWith('/more/') ? 'EIO' : undefined)
  const topics = [{ name: 't', partitions: [{ partitionIndex: 0, committedOffset: 7n, committedMetadata: '' }] }]
  const commit = { groupId: group, generationIdOrMemberEpoch: -1, memberId: '', topics }
  await cluster.ask(two, ApiKey.OffsetCommit, commit)
  await cluster.until(
    ApiKey.FindCoordinator,
    () => ({ keyType: 0, coordinatorKeys: [group] }),
    ({ coordinators }) => (coordinators[0]?.nodeId ?? -1) > 0 && coordinators[0]?.nodeId !== two?.id,
  )
  expect(await describe()).toBe(ErrorCode.NOT_COORDINATOR)
  await cluster.stop()
})
