import { describe, expect, test } from '@jest/globals'
import { LeaderEpochCache } from '../../../broker/storage/leader-epochs.ts'
import { SimDisk } from '../../fakes/disk.ts'

const PATH = '/leader-epoch-checkpoint'

function cacheOf(...entries: readonly (readonly [epoch: number, startOffset: number])[]) {
  const disk = new SimDisk()
  const cache = new LeaderEpochCache({ path: PATH }, { disk })
  for (const [epoch, startOffset] of entries) cache.assign(epoch, startOffset)
  return { cache, disk }
}

const pairs = (cache: LeaderEpochCache) => cache.entries.map(({ epoch, startOffset }) => [epoch, startOffset])

describe('the end offset of', () => {
  const { cache } = cacheOf([2, 0], [5, 10], [7, 20])
  test.each([
    ['the latest epoch is the end of the log', 7, { epoch: 7, endOffset: 99 }],
    ['an earlier epoch is the start of the next one', 2, { epoch: 2, endOffset: 10 }],
    ['an epoch that wrote nothing is that of the one before it', 6, { epoch: 5, endOffset: 20 }],
    ['an epoch before the first is the start of the first', 1, { epoch: 1, endOffset: 0 }],
    ['an epoch not heard of is unknown', 8, { epoch: -1, endOffset: -1 }],
    ['no epoch is unknown', -1, { epoch: -1, endOffset: -1 }],
  ])('%s', (_, epoch, end) => {
    expect(cache.endOffsetFor(epoch, 99)).toEqual(end)
  })
})

describe('an epoch', () => {
  test('that begins before others takes the place of those', () => {
    const { cache } = cacheOf([2, 0], [5, 10], [7, 20])
    cache.assign(8, 10)
    expect(pairs(cache)).toEqual([
      [2, 0],
      [8, 10],
    ])
  })

  test('keeps its start when it is told again', () => {
    const { cache } = cacheOf([2, 5])
    cache.assign(2, 8)
    expect(pairs(cache)).toEqual([[2, 5]])
  })

  test('that goes on ends those that began behind it, and keeps its start', () => {
    const { cache } = cacheOf([2, 0], [5, 10], [7, 20])
    cache.assign(5, 20)
    expect(pairs(cache)).toEqual([
      [2, 0],
      [5, 10],
    ])
  })

  test('of an offset is the last that began at or before it', () => {
    const { cache } = cacheOf([2, 5], [3, 8])
    expect([4, 5, 7, 8, 100].map((offset) => cache.epochFor(offset))).toEqual([-1, 2, 2, 3, 3])
  })
})

describe('truncation', () => {
  test('from the end drops the epochs that begin at the offset or behind it', () => {
    const { cache } = cacheOf([2, 0], [5, 10], [7, 20])
    cache.truncateFromEnd(10)
    expect(pairs(cache)).toEqual([[2, 0]])
  })

  test('from the start keeps the epoch of the offset, beginning there', () => {
    const { cache } = cacheOf([2, 0], [5, 10], [7, 20])
    cache.truncateFromStart(15)
    expect(pairs(cache)).toEqual([
      [5, 15],
      [7, 20],
    ])
  })
})

describe('the checkpoint', () => {
  test('has the format of Kafka and is read back', async () => {
    const { cache, disk } = cacheOf([2, 0], [5, 10])
    expect(await cache.persist()).toBe(true)
    expect(new TextDecoder().decode(disk.readFile(PATH))).toBe('0\n2\n2 0\n5 10\n')
    const again = new LeaderEpochCache({ path: PATH }, { disk })
    again.load()
    expect(pairs(again)).toEqual(pairs(cache))
  })

  test('is written only where something has changed', async () => {
    const { cache, disk } = cacheOf([2, 0])
    await cache.persist()
    const before = disk.counts.sync
    cache.assign(2, 0)
    expect([await cache.persist(), disk.counts.sync]).toEqual([false, before])
  })

  test('has what changes while it is written the next time', async () => {
    const { cache, disk } = cacheOf([2, 0])
    const persisted = cache.persist()
    cache.assign(3, 10)
    await persisted
    expect(new TextDecoder().decode(disk.readFile(PATH))).toBe('0\n1\n2 0\n')
    expect(await cache.persist()).toBe(true)
    expect(new TextDecoder().decode(disk.readFile(PATH))).toBe('0\n2\n2 0\n3 10\n')
  })

  test('of a log that goes meanwhile is not put in the place of its heir', async () => {
    const { cache, disk } = cacheOf([2, 0])
    const persisted = cache.persist()
    cache.close()
    const heir = new LeaderEpochCache({ path: PATH }, { disk })
    heir.assign(7, 0)
    await heir.persist()
    await persisted
    heir.load()
    expect(pairs(heir)).toEqual([[7, 0]])
  })

  test("of a log that is closed before its turn is not begun: what is there may be the heir's", async () => {
    const { cache, disk } = cacheOf([2, 0])
    cache.close()
    expect(await cache.persist()).toBe(false)
    expect(disk.list('/')).toEqual([])
  })

  test('that is damaged is refused', () => {
    const { disk } = cacheOf()
    disk.replaceFile(PATH, new TextEncoder().encode('0\n1\n2 x\n'))
    const cache = new LeaderEpochCache({ path: PATH }, { disk })
    expect(() => cache.load()).toThrow(expect.objectContaining({ code: 'CORRUPT_FILE' }))
  })
})
