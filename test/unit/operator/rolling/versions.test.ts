import { expect, test } from '@jest/globals'
import { STATEFUL_SET } from '../../../../operator/api/resource.ts'
import type { StatefulSet } from '../../../../operator/cluster/kubernetes.ts'
import { condition } from '../../../fakes/operator.ts'
import { ALL, CONTROLLERS, IMAGES, notes, RollWorld, settled } from './step-world.ts'

test('another version is another image; metadata.version follows once every node has it', async () => {
  const world = new RollWorld({ version: '4.2' })
  world.metadataVersion = 29
  await world.settle()
  expect(world.stored.status).toMatchObject({ version: '4.2', metadataVersion: '4.2-IV1' })
  world.change({ version: '4.3' })
  await world.settle(5)
  expect(world.stored.status?.version).toBe('4.2')
  expect(world.asked.filter((call) => call.startsWith('metadata'))).toEqual([])
  await world.settle()
  expect(world.restarted).toEqual(ALL)
  expect(notes(world)).toContain('orders-brokers-0 is restarted: image ottla:2 -> ottla:3')
  expect(world.asked.filter((call) => call.startsWith('metadata'))).toEqual(['metadata.version 29 -> 30'])
  expect(world.stored.status).toMatchObject({ version: '4.3', metadataVersion: '4.3-IV0' })
})

test('metadata.version is lowered before an image that lacks it', async () => {
  const world = await settled()
  world.change({ version: '4.2' })
  await world.reconcile()
  expect(world.asked).toContain('metadata.version 30 -> 29 lower')
  const set = world.api.peek<StatefulSet>(STATEFUL_SET, 'kafka', 'orders-brokers')
  expect(JSON.stringify(set?.spec.template)).toContain('ottla:3')
  await world.settle()
  expect(world.restarted).toEqual(ALL)
  expect(world.stored.status).toMatchObject({ version: '4.2', metadataVersion: '4.2-IV1' })
})

test('spec.metadataVersion holds it', async () => {
  const world = new RollWorld({ metadataVersion: '4.1' })
  world.metadataVersion = 27
  await world.settle()
  expect(world.stored.status?.metadataVersion).toBe('4.1-IV1')
  expect(world.asked.filter((call) => call.startsWith('metadata'))).toEqual([])
  world.change({ metadataVersion: '4.2-IV0' })
  await world.settle()
  expect(world.stored.status?.metadataVersion).toBe('4.2-IV0')
})

test.each([
  [{ version: '9.9' }, 'UnknownVersion: spec.version 9.9 of distribution bundled: the operator has images of 4.3, 4.2'],
  [{ metadataVersion: '9.9' }, "InvalidSpec: spec.metadataVersion 9.9 is none of Kafka's"],
  [{ version: '4.2', metadataVersion: '4.3' }, 'InvalidSpec: spec.metadataVersion 4.3 is above spec.version 4.2'],
])('a version that cannot be had is said: %j', async (change, words) => {
  const world = await settled()
  world.change(change)
  await world.reconcile()
  expect(condition(world.stored, 'Stalled')).toContain(words)
  expect(world.restarted).toEqual([])
})

test('a version that cannot read the metadata waits until it can, also where no image of the one before is left to lower it with', async () => {
  const world = await settled()
  world.images = new Map([['4.2', 'apache:2']])
  world.change({ version: '4.2' })
  await world.settle(10)
  expect(world.restarted).toEqual([])
  expect(condition(world.stored, 'Stalled')).toContain(
    'MetadataVersionTooHigh: metadata.version is 4.3-IV0, which 4.2 cannot read, and the operator has no image of 4.3 of distribution bundled',
  )
  world.images = IMAGES
  world.change({ version: '4.3', metadataVersion: '4.2' })
  await world.settle()
  expect(world.stored.status?.metadataVersion).toBe('4.2-IV1')
  world.images = new Map([['4.2', 'apache:2']])
  world.change({ version: '4.2' })
  await world.settle()
  expect(world.restarted).toEqual(ALL)
  expect(world.stored.status).toMatchObject({ version: '4.2', metadataVersion: '4.2-IV1' })
})

test('a new image that does not start stops the roll at the first pod, and the old version comes back when it is asked for', async () => {
  const world = await settled()
  world.kubelet.trouble = ({ spec }) => (JSON.stringify(spec).includes('ottla:bad') ? 'CrashLoopBackOff' : null)
  world.images = new Map([['4.3', 'ottla:bad']])
  await world.settle(20)
  expect(world.restarted).toEqual([CONTROLLERS[0]])
  expect(world.rollout?.state).toBe('Failed')
  expect(condition(world.stored, 'Stalled')).toContain(
    'RolloutFailed: orders-controllers-1: container kafka: CrashLoopBackOff',
  )
  world.images = new Map([['4.3', 'ottla:3']])
  await world.settle()
  expect(world.restarted).toEqual([CONTROLLERS[0], CONTROLLERS[0]])
  expect(condition(world.stored, 'Ready')).toContain('True Ready')
})
