import { expect, test } from '@jest/globals'
import { keyOf, KAFKA_TOPIC } from '../../../../operator/api/resource.ts'
import type { KafkaTopic } from '../../../../operator/api/resource.ts'
import { KubeError } from '../../../../operator/kube/api.ts'
import { Informer } from '../../../../operator/kube/informer.ts'
import type { FakeKube } from '../../../fakes/kube.ts'
import { kafkaTopic, operatorWorld } from '../../../fakes/operator.ts'

function informing(namespace: string | null = null) {
  const world = operatorWorld()
  const changes: string[] = []
  const onChange = (topic: KafkaTopic, isDeleted: boolean): void => {
    changes.push(`${isDeleted ? '-' : '+'}${keyOf(topic)}`)
  }
  const informer = new Informer<KafkaTopic>({ type: KAFKA_TOPIC, namespace, onChange }, world)
  const stop = new AbortController()
  const start = () => informer.run(stop.signal)
  return { ...world, informer, changes, stop, start }
}

test('it knows what is there and what changes', async () => {
  const { api, clock, informer, changes, stop, start } = informing()
  api.put(KAFKA_TOPIC, kafkaTopic({}, 'a'))
  const running = start()
  await clock.run(1)
  await informer.synced
  api.put(KAFKA_TOPIC, kafkaTopic({}, 'b'))
  api.put(KAFKA_TOPIC, kafkaTopic({ partitions: 9 }, 'a'))
  api.remove(KAFKA_TOPIC, 'team', 'b')
  expect(changes).toEqual(['+team/a', '+team/b', '+team/a', '-team/b'])
  expect(informer.get('team/a')?.spec.partitions).toBe(9)
  expect(informer.values().map(keyOf)).toEqual(['team/a'])
  stop.abort()
  await running
})

test('one namespace is all that it sees', async () => {
  const { api, clock, informer, stop, start } = informing('team')
  const running = start()
  api.put(KAFKA_TOPIC, kafkaTopic({}, 'a', 'other'))
  api.put(KAFKA_TOPIC, kafkaTopic({}, 'b', 'team'))
  await clock.run(1)
  expect(informer.values().map(keyOf)).toEqual(['team/b'])
  stop.abort()
  await running
})

test('a watch that the server ends goes on where it was', async () => {
  const { api, clock, changes, stop, start } = informing()
  const running = start()
  await clock.run(60_000)
  const lists: string[] = []
  api.intercept = (call) => void lists.push(call)
  api.endWatches()
  api.put(KAFKA_TOPIC, kafkaTopic({}, 'a'))
  await clock.run(5000)
  expect(lists).toEqual(['watch KafkaTopic'])
  expect(changes).toEqual(['+team/a'])
  stop.abort()
  await running
})

/** Has `change` made while no watch is open, and what was before it forgotten. */
function unwatched(api: FakeKube, change: () => void): void {
  let isDown = true
  api.intercept = (call) => {
    if (isDown && call.startsWith('watch')) throw new KubeError(500, 'InternalError', 'down')
  }
  api.endWatches()
  change()
  api.compact()
  isDown = false
}

test('after 410 Gone it lists again and misses nothing, deletions neither', async () => {
  const { api, clock, informer, changes, stop, start } = informing()
  api.put(KAFKA_TOPIC, kafkaTopic({}, 'a'))
  api.put(KAFKA_TOPIC, kafkaTopic({}, 'same'))
  const running = start()
  await clock.run(60_000)
  unwatched(api, () => {
    api.remove(KAFKA_TOPIC, 'team', 'a')
    api.put(KAFKA_TOPIC, kafkaTopic({}, 'b'))
  })
  changes.length = 0
  await clock.run(60_000)
  expect(changes).toEqual(['-team/a', '+team/b'])
  expect(informer.values().map(keyOf)).toEqual(['team/same', 'team/b'])
  stop.abort()
  await running
})

test('one that was made again while nobody watched has gone first', async () => {
  const { api, clock, informer, changes, stop, start } = informing()
  api.put(KAFKA_TOPIC, kafkaTopic({}, 'a'))
  const running = start()
  await clock.run(60_000)
  unwatched(api, () => {
    api.remove(KAFKA_TOPIC, 'team', 'a')
    api.put(KAFKA_TOPIC, kafkaTopic({ topicName: 'another' }, 'a'))
  })
  changes.length = 0
  await clock.run(60_000)
  expect(changes).toEqual(['-team/a', '+team/a'])
  expect(informer.get('team/a')?.spec.topicName).toBe('another')
  stop.abort()
  await running
})

test('while the API is down it tries again, less and less often', async () => {
  const { api, clock, informer, stop, start } = informing()
  let attempts = 0
  let isDown = true
  api.intercept = () => {
    attempts += 1
    if (isDown) throw new KubeError(0, 'Unreachable', 'no connection')
  }
  const running = start()
  await clock.run(10 * 60_000)
  expect(attempts).toBeGreaterThan(15)
  expect(attempts).toBeLessThan(60)
  isDown = false
  await clock.run(60_000)
  await informer.synced
  stop.abort()
  await running
})

test('who manages which field is not kept', async () => {
  const { api, clock, informer, stop, start } = informing()
  const topic = kafkaTopic({}, 'a')
  api.put(KAFKA_TOPIC, { ...topic, metadata: { ...topic.metadata, managedFields: [{ manager: 'me' }] } } as KafkaTopic)
  const running = start()
  await clock.run(1)
  expect(informer.get('team/a')?.metadata).not.toHaveProperty('managedFields')
  stop.abort()
  await running
})

test('a watch that breaks off every minute is there again within a second', async () => {
  const { api, clock, stop, start } = informing()
  let endMs = 0
  const gapsMs: number[] = []
  api.intercept = (call) => {
    if (call.startsWith('list') && endMs > 0) gapsMs.push(clock.monotonicMs() - endMs)
  }
  api.watch = async () => {
    await new Promise<void>((resolve) => clock.setTimer(60_000, resolve))
    endMs = clock.monotonicMs()
    throw new KubeError(0, 'Unreachable', 'connection reset')
  }
  const running = start()
  await clock.run(20 * 60_000)
  stop.abort()
  await clock.run(60_000)
  await running
  expect(gapsMs.length).toBeGreaterThan(10)
  expect(Math.max(...gapsMs)).toBeLessThanOrEqual(1000)
})
