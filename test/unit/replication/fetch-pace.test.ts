import { describe, expect, test } from '@jest/globals'
import { FetchPace } from '../../../broker/replication/fetch-pace.ts'
import { SimClock } from '../../fakes/clock.ts'

const KIB = 1024
const CONFIGURED = { replicaFetchResponseMaxBytes: 10_240 * KIB, replicaFetchMaxBytes: 1024 * KIB }

class PaceRig {
  readonly clock = new SimClock()
  readonly pace = new FetchPace({ clock: this.clock })

  /** Of an answer, and of a partition in it. */
  get kib(): readonly [number, number] {
    const { maxBytes, partitionMaxBytes } = this.pace.limits(CONFIGURED)
    return [maxBytes / KIB, partitionMaxBytes / KIB]
  }

  /** An answer as large as it may be, or of `bytes`, took `ms`. */
  answer(ms: number, bytes = this.pace.limits(CONFIGURED).maxBytes): void {
    this.pace.begin()
    this.clock.advance(ms)
    this.pace.end(bytes)
  }
}

describe('how much a follower asks for', () => {
  test('is little at first, and a quarter of that from one partition', () => {
    expect(new PaceRig().kib).toEqual([128, 32])
  })

  test('is more each time that it took no time, up to what is configured', () => {
    const rig = new PaceRig()
    rig.answer(1)
    expect(rig.kib).toEqual([256, 64])
    for (let answers = 0; answers < 40; answers++) rig.answer(1)
    expect(rig.kib).toEqual([10_240, 1024])
  })

  test('is as much as before where it took some milliseconds', () => {
    const rig = new PaceRig()
    rig.answer(1)
    rig.answer(4)
    expect(rig.kib).toEqual([256, 64])
  })

  test('is less where it took longer, and never nothing', () => {
    const rig = new PaceRig()
    for (let answers = 0; answers < 3; answers++) rig.answer(1)
    rig.answer(50)
    expect(rig.kib).toEqual([512, 128])
    for (let answers = 0; answers < 40; answers++) rig.answer(50, 128 * KIB)
    const [least] = rig.kib
    expect(least).toBeGreaterThan(128)
    expect(least).toBeLessThan(1024)
  })

  test('is not little any more when much has been appended, however long that took', () => {
    const rig = new PaceRig()
    for (let answers = 0; answers < 100; answers++) rig.answer(50)
    expect(rig.kib).toEqual([1024, 256])
  })

  test('does not depend on answers of a few records', () => {
    const rig = new PaceRig()
    rig.answer(1)
    rig.answer(50, KIB)
    rig.answer(0, KIB)
    expect(rig.kib).toEqual([256, 64])
  })

  test('does not depend on what others did meanwhile', async () => {
    const rig = new PaceRig()
    rig.answer(1)
    rig.pace.begin()
    rig.clock.advance(2)
    expect(rig.pace.isTurnOver).toBe(true)
    const way = rig.pace.giveWay()
    rig.clock.advance(100)
    await way
    expect(rig.pace.isTurnOver).toBe(false)
    rig.pace.end(256 * KIB)
    expect(rig.kib).toEqual([512, 128])
  })
})
