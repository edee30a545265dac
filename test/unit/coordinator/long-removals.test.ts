/** What removes much gives way to others, again and again. */
import { expect, test } from '@jest/globals'
import { GroupOffsets } from '../../../broker/coordinator/group/group-offsets.ts'
import { GroupRegistry } from '../../../broker/coordinator/group/group-registry.ts'
import { ErrorCode } from '../../../broker/protocol/errors.ts'
import type { NewRecord } from '../../../broker/records/record.ts'
import { SimClock } from '../../fakes/clock.ts'

const GROUPS = 600
const TOPIC = { topic: 'orders', topicId: 'AAAAAAAAAAAAAAAAAAAAAg' }

/** Its time passes by 10 us whenever it is looked at. */
class BusyClock extends SimClock {
  readonly #onTurn: () => void
  #looks = 0

  constructor(onTurn: () => void) {
    super()
    this.#onTurn = onTurn
  }

  override monotonicMs(): number {
    return this.#looks++ / 100
  }

  override defer(callback: () => void): void {
    this.#onTurn()
    queueMicrotask(callback)
  }
}

/** Has one offset of each of 600 groups removed; gives how many were whenever others had their turn, and in the end. */
async function turnsOf(remove: (offsets: GroupOffsets) => Promise<void>): Promise<number[]> {
  const removed = new Set<string>()
  const turns: number[] = []
  const clock = new BusyClock(() => turns.push(removed.size))
  const write = (records: readonly NewRecord[], done: (error: ErrorCode, baseOffset: number) => void): void => {
    for (const { key, value } of records) if (value === null) removed.add(Buffer.from(key ?? []).toString('hex'))
    done(ErrorCode.NONE, 0)
  }
  const writer = { write, writeBytesMax: 1000 }
  const rules = { initialRebalanceDelayMs: 0, maxSize: 100, newMemberJoinTimeoutMs: 1000 }
  const groups = new GroupRegistry({ rules }, { clock, writer, onForgotten: () => undefined })
  const offsets = new GroupOffsets({ retentionMs: 0 }, { groups, writer, clock })
  const committed = { offset: 1n, leaderEpoch: -1, metadata: '', commitTimestampMs: 0, expireTimestampMs: -1 }
  for (let index = 0; index < GROUPS; index++) {
    groups.getOrCreate(`g${index}`)
    const value = { ...committed, topicId: TOPIC.topicId, recordOffset: index }
    offsets.offsets.commit(`g${index}`, { topic: TOPIC.topic, partition: 0 }, value)
  }
  await remove(offsets)
  return [...turns, removed.size]
}

test('while offsets expire others have their turn', async () => {
  // Of each group its offset and itself.
  expect(await turnsOf((offsets) => offsets.expire())).toEqual([400, 800, 1200, 1200])
})

test('while the offsets of a deleted topic are forgotten others have their turn', async () => {
  const forget = (offsets: GroupOffsets): Promise<void> => offsets.forgetTopic(TOPIC.topic, TOPIC.topicId)
  expect(await turnsOf(forget)).toEqual([200, 400, 600, 600])
})
