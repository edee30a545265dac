import { describe, expect, test } from '@jest/globals'
import { ErrorCode } from '../../../broker/protocol/errors.ts'
import { InternalTopic } from '../../../broker/replication/internal-topic.ts'
import type { Partition } from '../../../broker/replication/partition.ts'
import { ReplicaManager } from '../../../broker/replication/replica-manager.ts'
import type { PartitionLogOptions } from '../../../broker/storage/log.ts'
import { silentLogger } from '../../fakes/logger.ts'
import { batchOf, LogBed, valuesOf } from '../storage/fixture.ts'
import { NODE, PARTITION_DEPS, RULES, stateOf } from './rig.ts'

const TOPIC = 'orders'

/** The topic `orders` with partition 0 here, 1 elsewhere, and no others. */
async function topicBed(
  isr: readonly number[] = [NODE],
  bed = new LogBed(),
  options: Partial<PartitionLogOptions> = {},
) {
  const damaged: number[] = []
  const onDamaged = (_: Partition, offset: number): void => void damaged.push(offset)
  const topics = { nameOf: () => TOPIC, hasPartition: (_: string, index: number) => index < 2 }
  const replicas = new ReplicaManager(
    { nodeId: NODE },
    { ...PARTITION_DEPS, onDamaged, topics, logger: silentLogger() },
  )
  const log = await bed.open({}, options)
  const state = stateOf({ replicas: isr, isr })
  const partition = replicas.host({ topicId: 'cAh3nFQcTQ2nM9yNrl0Ghg', log, state, rules: RULES })
  const topic = new InternalTopic(
    { topic: TOPIC, timeoutMs: 500 },
    { replicas, clock: bed.clock, partitionCount: () => 5 },
  )
  return { bed, log, topic, partition, damaged }
}

describe('an append', () => {
  test('resolves with its offset once it is committed', async () => {
    const { log, topic } = await topicBed()
    const first = topic.append(0, batchOf({ values: ['a', 'b'] }))
    const second = topic.append(0, batchOf())
    log.writeStaged()
    expect([await first, await second]).toEqual([
      { error: ErrorCode.NONE, baseOffset: 0 },
      { error: ErrorCode.NONE, baseOffset: 2 },
    ])
  })

  test('may be as large as the partition takes', async () => {
    const { topic } = await topicBed()
    expect([0, 1, 2].map((partition) => topic.batchBytesMax(partition))).toEqual([
      RULES.maxMessageBytes,
      Infinity,
      Infinity,
    ])
  })

  test('that is not committed in time says so', async () => {
    const { bed, log, topic } = await topicBed([NODE, 2])
    const pending = topic.append(0, batchOf())
    log.writeStaged()
    expect(await bed.clock.runFor(pending)).toMatchObject({ error: ErrorCode.REQUEST_TIMED_OUT })
  })

  test.each([
    [1, ErrorCode.NOT_LEADER_OR_FOLLOWER],
    [2, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION],
  ])('to partition %i, which is not here, is error %i', async (partition, error) => {
    const { topic } = await topicBed()
    expect(await topic.append(partition, batchOf())).toEqual({ error, baseOffset: -1 })
  })
})

describe('a read', () => {
  test('goes on where the one before ended, up to what is committed', async () => {
    const { log, topic } = await topicBed()
    for (const values of [['a', 'b'], ['c']]) void topic.append(0, batchOf({ values }))
    log.writeStaged()
    const all = await topic.read(0, 0)
    expect(valuesOf({ buffers: all.buffers } as never)).toEqual(['a', 'b', 'c'])
    expect(all).toMatchObject({ nextOffset: 3, endReached: true })
    expect(await topic.read(0, 3)).toEqual({ buffers: [], nextOffset: 3, endReached: true })
  })

  test('begins at the start of the log, where records have been deleted', async () => {
    const { log, topic } = await topicBed()
    for (const value of ['a', 'b', 'c']) void topic.append(0, batchOf({ values: [value] }))
    log.writeStaged()
    log.incrementLogStartOffset(2)
    const { buffers } = await topic.read(0, 0)
    expect(valuesOf({ buffers } as never)).toEqual(['c'])
  })

  test('has what is above the high watermark: the leader before may have acknowledged it', async () => {
    const { log, topic } = await topicBed([NODE, 2])
    void topic.append(0, batchOf({ values: ['a'] }))
    log.writeStaged()
    const { buffers, endReached } = await topic.read(0, 0)
    expect([log.highWatermark, valuesOf({ buffers } as never), endReached]).toEqual([0, ['a'], true])
  })

  test('of a damaged batch rejects, and the replica is given up as it is where a client reads', async () => {
    const bed = new LogBed()
    const before = await bed.open()
    for (const value of ['a', 'b']) before.appendAsLeader(batchOf({ values: [value] }), 3)
    await before.flush()
    await before.close()
    bed.disk.corrupt(`${before.directory}/00000000000000000000.log`, 2 * batchOf({ values: ['a'] }).length - 1)
    const { topic, damaged } = await topicBed([NODE, 2], bed, { hadCleanShutdown: true, recoveryPoint: 2 })
    expect(await topic.read(0, 0)).toMatchObject({ nextOffset: 1, endReached: false })
    await expect(topic.read(0, 1)).rejects.toThrow('A batch at or behind offset 1 is damaged')
    expect(damaged).toEqual([1])
  })

  test('of a log that moves to another log dir goes on there', async () => {
    const { log, topic, partition } = await topicBed()
    const moved = await new LogBed().open()
    for (const each of [log, moved]) {
      each.appendAsLeader(batchOf({ values: ['a'] }), 3)
      each.writeStaged()
    }
    const swapped = partition.replaceLog(async (before) => {
      before.closeFiles()
      await Promise.resolve()
      return moved
    })
    const { buffers, nextOffset } = await topic.read(0, 0)
    expect([valuesOf({ buffers } as never), nextOffset]).toEqual([['a'], 1])
    await swapped
  })

  test('of a partition that is not here rejects', async () => {
    const { topic } = await topicBed()
    await expect(topic.read(1, 0)).rejects.toThrow('orders-1 is not here')
  })
})
