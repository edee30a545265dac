import { expect, test } from '@jest/globals'
import { METADATA_TOPIC_ID } from '../../../broker/lib/uuid.ts'
import { ApiKey } from '../../../broker/protocol/api-key.ts'
import { APIS, type RequestInputOf, type RequestOf } from '../../../broker/protocol/apis.ts'
import { ErrorCode } from '../../../broker/protocol/errors.ts'
import type { RaftNode } from '../../../broker/raft/raft-node.ts'
import type { RaftApi, RaftOptions } from '../../../broker/raft/raft-types.ts'
import { decoded, directoryOf, endpointsOf, RaftCluster } from './cluster.ts'
import { RAFT_DEFAULTS, values } from './harness.ts'

const { clusterId } = RAFT_DEFAULTS
const TOPIC = '__cluster_metadata'

function asked<K extends RaftApi>(key: K, body: RequestInputOf<K>): RequestOf<K> {
  return decoded<RequestOf<K>, RequestInputOf<K>>(APIS[key].request, body)
}

/** A quorum of one, which leads, and which others ask. */
async function alone(
  options: Partial<RaftOptions> = {},
): Promise<{ cluster: RaftCluster; node: RaftNode; epoch: number }> {
  const cluster = new RaftCluster({ seed: 1, voters: [1], options })
  await cluster.start()
  await cluster.untilLeader()
  await cluster.world.clock.runFor(cluster.node(1).propose(values('a', 'b')))
  const node = cluster.node(1)
  return { cluster, node, epoch: node.leaderAndEpoch.epoch }
}

interface Fetch {
  readonly offset?: number
  readonly epoch: number
  readonly lastEpoch?: number
  readonly maxWaitMs?: number
  readonly maxBytes?: number
  readonly replicaId?: number
  readonly highWatermark?: number
}

function fetchOf(fetch: Fetch) {
  const { offset = 0, epoch, lastEpoch = 0, maxWaitMs = 0, maxBytes = 1_000_000, replicaId = 9, highWatermark } = fetch
  const partition = {
    partition: 0,
    currentLeaderEpoch: epoch,
    fetchOffset: BigInt(offset),
    lastFetchedEpoch: lastEpoch,
    partitionMaxBytes: 1_000_000,
    replicaDirectoryId: directoryOf(9),
    ...(highWatermark === undefined ? {} : { highWatermark: BigInt(highWatermark) }),
  }
  return asked(ApiKey.Fetch, {
    clusterId,
    maxWaitMs,
    minBytes: 0,
    maxBytes,
    isolationLevel: 0,
    sessionId: 0,
    sessionEpoch: -1,
    forgottenTopicsData: [],
    rackId: '',
    replicaState: { replicaId, replicaEpoch: -1n },
    topics: [{ topicId: METADATA_TOPIC_ID, topic: TOPIC, partitions: [partition] }],
  })
}

const IGNORE = { onAbandoned: () => {} }

async function fetched(node: RaftNode, request: Fetch) {
  const response = await node.fetch(fetchOf(request), IGNORE)
  const partition = response.responses?.[0]?.partitions?.[0]
  if (partition === undefined) throw new Error('no partition in the answer')
  return partition
}

test.each([
  [-1, ErrorCode.FENCED_LEADER_EPOCH],
  [1, ErrorCode.UNKNOWN_LEADER_EPOCH],
])('a fetch of another epoch (%p) is refused, and told who leads', async (by, errorCode) => {
  const { node, epoch } = await alone()
  expect(await fetched(node, { epoch: epoch + by })).toMatchObject({
    errorCode,
    currentLeader: { leaderId: 1, leaderEpoch: epoch },
  })
})

test('a fetch with another cluster id, of another topic, or at a senseless offset is refused', async () => {
  const { node, epoch } = await alone()
  const request = fetchOf({ epoch })
  const [topic] = request.topics
  const other = { ...request, topics: [{ ...topic, topicId: directoryOf(3), topic: 'other' }] } as typeof request
  expect(await node.fetch({ ...request, clusterId: 'other' }, IGNORE)).toEqual({
    errorCode: ErrorCode.INCONSISTENT_CLUSTER_ID,
  })
  expect(await node.fetch(other, IGNORE)).toEqual({ errorCode: ErrorCode.INVALID_REQUEST })
  expect(await fetched(node, { epoch, offset: -1 })).toMatchObject({ errorCode: ErrorCode.INVALID_REQUEST })
  expect(await fetched(node, { epoch, lastEpoch: epoch + 1 })).toMatchObject({ errorCode: ErrorCode.INVALID_REQUEST })
})

