import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { describeWith } from '../tools/requires.ts'
import { installOperator, Namespace, restartOperator } from './cluster.ts'
import { kafkaCluster, kafkaTopic } from './manifests.ts'
import type { Client } from './pod-client.ts'

describeWith(['kubernetes'], 'topics as resources', () => {
  let namespace: Namespace
  let team: Namespace
  let stranger: Namespace
  let client: Client

  beforeAll(async () => {
    await installOperator()
    namespace = await Namespace.create('topics')
    team = await Namespace.create('topics-team')
    stranger = await Namespace.create('topics-stranger')
    const topics = { namespaces: ['topics-team'], deleteProtection: true }
    await namespace.apply(kafkaCluster({ topics }))
    await namespace.ready('kafkacluster/main')
    client = await namespace.client('main-bootstrap:9092')
  })

  afterAll(async () => {
    await Namespace.remove('topics')
    await Namespace.remove('topics-team')
    await Namespace.remove('topics-stranger')
  })

  test('a topic is created with its partitions and configs', async () => {
    await namespace.apply(kafkaTopic('created', { partitions: 4, config: { 'retention.ms': '60000' } }))
    await namespace.ready('kafkatopic/created')
    expect(await client.describe('created')).toEqual({ partitions: 4, config: { 'retention.ms': '60000' } })
  })

  test('a topic in another namespace than its cluster works', async () => {
    await team.apply(kafkaTopic('elsewhere', { cluster: { name: 'main', namespace: 'topics' } }))
    await team.ready('kafkatopic/elsewhere')
    expect(await client.describe('elsewhere')).toMatchObject({ partitions: 1 })
    await team.delete('kafkatopic/elsewhere')
  })

  test('configs are changed, and one that is taken out goes back to its default', async () => {
    await namespace.apply(kafkaTopic('changed', { config: { 'retention.ms': '60000', 'max.message.bytes': '2000' } }))
    await namespace.ready('kafkatopic/changed')
    await namespace.apply(kafkaTopic('changed', { config: { 'retention.ms': '90000' } }))
    await namespace.settled('kafkatopic/changed')
    expect(await client.describe('changed')).toEqual({ partitions: 1, config: { 'retention.ms': '90000' } })
  })

  test('partitions are added', async () => {
    await namespace.apply(kafkaTopic('grown', { partitions: 2 }))
    await namespace.ready('kafkatopic/grown')
    await namespace.apply(kafkaTopic('grown', { partitions: 5 }))
    await namespace.settled('kafkatopic/grown')
    expect(await client.describe('grown')).toMatchObject({ partitions: 5 })
  })

  test('a topic that exists is adopted with its records', async () => {
    await client.create('adopted', { partitions: 2, config: { 'retention.ms': '600000' } })
    await client.produce('adopted', 10)
    await namespace.apply(kafkaTopic('adopted', { partitions: 3, config: { 'cleanup.policy': 'delete' } }))
    await namespace.ready('kafkatopic/adopted')
    expect(await client.describe('adopted')).toEqual({ partitions: 3, config: { 'cleanup.policy': 'delete' } })
    expect(await client.consume('adopted', 10)).toMatchObject({ 0: ['0-0', '0-1', '0-2', '0-3', '0-4'] })
  })

  test('a topic that has more partitions than asked for says so', async () => {
    await client.create('wide', { partitions: 6, config: {} })
    await namespace.apply(kafkaTopic('wide', { partitions: 2, deletionPolicy: 'retain' }))
    expect(await namespace.says('kafkatopic/wide', 'PartitionsCannotShrink')).toContain('set spec.partitions to 6')
  })

  test('what somebody changed behind its back is changed back', async () => {
    await namespace.apply(kafkaTopic('drifting', { config: { 'retention.ms': '60000' } }))
    await namespace.ready('kafkatopic/drifting')
    await client.configure('drifting', { 'retention.ms': '1', 'segment.ms': '1000000' })
    await restartOperator()
    await namespace.kubectl(
      'wait',
      '--for=create',
      'events',
      '--field-selector=reason=ConfigChanged,involvedObject.name=drifting',
    )
    expect(await client.describe('drifting')).toEqual({ partitions: 1, config: { 'retention.ms': '60000' } })
  })

  test('of two resources for one topic the older one has it, and the younger one says so', async () => {
    await namespace.apply(kafkaTopic('older', { topicName: 'shared', partitions: 2 }))
    await namespace.ready('kafkatopic/older')
    await namespace.apply(kafkaTopic('younger', { topicName: 'shared', partitions: 9 }))
    expect(await namespace.says('kafkatopic/younger', 'TopicClaimed')).toContain('topics/older')
    expect(await client.describe('shared')).toMatchObject({ partitions: 2 })
  })

  test('when the older one goes the younger one has the topic, with its records', async () => {
    await client.produce('shared', 10)
    await namespace.delete('kafkatopic/older')
    await namespace.ready('kafkatopic/younger')
    expect(await client.describe('shared')).toMatchObject({ partitions: 9 })
    expect(await client.consume('shared', 10)).toMatchObject({ 0: ['0-0', '0-1', '0-2', '0-3', '0-4'] })
  })

  test('a namespace that the cluster does not name has no topics there', async () => {
    await stranger.apply(kafkaTopic('stranger', { cluster: { name: 'main', namespace: 'topics' } }))
    const message = await stranger.says('kafkatopic/stranger', 'NamespaceNotAllowed')
    expect(message).toContain('add it to spec.topics.namespaces')
    expect(await client.describe('stranger')).toBeNull()
  })

  test('a paused topic is Ready, and left as it is', async () => {
    await client.create('paused', { partitions: 2, config: {} })
    const topic = kafkaTopic('paused', { partitions: 4 })
    await namespace.apply({ ...topic, metadata: { name: 'paused', annotations: { 'kafka.ottla.dev/paused': 'true' } } })
    expect(await namespace.says('kafkatopic/paused', 'Paused')).toContain('2 -> 4 partitions')
    await namespace.ready('kafkatopic/paused')
    await namespace.delete('kafkatopic/paused')
    expect(await client.describe('paused')).toMatchObject({ partitions: 2 })
  })

  test('a topic with records is protected from the deletion of its resource', async () => {
    await namespace.apply(kafkaTopic('precious', {}))
    await namespace.ready('kafkatopic/precious')
    await client.produce('precious', 5)
    await namespace.delete('kafkatopic/precious')
    expect(await client.consume('precious', 5)).toMatchObject({ 0: ['0-0', '0-1', '0-2', '0-3', '0-4'] })
  })

  test('what the broker refuses is in the status in its own words', async () => {
    await namespace.apply(kafkaTopic('refused', { replicas: 3 }))
    const message = await namespace.says('kafkatopic/refused', 'InvalidReplicationFactor')
    expect(message).toContain('KafkaCluster topics/main refuses')
  })

  test('a deleted resource takes its topic with it', async () => {
    await namespace.apply(kafkaTopic('deleted', {}))
    await namespace.ready('kafkatopic/deleted')
    await namespace.delete('kafkatopic/deleted')
    expect(await client.describe('deleted')).toBeNull()
  })

  test('a deleted resource leaves its topic where it says so', async () => {
    await namespace.apply(kafkaTopic('retained', { deletionPolicy: 'retain' }))
    await namespace.ready('kafkatopic/retained')
    await namespace.delete('kafkatopic/retained')
    expect(await client.describe('retained')).toMatchObject({ partitions: 1 })
  })
})
