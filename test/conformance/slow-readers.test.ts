/** Consumers that ask for much and take nothing: the broker keeps its memory, and others are served. */
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { Kafka, logLevel } from 'kafkajs'
import { ApiKey } from '../../broker/protocol/api-key.ts'
import { APIS } from '../../broker/protocol/apis.ts'
import { decodeResponse, encodeRequest } from '../../broker/protocol/frame.ts'
import type { RunningNode } from '../tools/node.ts'
import { residentBytes } from '../tools/resident.ts'
import { exchange } from '../tools/socket.ts'
import { startTarget } from '../tools/target.ts'

const MIB = 1024 * 1024
const TOPIC = 'large'
const RECORDS = 48
const RECORD_BYTES = MIB - 1000
const READERS = 24
const FETCH_VERSION = 11
const START_MS_MAX = 900_000
const GROWTH_BYTES_MAX = 300 * MIB

const api = APIS[ApiKey.Fetch]

function fetchFrame(maxBytes: number): Buffer {
  const partition = { partition: 0, currentLeaderEpoch: -1, fetchOffset: 0n, partitionMaxBytes: maxBytes }
  const request = { maxWaitMs: 1000, minBytes: 1, maxBytes, topics: [{ topic: TOPIC, partitions: [partition] }] }
  return Buffer.concat(encodeRequest(api, FETCH_VERSION, 7, 'slow', request))
}

describe('consumers that do not read', () => {
  let node: RunningNode
  const readers: Socket[] = []

  beforeAll(async () => {
    node = await startTarget()
    const kafka = new Kafka({ brokers: [node.bootstrap], logLevel: logLevel.NOTHING })
    const producer = kafka.producer()
    await producer.connect()
    const value = Buffer.alloc(RECORD_BYTES, 0x61)
    for (let index = 0; index < RECORDS; index++)
      await producer.send({ topic: TOPIC, messages: [{ partition: 0, value }] })
    await producer.disconnect()
  }, START_MS_MAX)

  afterAll(async () => {
    for (const reader of readers) reader.destroy()
    await node?.stop()
  })

  test('hold a bounded part of the memory', async () => {
    const before = residentBytes(node.pid)
    for (let index = 0; index < READERS; index++) {
      const reader = connect({ host: '127.0.0.1', port: node.port })
      reader.write(fetchFrame(50 * MIB))
      readers.push(reader)
    }
    // An answer is read whole before its first byte is sent.
    await Promise.all(readers.map((reader) => once(reader, 'readable')))
    expect(residentBytes(node.pid) - before).toBeLessThan(GROWTH_BYTES_MAX)
  }, 60_000)

  test('leave enough for those who do', async () => {
    const { received } = await exchange(node.port, fetchFrame(50 * MIB), { oneFrame: true })
    const { responses } = decodeResponse(api, FETCH_VERSION, received.subarray(4))
    expect(responses[0]?.partitions[0]).toMatchObject({ errorCode: 0 })
  })
})
