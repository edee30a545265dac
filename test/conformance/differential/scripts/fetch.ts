import { ApiKey } from '../../../../broker/protocol/api-key.ts'
import { batchOf, produceTo } from '../batches.ts'
import { type Script, versionsOf } from '../script.ts'

const UNKNOWN_ID = 'AAAAAAAAAAAAAAAAAAAACA'
const MANY = 1_000_000
/** The versions where Fetch changed: sessions, epochs, rack, tagged fields, topic ids, replica state. */
const SESSION_VERSIONS = [7, 9, 11, 12, 13, 15, 16, 17, 18]

interface Asked {
  readonly topic: string
  readonly topicId?: string
  readonly partition?: number
  readonly offset?: number
  readonly maxBytes?: number
  readonly epoch?: number
  readonly lastEpoch?: number
}

function request(script: Script, asked: readonly Asked[], options: object = {}) {
  const topics = asked.map(
    ({
      topic,
      topicId = script.topicId(topic),
      partition = 0,
      offset = 0,
      maxBytes = MANY,
      epoch = -1,
      lastEpoch = -1,
    }) => ({
      topic,
      topicId,
      partitions: [
        {
          partition,
          fetchOffset: BigInt(offset),
          partitionMaxBytes: maxBytes,
          currentLeaderEpoch: epoch,
          lastFetchedEpoch: lastEpoch,
        },
      ],
    }),
  )
  return { maxWaitMs: 0, minBytes: 0, maxBytes: MANY, topics, ...options }
}

export async function fetch(script: Script): Promise<void> {
  await script.create('fetched', { partitions: 2 })
  await script.create('fetched-too')
  for (const count of [3, 2, 4]) await produceTo(script, 'fetched', batchOf({ count }))
  for (const count of [1, 5]) await produceTo(script, 'fetched-too', batchOf({ count }))
  for (const version of versionsOf(ApiKey.Fetch)) {
    const call = (what: string, asked: readonly Asked[], options: object = {}) =>
      script.call(what, ApiKey.Fetch, version, request(script, asked, options))
    const topic = 'fetched'
    for (const offset of [0, 1, 3, 4, 5, 8, 9, 10, -1, -2]) await call(`from ${offset}`, [{ topic, offset }])
    for (const offset of [0, 1]) await call(`an empty partition from ${offset}`, [{ topic, partition: 1, offset }])
    for (const maxBytes of [0, 1, 60, 100, 150, 200, 250]) {
      await call(`${maxBytes} bytes of a partition`, [{ topic, maxBytes }])
      await call(`${maxBytes} bytes in all`, [{ topic }], { maxBytes })
      await call(`${maxBytes} bytes in all, two partitions`, [{ topic }, { topic: 'fetched-too' }], { maxBytes })
    }
    await call('read committed', [{ topic }], { isolationLevel: 1 })
    await call('isolation level 9', [{ topic }], { isolationLevel: 9 })
    await call('at the end, waiting', [{ topic, offset: 9 }], { maxWaitMs: 50, minBytes: 1 })
    await call('less than is wanted', [{ topic, offset: 5 }], { maxWaitMs: 50, minBytes: MANY })
    await call('unknown topic', [{ topic: 'absent', topicId: UNKNOWN_ID }])
    await call('no topic id', [{ topic, topicId: 'AAAAAAAAAAAAAAAAAAAAAA' }])
    await call('unknown partition', [{ topic, partition: 9 }])
    await call('good and unknown', [{ topic }, { topic: 'absent', topicId: UNKNOWN_ID }], {
      maxWaitMs: 30,
      minBytes: MANY,
    })
    for (const epoch of [-2, 0, 1]) await call(`epoch ${epoch}`, [{ topic, epoch }])
    for (const lastEpoch of [0, 1]) {
      await call(`last epoch ${lastEpoch}`, [{ topic, lastEpoch, offset: 5 }])
      await call(`last epoch ${lastEpoch}, at the end`, [{ topic, lastEpoch, offset: 9 }])
    }
    await call('last epoch 0, beyond', [{ topic, lastEpoch: 0, offset: 12 }])
    await call('nothing', [])
    await call('no sessions', [{ topic }], { sessionId: 0, sessionEpoch: -1 })
    await call('a session unknown', [{ topic }], { sessionId: 77, sessionEpoch: 5 })
    await call('a session unknown, to close', [{ topic }], { sessionId: 77, sessionEpoch: -1 })
    await call('a session unknown, anew', [{ topic }], { sessionId: 77, sessionEpoch: 0 })
    await call('epoch without a session', [{ topic }], { sessionId: 0, sessionEpoch: 3 })
  }
}

