import { ApiKey } from '../../../../broker/protocol/api-key.ts'
import { NOW, batchOf, produceTo } from '../batches.ts'
import { type Script, versionsOf } from '../script.ts'

export async function listOffsets(script: Script): Promise<void> {
  await script.create('times', { partitions: 2 })
  for (const offset of [0, 1000, 500, 1000]) {
    const values = ['a', 'b', 'c'].map((value, index) => ({ value, timestampMs: NOW + offset + index * 10 }))
    await produceTo(script, 'times', batchOf({ records: values }))
  }
  const ask = (timestamp: bigint, partitionIndex = 0, currentLeaderEpoch = -1) => ({
    partitionIndex,
    timestamp,
    currentLeaderEpoch,
  })
  const at = BigInt(NOW)
  const times = [
    -1n,
    -2n,
    -3n,
    -4n,
    -5n,
    -6n,
    -7n,
    -99n,
    0n,
    at - 1n,
    at,
    at + 5n,
    at + 15n,
    at + 20n,
    at + 21n,
    at + 1000n,
    at + 1015n,
    at + 1020n,
    at + 1021n,
  ]
  for (const version of versionsOf(ApiKey.ListOffsets)) {
    for (const timestamp of times) {
      const name = timestamp > 1000n ? `now + ${timestamp - at}` : String(timestamp)
      for (const isolationLevel of [0, 1]) {
        await script.call(`${name}, isolation ${isolationLevel}`, ApiKey.ListOffsets, version, {
          replicaId: -1,
          isolationLevel,
          topics: [{ name: 'times', partitions: [ask(timestamp), ask(timestamp, 1)] }],
        })
      }
    }
    const call = (what: string, name: string, partitions: ReturnType<typeof ask>[], replicaId = -1) =>
      script.call(what, ApiKey.ListOffsets, version, { replicaId, topics: [{ name, partitions }] })
    await call('unknown', 'absent', [ask(-1n)])
    await call('bad name', 'a/b', [ask(-1n)])
    await call('unknown partition', 'times', [ask(-1n, 9), ask(-1n, -1)])
    for (const timestamp of [-3n, -4n, -5n, -6n, -7n])
      await call(`unknown partition, ${timestamp}`, 'times', [ask(timestamp, 9)])
    await call('twice', 'times', [ask(-1n), ask(-2n)])
    await call('epochs', 'times', [ask(-1n, 0, 0), ask(-1n, 1, 5)])
    await call('an old epoch', 'times', [ask(-1n, 0, -2)])
    await call('debug consumer', 'times', [ask(-1n)], -2)
    await call('a follower', 'times', [ask(-1n)], 1)
    await call('nothing', 'times', [])
  }
}

export async function leaderEpochs(script: Script): Promise<void> {
  await script.create('epochs', { partitions: 2 })
  await produceTo(script, 'epochs', batchOf({}), batchOf({}))
  for (const version of versionsOf(ApiKey.OffsetForLeaderEpoch)) {
    for (const partition of [0, 1, 9]) {
      for (const leaderEpoch of [-1, 0, 1, 9]) {
        for (const currentLeaderEpoch of [-1, 0, 5]) {
          await script.call(
            `${partition} epoch ${leaderEpoch} in ${currentLeaderEpoch}`,
            ApiKey.OffsetForLeaderEpoch,
            version,
            {
              replicaId: -1,
              topics: [{ topic: 'epochs', partitions: [{ partition, leaderEpoch, currentLeaderEpoch }] }],
            },
          )
        }
      }
    }
    const topics = [{ topic: 'absent', partitions: [{ partition: 0, leaderEpoch: 0 }] }]
    await script.call('absent', ApiKey.OffsetForLeaderEpoch, version, { topics })
  }
}

export async function deleteRecords(script: Script): Promise<void> {
  for (const version of versionsOf(ApiKey.DeleteRecords)) {
    const topic = `trimmed${version}`
    await script.create(topic)
    await script.create(`compacted${version}`, { configs: { 'cleanup.policy': 'compact' } })
    await script.create(`both${version}`, { configs: { 'cleanup.policy': 'compact,delete' } })
    for (let index = 0; index < 3; index++) await produceTo(script, topic, batchOf({ count: 3 }))
    const trim = (what: string, offset: bigint, name = topic, partitionIndex = 0) =>
      script.call(what, ApiKey.DeleteRecords, version, {
        topics: [{ name, partitions: [{ partitionIndex, offset }] }],
        timeoutMs: 5000,
      })
    await trim('negative', -2n)
    await trim('0', 0n)
    await trim('4', 4n)
    await trim('3, below the start', 3n)
    await trim('beyond', 10n)
    await trim('far beyond', 9_007_199_254_740_993n)
    await trim('absent', 0n, 'absent')
    await trim('absent partition', 0n, topic, 7)
    await trim('compacted', 0n, `compacted${version}`)
    await trim('compacted and deleted', 0n, `both${version}`)
    for (const fetchOffset of [0n, 3n, 4n]) {
      await script.call(`after deletion, at ${fetchOffset}`, ApiKey.Fetch, 11, {
        maxWaitMs: 0,
        minBytes: 0,
        topics: [{ topic, partitions: [{ partition: 0, fetchOffset, partitionMaxBytes: 1_000_000 }] }],
      })
    }
    const partitions = [-2n, 0n, 5n].map((timestamp) => ({ partitionIndex: 0, timestamp }))
    for (const partition of partitions) {
      await script.call(`after deletion, ${partition.timestamp}`, ApiKey.ListOffsets, 7, {
        replicaId: -1,
        topics: [{ name: topic, partitions: [partition] }],
      })
    }
    await trim('all', -1n)
    await trim('all again', -1n)
    await script.call('nothing', ApiKey.DeleteRecords, version, { topics: [] })
    const apart = [[{ partitionIndex: 0, offset: 5n }], [], [{ partitionIndex: 7, offset: 5n }]]
    await script.call('one topic in several places', ApiKey.DeleteRecords, version, {
      topics: apart.map((some) => ({ name: topic, partitions: some })),
      timeoutMs: 5000,
    })
    const twice = [5n, 6n].map((offset) => ({ partitionIndex: 0, offset }))
    await script.call('twice', ApiKey.DeleteRecords, version, {
      topics: [{ name: topic, partitions: twice }],
      timeoutMs: 5000,
    })
  }
}

export async function logDirs(script: Script): Promise<void> {
  await script.create('sized', { partitions: 2 })
  await produceTo(script, 'sized', batchOf({ count: 5 }))
  const some = [
    { topic: 'sized', partitions: [0, 1, 9] },
    { topic: 'absent', partitions: [0] },
  ]
  await script.inEveryVersion('some', ApiKey.DescribeLogDirs, { topics: some })
  await script.inEveryVersion('none', ApiKey.DescribeLogDirs, { topics: [] })
  for (const path of ['/nowhere', 'relative']) {
    const topics = some.map(({ topic: name, partitions }) => ({ name, partitions }))
    await script.inEveryVersion(`to ${path}`, ApiKey.AlterReplicaLogDirs, { dirs: [{ path, topics }] })
  }
  const unknown = { name: 'sized', partitions: [9] }
  for (const version of versionsOf(ApiKey.AlterReplicaLogDirs)) {
    await script.call('unknown', ApiKey.AlterReplicaLogDirs, version, {
      dirs: [{ path: script.logDir, topics: [unknown, { name: 'absent', partitions: [0] }] }],
    })
  }
  await script.inEveryVersion('no partitions', ApiKey.DescribeLogDirs, { topics: [{ topic: 'sized', partitions: [] }] })
}
