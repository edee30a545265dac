import { describe, expect, test } from '@jest/globals'
import { MetadataDelta } from '../../../broker/metadata/delta.ts'
import { MetadataImage, ResourceType } from '../../../broker/metadata/image.ts'
import { FollowerThrottle, LeaderThrottle } from '../../../broker/replication/throttle.ts'
import { SimClock } from '../../fakes/clock.ts'
import { growth, GROWTH_MAX } from '../../tools/growth.ts'
import { config } from '../metadata/records.ts'
import { NODE, PartitionRig } from './rig.ts'

const OPTIONS = { windows: 11, windowMs: 1000, nodeId: NODE }

function imageOf(
  settings: readonly (readonly [type: number, name: string, key: string, value: string])[],
): MetadataImage {
  const delta = new MetadataDelta(MetadataImage.EMPTY)
  for (const setting of settings) delta.replay(config(...setting))
  return delta.finish({ offset: 1, epoch: 1, timestampMs: 0 })
}

async function leaderBed(replicas: string, broker = String(NODE)) {
  const clock = new SimClock()
  const throttle = new LeaderThrottle(OPTIONS, { clock })
  const image = imageOf([
    [ResourceType.BROKER, broker, 'leader.replication.throttled.rate', '1000'],
    [ResourceType.TOPIC, 'orders', 'leader.replication.throttled.replicas', replicas],
  ])
  throttle.configure(image)
  throttle.configureTopic('orders', image)
  const { partition } = await PartitionRig.open({ replicas: [1, 2, 3], isr: [1, 2] })
  return { clock, throttle, partition }
}

describe('a throttled leader', () => {
  test('holds back a follower that is not in sync, once the rate is exceeded', async () => {
    const { throttle, partition } = await leaderBed(`0:${NODE}`)
    expect(throttle.holdsBack(partition, 3)).toBe(false)
    throttle.sent(partition, 1001)
    expect(throttle.holdsBack(partition, 3)).toBe(true)
    expect(throttle.holdsBack(partition, 2)).toBe(false)
  })

  test('goes on when the rate is below the limit again', async () => {
    const { clock, throttle, partition } = await leaderBed('*')
    throttle.sent(partition, 4000)
    clock.advance(3000)
    expect(throttle.holdsBack(partition, 3)).toBe(true)
    clock.advance(1001)
    expect(throttle.holdsBack(partition, 3)).toBe(false)
  })

  test('has the rate of the whole cluster where it has none of its own', async () => {
    const { throttle, partition } = await leaderBed('*', '')
    throttle.sent(partition, 4000)
    expect(throttle.holdsBack(partition, 3)).toBe(true)
  })

  test.each(['*,', `, 0:${NODE} ,`, `0:0${NODE}`])(
    'is throttled by %p: a comma too many names nobody',
    async (replicas) => {
      const { throttle, partition } = await leaderBed(replicas)
      throttle.sent(partition, 4000)
      expect(throttle.holdsBack(partition, 3)).toBe(true)
    },
  )

  test.each(['1:1', '0:2', '0:11', '0', '1', ',', ''])(
    'leaves alone the replicas that %p does not name',
    async (replicas) => {
      const { throttle, partition } = await leaderBed(replicas)
      throttle.sent(partition, 4000)
      expect(throttle.holdsBack(partition, 3)).toBe(false)
    },
  )
})

test('a long list of throttled replicas is read in linear time', () => {
  const throttle = new FollowerThrottle(OPTIONS, { clock: new SimClock() })
  const key = 'follower.replication.throttled.replicas'
  const read = (size: number) => {
    const image = imageOf([[ResourceType.TOPIC, 'orders', key, `a${' '.repeat(size)}b`]])
    throttle.configureTopic('orders', image)
  }
  expect(growth(read)).toBeLessThan(GROWTH_MAX)
})

test('a throttled follower leaves out what it has not caught up with', async () => {
  const clock = new SimClock()
  const throttle = new FollowerThrottle(OPTIONS, { clock })
  const image = imageOf([
    [ResourceType.BROKER, String(NODE), 'follower.replication.throttled.rate', '1000'],
    [ResourceType.TOPIC, 'orders', 'follower.replication.throttled.replicas', '*'],
  ])
  throttle.configure(image)
  throttle.configureTopic('orders', image)
  const { partition } = await PartitionRig.open({ leader: 2 })
  throttle.received(partition, 5000)
  expect(throttle.holdsBack(partition, false)).toBe(true)
  expect(throttle.holdsBack(partition, true)).toBe(false)
})
