import { describe, expect, test } from '@jest/globals'
import { AdminClient } from '../../../../broker/client/admin-client.ts'
import type { Ask } from '../../../../broker/client/admin-client.ts'
import type { LogDirDescription } from '../../../../broker/client/admin-types.ts'
import { KafkaError } from '../../../../broker/client/kafka-error.ts'
import { KafkaTopicAdmin } from '../../../../operator/topic/kafka-admin.ts'
import { FakeNetwork } from '../../client/fake-broker.ts'
import { operatorWorld } from '../../../fakes/operator.ts'

const NAME = 'payments'

/** What brokers 1 and 2 say of one partition: `leader` and, by broker, the bytes that each has of it; null: no replica. */
function saying(leader: number, bytes: Readonly<Record<number, number | null>>): KafkaTopicAdmin {
  const client = new AdminClient({ bootstrap: [] }, { ...operatorWorld(), network: new FakeNetwork() })
  const partition = { partition: 0, leader, leaderEpoch: 0, replicas: [1, 2], isr: [1], offlineReplicas: [] }
  const topic = { name: NAME, topicId: 'id', isInternal: false, partitions: [partition] }
  client.metadata = async () => new Map([[NAME, topic]])
  const ids = Object.keys(bytes).map(Number)
  const brokers = ids.map((id) => ({ id, host: `broker-${id}`, port: 9092, rack: null }))
  client.describeCluster = async () => ({ clusterId: 'c', controllerId: 1, brokers })
  client.describeLogDirs = async (asked) => new Map(asked.map((id) => [id, [directory(bytes[id] ?? null)]]))
  return new KafkaTopicAdmin(client)
}

function directory(bytes: number | null): LogDirDescription {
  const one = { topic: NAME, partition: 0, sizeBytes: BigInt(bytes ?? 0), offsetLag: 0n, isFuture: false }
  const replicas = bytes === null ? [] : [one]
  return { path: '/data', error: undefined, totalBytes: 100n, usableBytes: 100n, replicas }
}

describe('whether a topic has records', () => {
  test('is what its leaders say', async () => {
    expect(await saying(1, { 1: 0, 2: 0 }).hasRecords(NAME)).toBe(false)
    expect(await saying(1, { 1: 7, 2: 0 }).hasRecords(NAME)).toBe(true)
    // One that is being filled still knows of fewer.
    expect(await saying(2, { 1: 7, 2: 0 }).hasRecords(NAME)).toBe(true)
  })

  test('is not known while a leader is away, or does not tell', async () => {
    const words = 'no leader tells whether payments-0 has records'
    await expect(saying(-1, { 2: 0 }).hasRecords(NAME)).rejects.toThrow(words)
    await expect(saying(-1, { 2: null }).hasRecords(NAME)).rejects.toThrow(words)
    await expect(saying(1, { 2: 0 }).hasRecords(NAME)).rejects.toThrow(words)
    await expect(saying(1, { 1: null, 2: 0 }).hasRecords(NAME)).rejects.toThrow(words)
  })

  test('is not asked of a topic that is not there', async () => {
    const client = new AdminClient({ bootstrap: [] }, { ...operatorWorld(), network: new FakeNetwork() })
    const unknown = new KafkaError('UNKNOWN_TOPIC_OR_PARTITION', 'not there', { isRetriable: true })
    client.metadata = async () => new Map([[NAME, unknown]])
    client.describeCluster = async () => ({ clusterId: 'c', controllerId: 1, brokers: [] })
    client.describeLogDirs = async () => new Map()
    expect(await new KafkaTopicAdmin(client).hasRecords(NAME)).toBe(false)
  })
})

describe('how many replicas a topic has', () => {
  /** A partition with `replicas`, those of `adding` on their way. */
  function moving(replicas: number[], adding: number[]): { admin: KafkaTopicAdmin; lists: () => number } {
    const client = new AdminClient({ bootstrap: [] }, { ...operatorWorld(), network: new FakeNetwork() })
    const isr = replicas.filter((id) => !adding.includes(id))
    const partition = { partition: 0, leader: 1, leaderEpoch: 0, replicas, isr, offlineReplicas: [] }
    const topic = { name: NAME, topicId: 'id', isInternal: false, partitions: [partition] }
    client.metadata = async () => new Map([[NAME, topic]])
    client.describeConfigs = async () => new Map([[NAME, []]])
    let lists = 0
    const move = { partitionIndex: 0, replicas, addingReplicas: adding, removingReplicas: [] }
    const answer = { errorCode: 0, errorMessage: null, topics: [{ name: NAME, partitions: [move] }] }
    client.run = async (use) => {
      lists += 1
      return use((async () => answer) as unknown as Ask)
    }
    return { admin: new KafkaTopicAdmin(client), lists: () => lists }
  }

  test.each([
    ['goes from one to three', [1, 2, 3], [2, 3], 1],
    ['moves to another broker', [1, 2, 3, 4], [4], 3],
    ['stays where it is', [1, 2, 3], [], 3],
  ])('counts those that it has while it %s', async (_, replicas, adding, expected) => {
    expect((await moving(replicas, adding).admin.describe(NAME))?.replicas).toBe(expected)
  })

  test('is not asked of the controller while all are in sync', async () => {
    const { admin, lists } = moving([1, 2, 3], [])
    await admin.describe(NAME)
    expect(lists()).toBe(0)
  })
})
