import { expect, test } from '@jest/globals'
import { loadPartition } from '../../../broker/coordinator/group/loader.ts'
import type { CommittedOffset } from '../../../broker/coordinator/group/committed-offsets.ts'
import {
  groupRecord,
  groupTombstone,
  offsetRecord,
  offsetTombstone,
} from '../../../broker/coordinator/group/group-records.ts'
import { NodeCompute } from '../../../broker/host/compute.ts'
import { ZERO_UUID } from '../../../broker/lib/uuid.ts'
import { encodeRecordKey, encodeRecordValue } from '../../../broker/protocol/coordinator-record.ts'
import { legacyOffsetCommitKey, legacyOffsetCommitValue } from '../../../broker/protocol/records/group-classic.ts'
import { buildBatch } from '../../../broker/records/build.ts'
import { controlKey } from '../../../broker/records/control.ts'
import type { NewRecord } from '../../../broker/records/record.ts'
import { CoordinatorRig } from './coordinator-rig.ts'
import { FakeLog } from './fake-log.ts'
import { text } from './group-rig.ts'

const PLACE = { topic: 'orders', partition: 0 }

function committed(offset: number): CommittedOffset {
  const rest = {
    metadata: '',
    commitTimestampMs: 1_700_000_000_000,
    expireTimestampMs: -1,
    topicId: ZERO_UUID,
    recordOffset: -1,
  }
  return { offset: BigInt(offset), leaderEpoch: -1, ...rest }
}

const commit = (offset: number, groupId = 'g') => offsetRecord(groupId, PLACE, committed(offset))

interface Batch {
  readonly records: readonly NewRecord[]
  readonly producerId?: number
  readonly isTransactional?: boolean
  readonly isControl?: boolean
}

/** A coordinator that has loaded these batches. */
async function load(...batches: Batch[]): Promise<CoordinatorRig> {
  const log = new FakeLog()
  for (const batch of batches) await log.append(0, buildBatch({ baseTimestampMs: 1_700_000_000_000, ...batch }))
  return CoordinatorRig.open({}, log)
}

const inTransaction = (producerId: number, ...records: NewRecord[]): Batch => ({
  records,
  producerId,
  isTransactional: true,
})
const end = (producerId: number, type: 'COMMIT' | 'ABORT'): Batch => ({
  ...inTransaction(producerId, { key: controlKey(type), value: new Uint8Array(6) }),
  isControl: true,
})

test('the last commit counts', async () => {
  const rig = await load({ records: [commit(1), commit(2)] }, { records: [commit(3)] })
  expect((await rig.fetch()).offset).toBe(3)
})

test('a tombstone removes the offset', async () => {
  const rig = await load({ records: [commit(1), offsetTombstone('g', PLACE)] })
  expect((await rig.fetch()).offset).toBe(-1)
})

test('a tombstone removes the group', async () => {
  const empty = {
    protocolType: 'consumer',
    generation: 3,
    protocol: null,
    leader: null,
    currentStateTimestamp: 1n,
    members: [],
  }
  const rig = await load({ records: [groupRecord('g', empty), groupRecord('h', empty), groupTombstone('g')] })
  expect([...rig.coordinator.groups()].map(({ groupId, generationId }) => [groupId, generationId])).toEqual([['h', 3]])
})

test('offsets of a transaction count when it is committed', async () => {
  const rig = await load(
    inTransaction(7, commit(1)),
    inTransaction(8, commit(2, 'h')),
    end(7, 'COMMIT'),
    end(8, 'ABORT'),
  )
  expect([(await rig.fetch('g')).offset, (await rig.fetch('h')).offset]).toEqual([1, -1])
})

test('an offset that was committed behind that of a transaction stays', async () => {
  const rig = await load(inTransaction(7, commit(1)), { records: [commit(2)] }, end(7, 'COMMIT'))
  expect((await rig.fetch()).offset).toBe(2)
})

test('an offset of an open transaction is unstable for who asks for stable ones', async () => {
  const rig = await load({ records: [commit(1)] }, inTransaction(7, commit(2)))
  expect((await rig.fetch()).offset).toBe(1)
  expect((await rig.fetch('g', 'orders', true)).offset).toBe(-1)
})

test('an open transaction keeps its group from expiring', async () => {
  const rig = await load(inTransaction(7, commit(2)))
  await rig.clock.run(4 * 3_600_000)
  expect([...rig.coordinator.groups()]).toHaveLength(1)
})