/** KIP-227: what is told again, and what is not. */
export async function fetchSessions(script: Script): Promise<void> {
  for (const version of SESSION_VERSIONS) await session(script, version)
  const [before, after] = [12, 13]
  const { sessionId } = await script.ask(
    ApiKey.Fetch,
    before,
    request(script, [{ topic: 'fetched' }], { sessionEpoch: 0 }),
  )
  await script.call(
    'names, then ids',
    ApiKey.Fetch,
    after,
    request(script, [{ topic: 'fetched' }], { sessionId, sessionEpoch: 1 }),
  )
  const other = await script.ask(ApiKey.Fetch, after, request(script, [{ topic: 'fetched' }], { sessionEpoch: 0 }))
  await script.call(
    'ids, then names',
    ApiKey.Fetch,
    before,
    request(script, [{ topic: 'fetched' }], { sessionId: other.sessionId, sessionEpoch: 1 }),
  )
}

async function session(script: Script, version: number): Promise<void> {
  const [one, two] = [`session-a${version}`, `session-b${version}`]
  for (const topic of [one, two]) await script.create(topic, { partitions: 2 })
  await produceTo(script, one, batchOf({ count: 2 }))
  const all = [one, two].flatMap((topic) => [0, 1].map((partition) => ({ topic, partition })))
  const { sessionId } = await script.ask(ApiKey.Fetch, version, request(script, all, { sessionEpoch: 0 }))
  let epoch = 1
  const step = (what: string, asked: readonly Asked[], options: object = {}) =>
    noteInSession(script, what, version, request(script, asked, { sessionId, sessionEpoch: epoch++, ...options }))
  await step('nothing new asked', [])
  await step('caught up', [{ topic: one, offset: 2 }])
  await step('nothing new', [])
  await produceTo(script, two, batchOf({ count: 3 }))
  await step('one moved on', [])
  await step('still there', [])
  await step('out of range', [{ topic: two, offset: 99 }])
  await step('still out of range', [])
  await step('back in range', [{ topic: two, offset: 3 }])
  await step('one is forgotten', [], {
    forgottenTopicsData: [{ topic: two, topicId: script.topicId(two), partitions: [0, 1] }],
  })
  await produceTo(script, two, batchOf({ count: 1 }))
  await step('forgotten ones are not told', [])
  await step('an unknown topic joins', [{ topic: 'absent', topicId: UNKNOWN_ID }])
  await step('and is told again', [])
  await step('waits', [], {
    maxWaitMs: 30,
    minBytes: 1,
    forgottenTopicsData: [{ topic: 'absent', topicId: UNKNOWN_ID, partitions: [0] }],
  })
  await step('wrong epoch', [], { sessionEpoch: 99 })
  epoch--
  await step('goes on', [{ topic: one, offset: 0 }])
  await step('closes', [], { sessionEpoch: -1 })
  await step('is closed', [])
}

/** Session ids are random: whether it is the one that was asked for says all. */
async function noteInSession(
  script: Script,
  what: string,
  version: number,
  asked: ReturnType<typeof request> & { sessionId?: number },
): Promise<void> {
  const answer = await script.ask(ApiKey.Fetch, version, asked)
  const which = answer.sessionId === 0 ? 'none' : answer.sessionId === asked.sessionId ? 'the same' : 'another'
  script.note(`Fetch v${version}: ${what}`, { ...answer, sessionId: which })
}
