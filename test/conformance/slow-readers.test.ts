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
const CROWD = 1000
const CROWD_GROWTH_BYTES_MAX = 600 * MIB
/** Far more than the kernels of both sides take by themselves. */
const CROWD_REQUESTS = 10

const api = APIS[ApiKey.Fetch]

function fetchFrame(maxBytes: number): Buffer {
  const partition = { partition: 0, currentLeaderEpoch: -1, fetchOffset: 0n, partitionMaxBytes: maxBytes }
  const request = { maxWaitMs: 1000, minBytes: 1, maxBytes, topics: [{ topic: TOPIC, partitions: [partition] }] }
  return Buffer.concat(encodeRequest(api, FETCH_VERSION, 7, 'slow', request))
}

/** A consumer that takes what it asks for, a batch at a time, on one connection. */
class GoodReader {
  readonly #socket: Socket
  #received = 0
  #frameBytes = 0
  #whole: (bytes: number) => void = () => {}

  constructor(port: number) {
    this.#socket = connect({ host: '127.0.0.1', port })
    this.#socket.on('data', (chunk) => {
      // Of a frame that has begun: its length comes first, and whole.
      if (this.#received === 0) this.#frameBytes = 4 + chunk.readInt32BE(0)
      this.#received += chunk.length
      if (this.#received < this.#frameBytes) return
      this.#received = 0
      this.#whole(this.#frameBytes)
    })
  }

  fetch(): Promise<number> {
    this.#socket.write(fetchFrame(1))
    return new Promise((resolve) => (this.#whole = resolve))
  }

  /** Fetches so often; returns the bytes. */
  async take(fetches: number): Promise<number> {
    let bytes = 0
    for (let count = 0; count < fetches; count++) bytes += await this.fetch()
    return bytes
  }

  close(): void {
    this.#socket.destroy()
  }
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

  test('hold no more where there are a thousand and batches are large, and one that reads goes on', async () => {
    for (const reader of readers.splice(0)) reader.destroy()
    const good = new GoodReader(node.port)
    await good.take(20)
    const before = residentBytes(node.pid)
    const request = fetchFrame(1)
    for (let index = 0; index < CROWD; index++) {
      const reader = connect({ host: '127.0.0.1', port: node.port })
      reader.on('error', () => {})
      for (let count = 0; count < CROWD_REQUESTS; count++) reader.write(request)
      readers.push(reader)
    }
    await Promise.all(readers.map((reader) => once(reader, 'readable')))
    const began = performance.now()
    expect(await good.take(30)).toBeGreaterThan(30 * RECORD_BYTES)
    expect(performance.now() - began).toBeLessThan(15_000)
    expect(residentBytes(node.pid) - before).toBeLessThan(CROWD_GROWTH_BYTES_MAX)
    for (const reader of readers.splice(0)) reader.destroy()
    // What they asked for is not read for nobody.
    expect(await good.take(30)).toBeGreaterThan(30 * RECORD_BYTES)
    expect(residentBytes(node.pid) - before).toBeLessThan(CROWD_GROWTH_BYTES_MAX)
    good.close()
  }, 60_000)
})