test('an offset that an open transaction replaces does not expire', async () => {
  const rig = await load({ records: [commit(1)] }, inTransaction(7, commit(2)))
  await rig.clock.run(4 * 3_600_000)
  expect((await rig.fetch()).offset).toBe(1)
})

test('the sessions of loaded members run from the loading on', async () => {
  const rig = await CoordinatorRig.open()
  await rig.stableMember()
  await rig.restart()
  await rig.clock.run(9999)
  expect(rig.coordinator.counts().groups.Stable).toBe(1)
  await rig.clock.run(1)
  expect(rig.coordinator.counts().groups.Stable).toBe(0)
})

test('a group is in the log from its first join on', async () => {
  const rig = await CoordinatorRig.open()
  await rig.run(rig.coordinator.joinGroup(rig.joinRequest(), rig.context(9)))
  await rig.clock.run(1)
  await rig.restart()
  expect([...rig.coordinator.groups()].map(({ groupId, state }) => [groupId, state])).toEqual([['g', 'Empty']])
})

test('groups do not hold on to the buffers that they were read from', async () => {
  const rig = await CoordinatorRig.open()
  await rig.stableMember()
  await rig.restart()
  for (const batch of rig.log.batches()) batch.fill(0)
  const [group] = [...rig.coordinator.groups()]
  const [member] = group?.members.values() ?? []
  expect(text(member?.assignment ?? new Uint8Array())).toBe('mine')
  expect(text(member?.protocols[0]?.metadata ?? new Uint8Array())).toContain('orders')
})

test('offsets in the format of old brokers are read', async () => {
  const key = encodeRecordKey(legacyOffsetCommitKey, { group: 'g', topic: 'orders', partition: 0 })
  const value = encodeRecordValue(legacyOffsetCommitValue, 0, { offset: 5n, metadata: 'old', commitTimestamp: 1n })
  const rig = await load({ records: [{ key, value }] })
  expect(await rig.fetch()).toEqual({ offset: 5, epoch: -1, metadata: 'old' })
})

test('records of other kinds of groups are skipped, and each type is told once', async () => {
  const other = { key: new Uint8Array([0, 3, 0, 1, 0x67]), value: new Uint8Array([0, 0, 0, 0, 0, 1, 0]) }
  const rig = await load({ records: [other, commit(1), other, commit(2)] })
  expect((await rig.fetch()).offset).toBe(2)
  expect(rig.warnings).toEqual([{ partition: 0, type: 3 }])
})

/** Loads `buffers`, each record of which takes 10 us; gives how many had been replayed whenever others had their turn. */
async function turnsOf(
  buffers: readonly Uint8Array[],
  target: { isCancelled: boolean },
  onTurn: () => void = () => undefined,
): Promise<number[]> {
  const turns: number[] = []
  let replayed = 0
  const clock = {
    monotonicMs: () => replayed / 100,
    defer: (callback: () => void) => {
      turns.push(replayed)
      onTurn()
      queueMicrotask(callback)
    },
  }
  const appender = { read: () => Promise.resolve({ buffers, nextOffset: 600, endReached: true }) }
  const counting = Object.assign(target, { onRecord: () => void (replayed += 1), onEndTransaction: () => undefined })
  await loadPartition(0, counting, { appender, clock, compute: new NodeCompute() })
  return [...turns, replayed]
}

const SINGLES = Array.from({ length: 600 }, (_, index) =>
  buildBatch({ baseOffset: index, baseTimestampMs: 1_700_000_000_000, records: [commit(index)] }),
)

test('while a long partition is loaded others have their turn', async () => {
  expect(await turnsOf(SINGLES, { isCancelled: false })).toEqual([200, 400, 600])
})

test('a batch of many records is no exception', async () => {
  const records = Array.from({ length: 600 }, (_, index) => commit(index))
  const batch = buildBatch({ baseOffset: 0, baseTimestampMs: 1_700_000_000_000, records })
  expect(await turnsOf([batch], { isCancelled: false })).toEqual([200, 400, 600])
})

test('a partition that was given up meanwhile is loaded no further', async () => {
  const target = { isCancelled: false }
  expect(await turnsOf(SINGLES, target, () => void (target.isCancelled = true))).toEqual([200, 200])
})