test('a fetch that has everything waits for records, or for the high watermark, or for its time', async () => {
  const { cluster, node, epoch } = await alone()
  const offset = node.nextOffset
  const waiting = { epoch, offset, lastEpoch: epoch, maxWaitMs: 500 }
  let answers = 0
  const late = fetched(node, { ...waiting, highWatermark: offset }).finally(() => answers++)
  await cluster.run(400)
  expect(answers).toBe(0)
  await cluster.run(200)
  expect((await late).records).toEqual([])
  const uninformed = await fetched(node, { ...waiting, highWatermark: offset - 1 })
  expect(uninformed).toMatchObject({ records: [], highWatermark: BigInt(offset) })
  const next = fetched(node, { ...waiting, highWatermark: offset })
  void node.propose(values('c'))
  await cluster.run(10)
  expect((await next).records).toHaveLength(1)
})

test('a fetch whose client is gone waits no more', async () => {
  const { cluster, node, epoch } = await alone()
  let gone = (): void => {}
  const request = fetchOf({ epoch, offset: node.nextOffset, lastEpoch: epoch, maxWaitMs: 60_000 })
  let isDone = false
  void node
    .fetch(request, {
      onAbandoned: (callback) => {
        gone = callback
      },
    })
    .finally(() => {
      isDone = true
    })
  await cluster.run(10)
  gone()
  await cluster.run(1)
  expect(isDone).toBe(true)
})

test('whoever is no replica reads what is committed', async () => {
  const { node, epoch } = await alone()
  const { records } = await fetched(node, { epoch, replicaId: -1 })
  expect(records?.length).toBeGreaterThan(0)
  expect(node.quorumInfo().observers).toEqual([])
})

test('an answer has no more than this node is to send at once, and no less than a batch', async () => {
  const { cluster, node, epoch } = await alone({ fetchMaxBytes: 300 })
  for (const name of 'cdefghij') await cluster.world.clock.runFor(node.propose(values(name)))
  const sizes = await Promise.all(
    [1_000_000, 1, -2_000_000_000].map(async (maxBytes) => {
      const { records } = await fetched(node, { epoch, maxBytes })
      const parts = records instanceof Uint8Array ? [records] : (records ?? [])
      return Buffer.concat([...parts]).length
    }),
  )
  expect(sizes[0]).toBeGreaterThan(sizes[1] ?? 0)
  expect(sizes[0]).toBeLessThanOrEqual(300)
  expect(sizes[2]).toBe(sizes[1])
})

interface Vote {
  readonly epoch: number
  readonly lastEpoch: number
  readonly endOffset: number
  readonly candidateId: number
  readonly voterId: number
  readonly voterDirectoryId: string
  readonly isPreVote: boolean
}

function voteOf(more: Partial<Vote>) {
  const { epoch = 9, lastEpoch = 5, endOffset = 99, candidateId = 2, voterId = 1, voterDirectoryId, isPreVote } = more
  const partition = {
    partitionIndex: 0,
    replicaEpoch: epoch,
    replicaId: candidateId,
    replicaDirectoryId: directoryOf(2),
    voterDirectoryId: voterDirectoryId ?? directoryOf(1),
    lastOffsetEpoch: lastEpoch,
    lastOffset: BigInt(endOffset),
    preVote: isPreVote ?? false,
  }
  return asked(ApiKey.Vote, { clusterId, voterId, topics: [{ topicName: TOPIC, partitions: [partition] }] })
}

test.each<[string, Partial<Vote>, ErrorCode, boolean]>([
  ['a good candidate', {}, ErrorCode.NONE, true],
  ['an earlier epoch', { epoch: 0, lastEpoch: -1 }, ErrorCode.INVALID_REQUEST, false],
  ['a log that ends in the epoch that is asked for', { lastEpoch: 9 }, ErrorCode.INVALID_REQUEST, false],
  ['a log without an end', { endOffset: -1 }, ErrorCode.INVALID_REQUEST, false],
  ['nobody', { candidateId: -1 }, ErrorCode.INVALID_REQUEST, false],
  ['another voter', { voterId: 7 }, ErrorCode.INVALID_VOTER_KEY, false],
  ['another directory', { voterDirectoryId: directoryOf(7) }, ErrorCode.INVALID_VOTER_KEY, false],
  ['a pre-vote while this node leads', { isPreVote: true, epoch: 1, lastEpoch: 1 }, ErrorCode.NONE, false],
])('Vote, asked for %s', async (_what, vote, errorCode, voteGranted) => {
  const { node } = await alone()
  const answer = node.vote(voteOf(vote)).topics?.[0]?.partitions?.[0]
  expect(answer).toMatchObject({ errorCode, voteGranted })
})

