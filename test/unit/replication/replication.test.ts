import { describe, expect, test } from '@jest/globals'
import { ErrorCode } from '../../../broker/protocol/errors.ts'
import { TestCluster } from './cluster.ts'

describe('a partition on three brokers', () => {
  test('is committed when all in-sync replicas have it, and is the same on all', async () => {
    const cluster = await TestCluster.start(3)
    cluster.createTopic([1, 2, 3])
    await cluster.run(100)
    expect(await cluster.until(cluster.broker(1).produce(['a', 'b']))).toBe(ErrorCode.NONE)
    expect(await cluster.until(cluster.broker(1).produce(['c']))).toBe(ErrorCode.NONE)
    for (const id of [1, 2, 3]) expect(await cluster.until(cluster.broker(id).values())).toEqual(['a', 'b', 'c'])
  })
})
