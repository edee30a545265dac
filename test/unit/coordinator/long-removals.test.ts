/** What removes much gives way to others, again and again. */
import { expect, test } from '@jest/globals'
import { GroupOffsets } from '../../../broker/coordinator/group/group-offsets.ts'
import { GroupRegistry } from '../../../broker/coordinator/group/group-registry.ts'
import { ErrorCode } from '../../../broker/protocol/errors.ts'
import type { NewRecord } from '../../../broker/records/record.ts'
import { BusyClock } from '../../fakes/busy-clock.ts'

const GROUPS = 600
/** Beyond so many turns a removal goes on for ever. */
const TURNS_MAX = 100
const TOPIC = { topic: 'orders', topicId: 'AAAAAAAAAAAAAAAAAAAAAg' }

interface Removal {
  readonly offsets: GroupOffsets
  readonly groups: GroupRegistry
  /** How many records were to be removed whenever others had their turn. */
  readonly turns: number[]
  /** What was to be removed: keys, each time. */
  readonly removed: string[]
}

/** One offset of each of 600 groups; what is written comes to `error`, in the next turn. */
function committed(error: ErrorCode = ErrorCode.NONE): Removal {
  const removed: string[] = []
  const turns: number[] = []
  const clock = new BusyClock(() => {
    turns.push(removed.length)
    if (turns.length > TURNS_MAX) throw new Error('there is no end of it')
  })
  const write = (records: readonly NewRecord[], done: (error: ErrorCode, baseOffset: number) => void): void => {
    for (const { key, value } of records) if (value === null) removed.push(Buffer.from(key ?? []).toString('hex'))
    queueMicrotask(() => done(error, 0))
  }
  const writer = { write, writeBytesMax: 1000 }
  const rules = { initialRebalanceDelayMs: 0, maxSize: 100, newMemberJoinTimeoutMs: 1000 }
  const groups = new GroupRegistry({ rules }, { clock, writer, onForgotten: () => undefined })
  const offsets = new GroupOffsets({ retentionMs: 0 }, { groups, writer, clock })
  const common = { offset: 1n, leaderEpoch: -1, metadata: '', commitTimestampMs: 0, expireTimestampMs: -1 }
  for (let index = 0; index < GROUPS; index++) {
    groups.getOrCreate(`g${index}`)
    const value = { ...common, topicId: TOPIC.topicId, recordOffset: index }
    offsets.offsets.commit(`g${index}`, { topic: TOPIC.topic, partition: 0 }, value)
  }
  return { offsets, groups, turns, removed }
}

test('while offsets expire others have their turn', async () => {
  const { offsets, turns, removed } = committed()
  await offsets.expire()
  // Of each group its offset and itself.
  expect([...turns, removed.length]).toEqual([400, 800, 1200, 1200])
})

test('what cannot be removed is tried again with the next check, not with this one', async () => {
  const { offsets, groups, removed } = committed(ErrorCode.NOT_COORDINATOR)
  await offsets.expire()
  expect([removed.length, new Set(removed).size]).toEqual([1200, 1200])
  expect([...groups.all()]).toHaveLength(GROUPS)
  await offsets.expire()
  expect(removed).toHaveLength(2400)
})

test('while the offsets of a deleted topic are forgotten others have their turn', async () => {
  const { offsets, turns, removed } = committed()
  offsets.topicDeleted(TOPIC.topic, TOPIC.topicId)
  await offsets.forgetDeletedTopics()
  expect([...turns, removed.length]).toEqual([200, 400, 600, 600])
  expect(offsets.deletedTopics.size).toBe(0)
})

test('of many topics that are deleted at once the offsets are looked at together', async () => {
  const { offsets, turns, removed } = committed()
  for (let index = 0; index < 1000; index++) offsets.topicDeleted(`gone-${index}`, `id-${index}`)
  const first = offsets.forgetDeletedTopics()
  offsets.topicDeleted(TOPIC.topic, TOPIC.topicId)
  await Promise.all([first, offsets.forgetDeletedTopics()])
  // Two looks at 600 groups.
  expect(turns.length).toBeLessThanOrEqual(6)
  expect(removed).toHaveLength(GROUPS)
  expect(offsets.deletedTopics.size).toBe(0)
})