test('a vote outlives the process', async () => {
  const { cluster, node } = await alone()
  expect(node.vote(voteOf({ epoch: 9 })).topics?.[0]?.partitions?.[0]?.voteGranted).toBe(true)
  cluster.kill(1, 'power lost')
  // The only voter stands for election at once, and so in another epoch.
  await cluster.start(1)
  expect(cluster.node(1).leaderAndEpoch).toEqual({ leaderId: 1, epoch: 10 })
})

test('BeginQuorumEpoch makes a follower; a second leader in the same epoch is refused', async () => {
  const { node } = await alone()
  const begin = (leaderId: number, leaderEpoch: number) => {
    const partition = { partitionIndex: 0, voterDirectoryId: directoryOf(1), leaderId, leaderEpoch }
    const topics = [{ topicName: TOPIC, partitions: [partition] }]
    const request = { clusterId, voterId: 1, topics, leaderEndpoints: endpointsOf(leaderId) }
    return node.beginQuorumEpoch(asked(ApiKey.BeginQuorumEpoch, request)).topics?.[0]?.partitions?.[0]
  }
  expect(begin(2, 7)).toMatchObject({ errorCode: ErrorCode.NONE, leaderId: 2, leaderEpoch: 7 })
  expect(node.leaderAddress).toEqual({ host: 'node2', port: 9093 })
  expect(begin(3, 7)).toMatchObject({ errorCode: ErrorCode.INVALID_REQUEST, leaderId: 2 })
  expect(begin(3, 6)).toMatchObject({ errorCode: ErrorCode.FENCED_LEADER_EPOCH, leaderId: 2 })
  expect(node.role).toBe('follower')
})

test('FetchSnapshot gives parts, and refuses what there is not', async () => {
  const { cluster, node, epoch } = await alone({ fetchSnapshotMaxBytes: 120 })
  const endOffset = node.highWatermark
  await cluster.world.clock.runFor(node.createSnapshot({ endOffset, epoch }, 0, values('everything')))
  interface Part {
    readonly position?: number
    readonly end?: number
    readonly name?: string
    readonly maxBytes?: number
  }
  const ask = async ({ position = 0, end = endOffset, name = TOPIC, maxBytes = 100 }: Part) => {
    const snapshotId = { endOffset: BigInt(end), epoch: end === 0 ? 0 : epoch }
    const partition = { partition: 0, currentLeaderEpoch: epoch, snapshotId, position: BigInt(position) }
    const topics = [{ name, partitions: [{ ...partition, replicaDirectoryId: directoryOf(9) }] }]
    const request = asked(ApiKey.FetchSnapshot, { clusterId, replicaId: 9, maxBytes, topics })
    return (await node.fetchSnapshot(request)).topics?.[0]?.partitions?.[0]
  }
  const first = await ask({})
  expect(first).toMatchObject({ errorCode: ErrorCode.NONE, position: 0n })
  expect(first?.unalignedRecords?.[0]).toHaveLength(100)
  expect((await ask({ maxBytes: 2 ** 31 - 1 }))?.unalignedRecords?.[0]).toHaveLength(120)
  const size = Number(first?.size)
  expect((await ask({ position: size - 7 }))?.unalignedRecords?.[0]).toHaveLength(7)
  expect(await ask({ position: size })).toMatchObject({ errorCode: ErrorCode.POSITION_OUT_OF_RANGE })
  expect(await ask({ position: -1 })).toMatchObject({ errorCode: ErrorCode.POSITION_OUT_OF_RANGE })
  expect(await ask({ end: 1 })).toMatchObject({ errorCode: ErrorCode.SNAPSHOT_NOT_FOUND })
  expect(await ask({ end: 0 })).toMatchObject({ errorCode: ErrorCode.SNAPSHOT_NOT_FOUND })
  expect(await ask({ name: 'other' })).toMatchObject({ errorCode: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION })
})
