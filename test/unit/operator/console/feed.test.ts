import { expect, test } from '@jest/globals'
import type { KafkaCluster } from '../../../../operator/api/resource.ts'
import { Feed } from '../../../../operator/console/feed.ts'
import type { ConsoleSource } from '../../../../operator/console/feed.ts'
import type { KafkaState } from '../../../../operator/kafka/state.ts'
import { SimClock } from '../../../fakes/clock.ts'
import { kafkaCluster, kafkaState } from '../../../fakes/operator.ts'

const VIEW = { cluster: 'kafka/orders', topic: null }

class World implements ConsoleSource {
  readonly clock = new SimClock()
  readonly feed = new Feed(this, this.clock)
  readonly sent: string[] = []
  listed: KafkaCluster[] = [kafkaCluster()]
  kafka: KafkaState = kafkaState()
  failure: Error | null = null
  reads = 0

  clusters = async () => {
    this.reads += 1
    if (this.failure !== null) throw this.failure
    return this.listed
  }
  topics = async () => []
  look = async () => this.kafka
  groups = async () => []

  watch(view: { cluster: string | null; topic: string | null } = VIEW): () => void {
    return this.feed.subscribe(view, (event, json) => this.sent.push(`${event} ${json}`))
  }

  events(): string[] {
    return this.sent.map((line) => line.split(' ')[0] ?? '')
  }
}

test('who looks at the list is told of the clusters only', async () => {
  const world = new World()
  world.watch({ cluster: null, topic: null })
  await world.clock.run(0)
  expect(world.events()).toEqual(['clusters'])
})

test('who looks at a topic is told of its partitions too', async () => {
  const world = new World()
  world.watch({ cluster: 'kafka/orders', topic: 'payments' })
  await world.clock.run(0)
  expect(world.events()).toEqual(['clusters', 'cluster', 'partitions'])
})

test('what has not changed is not sent again', async () => {
  const world = new World()
  world.watch()
  await world.clock.run(10_000)
  expect(world.events()).toEqual(['clusters', 'cluster'])
})

test('what has changed is sent', async () => {
  const world = new World()
  world.watch()
  await world.clock.run(0)
  world.kafka = kafkaState({ brokers: new Map([[7, { rack: null }]]) })
  await world.clock.run(2000)
  expect(world.sent.at(-1)).toContain('"id":7')
})

test('nothing is read once nobody looks', async () => {
  const world = new World()
  const stop = world.watch()
  await world.clock.run(0)
  stop()
  await world.clock.run(10_000)
  expect(world.reads).toBe(1)
})

test('who comes back after everybody had gone is told everything again', async () => {
  const world = new World()
  const stop = world.watch()
  await world.clock.run(0)
  stop()
  await world.clock.run(10_000)
  world.watch()
  await world.clock.run(0)
  expect(world.events()).toEqual(['clusters', 'cluster', 'clusters', 'cluster'])
})

test('who comes while it is being read does not wait for the next time', async () => {
  const world = new World()
  world.watch({ cluster: null, topic: null })
  world.watch()
  await world.clock.run(0)
  expect(world.events()).toEqual(['clusters', 'clusters', 'cluster'])
})

test('however many look, it is read once in a while', async () => {
  const world = new World()
  for (let viewer = 0; viewer < 5; viewer++) {
    world.watch()
    await world.clock.run(0)
  }
  const before = world.reads
  await world.clock.run(2000)
  expect(world.reads - before).toBe(1)
})

test('a cluster that there is not is said not to be there', async () => {
  const world = new World()
  world.watch({ cluster: 'kafka/other', topic: null })
  await world.clock.run(0)
  expect(world.sent.at(-1)).toBe('cluster null')
})

test('an API server that does not answer is told of, and asked again', async () => {
  const world = new World()
  world.failure = new Error('connection refused')
  world.watch()
  await world.clock.run(0)
  expect(world.sent).toEqual(['trouble {"message":"Kubernetes does not answer: connection refused"}'])
  world.failure = null
  await world.clock.run(2000)
  expect(world.events()).toEqual(['trouble', 'recovered', 'clusters', 'cluster'])
})

test('the end of an outage is told once, and the next outage like the first', async () => {
  const world = new World()
  world.watch({ cluster: null, topic: null })
  await world.clock.run(0)
  world.failure = new Error('connection refused')
  await world.clock.run(4000)
  world.failure = null
  await world.clock.run(4000)
  world.failure = new Error('connection refused')
  await world.clock.run(4000)
  expect(world.events()).toEqual(['clusters', 'trouble', 'recovered', 'trouble'])
})
