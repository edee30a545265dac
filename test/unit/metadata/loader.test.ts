import { expect, test } from '@jest/globals'
import { MetadataLoader, type LoaderOptions, type SnapshotWriter } from '../../../broker/metadata/loader.ts'
import {
  encodeMetadataRecord,
  type MetadataRecordInputOf,
  type MetadataRecordType,
} from '../../../broker/protocol/metadata-record.ts'
import type { CommittedBatch } from '../../../broker/raft/raft-types.ts'
import { SimClock } from '../../fakes/clock.ts'
import { silentLogger } from '../../fakes/logger.ts'
import { uuid } from './records.ts'

function bytes<T extends MetadataRecordType>(type: T, value: MetadataRecordInputOf<T>): Uint8Array {
  return encodeMetadataRecord(type, value, 0)
}

const topicBytes = (n: number) => bytes('TopicRecord', { name: `topic-${n}`, topicId: uuid(n) })
const BEGIN = bytes('BeginTransactionRecord', { name: 'test' })
const END = bytes('EndTransactionRecord', {})
const ABORT = bytes('AbortTransactionRecord', { reason: 'test' })

class Bench {
  readonly clock = new SimClock()
  readonly snapshots: { endOffset: number; count: number }[] = []
  readonly published: string[] = []
  readonly loader: MetadataLoader
  #nextOffset = 0

  constructor(options: Partial<LoaderOptions> = {}) {
    const writer: SnapshotWriter = {
      createSnapshot: async ({ endOffset }, _timestampMs, records) => {
        this.snapshots.push({ endOffset, count: [...records].length })
      },
    }
    this.loader = new MetadataLoader(
      { snapshotAfterBytes: 1e9, snapshotAfterMs: 0, ...options },
      { snapshots: writer, clock: this.clock, logger: silentLogger() },
    )
    this.loader.subscribe((delta, image) => {
      const names = [...delta.topics.changed()].map(({ name }) => name)
      this.published.push(`${image.provenance.offset}: ${names.join(',')}`)
    })
  }

  commit(...records: readonly Uint8Array[]): void {
    const baseOffset = this.#nextOffset
    this.#nextOffset += Math.max(1, records.length)
    const batch: CommittedBatch = {
      baseOffset,
      lastOffset: this.#nextOffset - 1,
      epoch: 1,
      appendTimestampMs: 5,
      sizeInBytes: 100,
      records,
    }
    this.loader.onCommit([batch])
  }
}

test('nothing is published before a leader has begun, then everything at once', () => {
  const bench = new Bench()
  bench.commit(topicBytes(1))
  bench.commit(topicBytes(2))
  expect(bench.published).toEqual([])
  bench.loader.onLeaderChange()
  bench.commit(topicBytes(3))
  expect(bench.published).toEqual(['1: topic-1,topic-2', '2: topic-3'])
})

test('the records of a transaction appear together, when it ends', () => {
  const bench = new Bench()
  bench.loader.onLeaderChange()
  bench.commit(topicBytes(1), BEGIN, topicBytes(2))
  bench.commit(topicBytes(3))
  expect(bench.loader.isInTransaction).toBe(true)
  expect(bench.loader.image.topics.byId.size).toBe(0)
  bench.commit(END)
  expect(bench.loader.image.topics.byId.size).toBe(3)
  expect(bench.published).toEqual(['4: topic-1,topic-2,topic-3'])
})

test('the records of an aborted transaction never appear', () => {
  const bench = new Bench()
  bench.loader.onLeaderChange()
  bench.commit(BEGIN, topicBytes(1))
  bench.commit(ABORT)
  expect(bench.loader.image.topics.byId.size).toBe(0)
  expect(bench.loader.isInTransaction).toBe(false)
})

test('a snapshot takes the place of everything before', () => {
  const bench = new Bench()
  bench.commit(topicBytes(1))
  const id = { endOffset: 40, epoch: 3 }
  bench.loader.onSnapshot({ id, lastContainedLogTimestampMs: 9, kraftVersion: 1, voters: [], records: [topicBytes(2)] })
  bench.loader.onLeaderChange()
  expect([...bench.loader.image.topics.byName.keys()]).toEqual(['topic-2'])
  expect(bench.loader.image.provenance).toEqual({ offset: 39, epoch: 3, timestampMs: 9 })
})

test('what a snapshot lacks is told as deleted', () => {
  const bench = new Bench()
  const deleted: string[] = []
  bench.loader.subscribe(({ topics }) => deleted.push(...[...topics.deleted.values()].map(({ name }) => name)))
  bench.loader.onLeaderChange()
  bench.commit(topicBytes(1), topicBytes(2))
  const id = { endOffset: 40, epoch: 3 }
  bench.loader.onSnapshot({ id, lastContainedLogTimestampMs: 9, kraftVersion: 1, voters: [], records: [topicBytes(2)] })
  expect(deleted).toEqual(['topic-1'])
})

test('a snapshot is written after so many bytes', () => {
  const bench = new Bench({ snapshotAfterBytes: 250 })
  bench.loader.onLeaderChange()
  for (let n = 0; n < 3; n++) bench.commit(topicBytes(n))
  expect(bench.snapshots).toEqual([{ endOffset: 3, count: 3 }])
})

test('a snapshot is written after so long, if there is anything new', () => {
  const bench = new Bench({ snapshotAfterMs: 1000 })
  bench.loader.onLeaderChange()
  bench.commit(topicBytes(1))
  bench.clock.advance(1500)
  expect(bench.snapshots).toEqual([])
  bench.commit(topicBytes(2))
  expect(bench.snapshots).toEqual([{ endOffset: 2, count: 2 }])
})
