/** What no client sends: the broker answers with an error or closes, stays alive and keeps its memory. `SEED=n` repeats a run. */
import { connect, type Socket } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { SimRandom } from '../fakes/random.ts'
import type { RunningNode } from '../tools/node.ts'
import { residentBytes } from '../tools/resident.ts'
import { exchange, frame, requestHead } from '../tools/socket.ts'
import { startTarget } from '../tools/target.ts'

const SEED = Number(process.env['SEED'] ?? Date.now() % 1_000_000)
const REQUEST_BYTES_MAX = 8 * 1024 * 1024
const PARALLEL = 20
const GROWTH_BYTES_MAX = 250 * 1024 * 1024
const PRODUCE = 0
const METADATA = 3
const API_VERSIONS = 18
const UNSUPPORTED_VERSION = 35

describe(`malformed input, seed ${SEED}`, () => {
  const random = new SimRandom(SEED)
  let node: RunningNode
  let residentAtStart: number

  /** Sends each on its own connection, some at a time; all must be over (answered or closed) in time. */
  const sendAll = async (messages: readonly Uint8Array[]): Promise<void> => {
    for (let at = 0; at < messages.length; at += PARALLEL) {
      const batch = messages.slice(at, at + PARALLEL)
      const ends = await Promise.all(batch.map((bytes) => exchange(node.port, bytes, { end: true })))
      const hung = batch.filter((_, index) => ends[index]?.closed !== true)
      expect(hung.map((bytes) => Buffer.from(bytes).toString('hex').slice(0, 200))).toEqual([])
    }
  }

  const apiVersions = (version: number): Promise<{ received: Buffer; closed: boolean }> =>
    exchange(node.port, frame(requestHead(API_VERSIONS, version, 7, version >= 3)), { oneFrame: true })

  beforeAll(async () => {
    node = await startTarget({ overrides: { 'socket.request.max.bytes': String(REQUEST_BYTES_MAX) } })
    await apiVersions(0)
    residentAtStart = residentBytes(node.pid)
  }, 900_000)

  afterAll(() => node?.stop())

  test('random bytes', async () => {
    await sendAll(Array.from({ length: 200 }, () => random.bytes(1 + random.below(500))))
  }, 60_000)

  test.each([-1, -(2 ** 31), 0, 1, REQUEST_BYTES_MAX + 1, 2 ** 31 - 1])('a length of %i', async (length) => {
    const bytes = Buffer.alloc(16)
    bytes.writeInt32BE(length)
    await sendAll([bytes])
  })

  test('a length over socket.request.max.bytes closes the connection at once', async () => {
    const bytes = Buffer.alloc(4)
    bytes.writeInt32BE(REQUEST_BYTES_MAX + 1)
    expect((await exchange(node.port, bytes)).closed).toBe(true)
  })

  test('frames that end early', async () => {
    const whole = frame(Buffer.concat([requestHead(METADATA, 1, 1), Buffer.from([0, 0, 0, 1, 0, 1, 0x61])]))
    await sendAll(Array.from({ length: whole.length - 1 }, (_, index) => whole.subarray(0, index + 1)))
  }, 30_000)

  test('a good header and a random body, for every API and version', async () => {
    const keys = Array.from({ length: 93 }, (_, key) => key)
    const versions = Array.from({ length: 20 }, (_, version) => version)
    const messages = keys.flatMap((key) =>
      versions.map((version) =>
        frame(Buffer.concat([requestHead(key, version, 1, true), random.bytes(random.below(200))])),
      ),
    )
    await sendAll(messages)
  }, 120_000)

  test('counts and lengths far beyond the frame', async () => {
    const huge = [0x7f, 0xff, 0xff, 0xff]
    const compactHuge = [0xff, 0xff, 0xff, 0xff, 0x0f]
    const topics = frame(Buffer.concat([requestHead(METADATA, 1, 1), Buffer.from(huge)]))
    const compactTopics = frame(Buffer.concat([requestHead(METADATA, 12, 1, true), Buffer.from(compactHuge)]))
    const produce = frame(
      Buffer.concat([requestHead(PRODUCE, 3, 1), Buffer.from([0xff, 0xff, 0, 1, 0, 0, 0, 1, ...huge])]),
    )
    const tags = frame(Buffer.concat([requestHead(METADATA, 12, 1), Buffer.from(compactHuge)]))
    const name = Buffer.alloc(10, 0x61)
    const longName = frame(Buffer.concat([requestHead(METADATA, 1, 1), Buffer.from([0, 0, 0, 1, 0x7f, 0xff]), name]))
    await sendAll([topics, compactTopics, produce, tags, longName])
  }, 30_000)

  test('an unknown API and a version without a schema close the connection', async () => {
    const unknown = await exchange(node.port, frame(requestHead(9999, 0, 1)))
    const tooOld = await exchange(node.port, frame(requestHead(PRODUCE, 2, 1)))
    expect([unknown.closed, tooOld.closed]).toEqual([true, true])
  })

  test('what came before a bad request is answered before the connection closes', async () => {
    const good = frame(requestHead(API_VERSIONS, 0, 7))
    for (const bad of [frame(requestHead(9999, 0, 8)), frame(requestHead(METADATA, 99, 8)), Buffer.alloc(4, 0xff)]) {
      const { received, closed } = await exchange(node.port, Buffer.concat([good, bad, good]))
      expect(closed).toBe(true)
      expect(received.readInt32BE(4)).toBe(7)
      expect(received.length).toBe(4 + received.readInt32BE())
    }
  })

  test('an unknown version of ApiVersions is answered in version 0 with what there is', async () => {
    const { received } = await apiVersions(99)
    expect(received.readInt32BE(4)).toBe(7)
    expect(received.readInt16BE(8)).toBe(UNSUPPORTED_VERSION)
    expect(received.readInt32BE(10)).toBe(1)
    expect(received.readInt16BE(14)).toBe(API_VERSIONS)
  })

  test('bytes behind the end of a request are passed over: librdkafka leaves some behind Metadata of all topics', async () => {
    const request = Buffer.concat([requestHead(METADATA, 1, 9), Buffer.from([0, 0, 0, 0]), Buffer.from([1, 2, 3])])
    const { received } = await exchange(node.port, frame(request), { oneFrame: true })
    expect(received.length).toBeGreaterThan(8)
    expect(received.readInt32BE(4)).toBe(9)
  })

  test('announced and never sent requests take no memory', async () => {
    const announcement = Buffer.alloc(4)
    announcement.writeInt32BE(REQUEST_BYTES_MAX)
    const sockets: Socket[] = []
    for (let index = 0; index < PARALLEL; index++) {
      const socket = connect({ host: '127.0.0.1', port: node.port })
      socket.on('error', () => undefined)
      await new Promise((resolve) => socket.once('connect', resolve))
      socket.write(announcement)
      sockets.push(socket)
    }
    await apiVersions(0)
    expect(residentBytes(node.pid) - residentAtStart).toBeLessThan(GROWTH_BYTES_MAX)
    for (const socket of sockets) socket.destroy()
  }, 30_000)

  test('afterwards it answers, and has not grown', async () => {
    const { received } = await apiVersions(0)
    expect(received.readInt16BE(8)).toBe(0)
    expect(node.running()).toBe(true)
    expect(residentBytes(node.pid) - residentAtStart).toBeLessThan(GROWTH_BYTES_MAX)
  })
})
