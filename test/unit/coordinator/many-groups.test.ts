/** Where a partition has many groups, others have their turn while it is taken over and given up. */
import { expect, test } from '@jest/globals'
import { groupRecord, groupTombstone, offsetRecord } from '../../../broker/coordinator/group/group-records.ts'
import { GroupShard } from '../../../broker/coordinator/group/group-shard.ts'
import { NodeCompute } from '../../../broker/host/compute.ts'
import { ZERO_UUID } from '../../../broker/lib/uuid.ts'
import { ErrorCode } from '../../../broker/protocol/errors.ts'
import { buildBatch } from '../../../broker/records/build.ts'
import type { NewRecord } from '../../../broker/records/record.ts'
import { BusyClock } from '../../fakes/busy-clock.ts'
import { CoordinatorRig, subscription } from './coordinator-rig.ts'
import { FakeLog } from './fake-log.ts'

const GROUPS = 600
const SESSION_MS = 10_000
const ignore = (): void => undefined

/** A stable group of one member. */
function stableGroup(groupId: string): NewRecord[] {
  const member = {
    memberId: 'm',
    groupInstanceId: null,
    clientId: 'c',
    clientHost: '/h',
    assignment: new Uint8Array(0),
  }
  const timeouts = { rebalanceTimeout: SESSION_MS, sessionTimeout: SESSION_MS }
  const generation = { protocolType: 'consumer', generation: 1, protocol: 'range', leader: 'm' }
  const members = [{ ...member, ...timeouts, subscription: subscription('orders') }]
  return [groupRecord(groupId, { ...generation, currentStateTimestamp: 1n, members })]
}

/** A group that is deleted, whose offset is not: not all that deletes it was written. */
function offsetAlone(groupId: string): NewRecord[] {
  const value = { offset: 1n, leaderEpoch: -1, metadata: '', commitTimestampMs: 1, expireTimestampMs: -1 }
  const place = { topic: 'orders', partition: 0 }
  return [offsetRecord(groupId, place, { ...value, topicId: ZERO_UUID, recordOffset: -1 }), groupTombstone(groupId)]
}

class SessionsClock extends BusyClock {
  sessions = 0
  #passedMs = 0

  /** Time passes in which nobody looks at the clock. */
  pass(ms: number): void {
    this.#passedMs += ms
    this.advance(ms)
  }

  override monotonicMs(): number {
    return super.monotonicMs() + this.#passedMs
  }

  override setTimer(delayMs: number, callback: () => void) {
    if (delayMs === SESSION_MS) this.sessions++
    return super.setTimer(delayMs, callback)
  }
}

/** A partition with 600 groups, each of which has `recordsOf`; `onTurn` is called whenever others have their turn. */
async function shardOf(recordsOf: (groupId: string) => readonly NewRecord[], onTurn: () => void) {
  const log = new FakeLog()
  const records = Array.from({ length: GROUPS }, (_, index) => recordsOf(`g${index}`)).flat()
  await log.append(0, buildBatch({ baseTimestampMs: 1_700_000_000_000, records }))
  const rules = { initialRebalanceDelayMs: 0, maxSize: 100, newMemberJoinTimeoutMs: 1000 }
  const clock = new SessionsClock(onTurn)
  const shard = new GroupShard(
    { rules, retentionMs: 0, codec: 'none', partition: 0, leaderEpoch: 1 },
    { appender: log, clock, compute: new NodeCompute(), logger: { info: ignore, warn: ignore, error: ignore } },
  )
  return { shard, clock }
}

test('the sessions of many members begin in turns, before anybody is served', async () => {
  const begun: number[] = []
  const served = new Set<ErrorCode>()
  const { shard, clock } = await shardOf(stableGroup, () => {
    if (clock.sessions === 0) return
    begun.push(clock.sessions)
    served.add(shard.availability)
  })
  await shard.load()
  // Two looks at the time for each session.
  expect([...begun, clock.sessions]).toEqual([100, 200, 300, 400, 500, 600, 600])
  expect([...served]).toEqual([ErrorCode.COORDINATOR_LOAD_IN_PROGRESS])
  expect(shard.availability).toBe(ErrorCode.NONE)
})

test('a partition that is given up meanwhile begins no more of them', async () => {
  const { shard, clock } = await shardOf(stableGroup, () => {
    if (clock.sessions > 0) shard.close()
  })
  await shard.load()
  expect([clock.sessions, shard.availability]).toEqual([100, ErrorCode.NOT_COORDINATOR])
})

test('there may be more groups than a call may have arguments', async () => {
  const groups = 130_000
  const log = new FakeLog()
  log.maxMessageBytes = Infinity
  const empty = { protocolType: 'consumer', generation: 1, protocol: null, leader: null, members: [] }
  const records = Array.from({ length: groups }, (_, index) =>
    groupRecord(`g${index}`, { ...empty, currentStateTimestamp: 1n }),
  )
  await log.append(0, buildBatch({ baseTimestampMs: 1_700_000_000_000, records }))
  const rig = await CoordinatorRig.open({}, log)
  const listed = rig.coordinator.listGroups({ statesFilter: [], typesFilter: [] }, rig.context(5))
  expect(listed.groups).toHaveLength(groups)
})

test('groups of which the offsets alone are left are found in turns', async () => {
  const found: number[] = []
  const { shard } = await shardOf(offsetAlone, () => found.push(shard.groups.count))
  await shard.load()
  expect(found.filter((count) => count > 1 && count < GROUPS)).toEqual([200, 401])
})

test('the groups of a partition that is given up are forgotten in turns, and nothing happens to them any more', async () => {
  const left: [count: number, states: Set<string>][] = []
  let isClosed = false
  const { shard, clock } = await shardOf(stableGroup, () => {
    if (!isClosed) return
    clock.pass(SESSION_MS)
    left.push([shard.groups.count, new Set([...shard.groups.all()].map(({ state }) => state))])
  })
  await shard.load()
  const groups = [...shard.groups.all()]
  isClosed = true
  shard.close()
  await clock.run(1)
  const stable = new Set(['Stable'])
  expect(left).toEqual([
    [400, stable],
    [200, stable],
    [0, new Set()],
  ])
  expect(new Set(groups.map(({ state }) => state))).toEqual(new Set(['Dead']))
})
