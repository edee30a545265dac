import { describe, expect, test } from '@jest/globals'
import { MetadataDelta } from '../../../broker/metadata/delta.ts'
import { MetadataImage, ResourceType } from '../../../broker/metadata/image.ts'
import type { MetadataRecord } from '../../../broker/protocol/metadata-record.ts'
import { broker, config, feature, partition, record, topic, uuid } from './records.ts'

const AT = { offset: 1, epoch: 1, timestampMs: 1 }

function replayed(records: readonly MetadataRecord[], image = MetadataImage.EMPTY) {
  const delta = new MetadataDelta(image)
  for (const one of records) delta.replay(one)
  return { delta, image: delta.finish(AT) }
}

describe('topics', () => {
  const before = replayed([...topic(1, 3), config(ResourceType.TOPIC, 'topic-1', 'retention.ms', '7')]).image

  test('are found by name and by id', () => {
    expect(before.topic('topic-1')?.id).toBe(uuid(1))
    expect(before.topicById(uuid(1))?.partitions.map(({ index }) => index)).toEqual([0, 1, 2])
  })

  test('a change of the leader counts in both epochs, a change of the ISR in one', () => {
    const change = { topicId: uuid(1), partitionId: 1 }
    const { image, delta } = replayed(
      [
        record('PartitionChangeRecord', { ...change, leader: -1 }),
        record('PartitionChangeRecord', { ...change, isr: [1, 2] }),
      ],
      before,
    )
    expect(image.partition(uuid(1), 1)).toMatchObject({ leader: -1, leaderEpoch: 1, partitionEpoch: 2, isr: [1, 2] })
    expect([...delta.topics.changed()]).toEqual([{ topicId: uuid(1), name: 'topic-1', partitions: new Set([1]) }])
    expect(before.partition(uuid(1), 1)).toMatchObject({ leader: 1, leaderEpoch: 0, partitionEpoch: 0 })
  })

  test('a deleted topic takes its configs with it', () => {
    const { image, delta } = replayed([record('RemoveTopicRecord', { topicId: uuid(1) })], before)
    expect(image.topic('topic-1')).toBeUndefined()
    expect(image.configs.size).toBe(0)
    expect(delta.topics.deleted.get(uuid(1))?.name).toBe('topic-1')
  })

  test('a topic that is deleted and made again in one delta is the new one', () => {
    const { image, delta } = replayed(
      [record('RemoveTopicRecord', { topicId: uuid(1) }), ...topic(2, 1, 'topic-1')],
      before,
    )
    expect(image.topic('topic-1')?.id).toBe(uuid(2))
    expect(image.topicById(uuid(1))).toBeUndefined()
    expect(delta.topics.deleted.size).toBe(1)
  })

  test('a partition of a topic that is not there is a corrupt log', () => {
    expect(() => replayed([partition(9, 0)])).toThrow(`no topic has id ${uuid(9)}`)
  })

  test('ClearElrRecord without a name clears every topic', () => {
    const elr = { partitionId: 0, eligibleLeaderReplicas: [2], lastKnownElr: [3] }
    const with2 = replayed([
      ...topic(1, 1),
      ...topic(2, 1),
      record('PartitionChangeRecord', { ...elr, topicId: uuid(1) }, 2),
      record('PartitionChangeRecord', { ...elr, topicId: uuid(2) }, 2),
    ]).image
    expect(with2.partition(uuid(2), 0)?.eligibleLeaderReplicas).toEqual([2])
    const { image } = replayed([record('ClearElrRecord', { topicName: '' })], with2)
    for (const n of [1, 2])
      expect(image.partition(uuid(n), 0)).toMatchObject({ eligibleLeaderReplicas: [], lastKnownElr: [] })
  })
})

describe('brokers', () => {
  const before = replayed([broker(1, 15)]).image

  test('a change fences and unfences', () => {
    const change = (fenced: number) =>
      record('BrokerRegistrationChangeRecord', { brokerId: 1, brokerEpoch: 15n, fenced })
    const unfenced = replayed([change(-1)], before)
    expect(unfenced.image.brokers.get(1)?.isFenced).toBe(false)
    expect([...unfenced.delta.cluster.changedBrokers]).toEqual([1])
    expect(replayed([change(1)], unfenced.image).image.brokers.get(1)?.isFenced).toBe(true)
  })

  test('a change for another registration is a corrupt log', () => {
    const change = record('BrokerRegistrationChangeRecord', { brokerId: 1, brokerEpoch: 14n, fenced: -1 })
    expect(() => replayed([change], before)).toThrow('broker 1 has epoch 15, not 14')
  })

  test('old records fence and unfence too', () => {
    const { image } = replayed([record('UnfenceBrokerRecord', { id: 1, epoch: 15n })], before)
    expect(image.brokers.get(1)?.isFenced).toBe(false)
    expect(replayed([record('FenceBrokerRecord', { id: 1, epoch: 15n })], image).image.brokers.get(1)?.isFenced).toBe(
      true,
    )
  })

  test('an unregistered broker is gone', () => {
    const { image } = replayed([record('UnregisterBrokerRecord', { brokerId: 1, brokerEpoch: 15n })], before)
    expect(image.brokers.size).toBe(0)
  })
})

test('a feature at level 0 is not finalized', () => {
  const { image } = replayed([
    feature('metadata.version', 30),
    feature('group.version', 1),
    feature('group.version', 0),
  ])
  expect([...image.features]).toEqual([['metadata.version', 30]])
  expect(image.metadataVersion).toBe(30)
})

test('a config that is set to null is the default again', () => {
  const set = replayed([config(ResourceType.BROKER, '', 'a', '1'), config(ResourceType.BROKER, '', 'b', '2')]).image
  const { image, delta } = replayed([config(ResourceType.BROKER, '', 'a', null)], set)
  expect([...image.configsOf(ResourceType.BROKER, '')]).toEqual([['b', '2']])
  expect([...delta.configs.changed()]).toMatchObject([{ type: ResourceType.BROKER, name: '' }])
})

test('the parts of a quota entity have no order', () => {
  const entity = [
    { entityType: 'user', entityName: 'ann' },
    { entityType: 'client-id', entityName: null },
  ]
  const quota = (parts: typeof entity, remove: boolean) =>
    record('ClientQuotaRecord', { entity: parts, key: 'producer_byte_rate', value: 5, remove })
  const set = replayed([quota(entity, false)]).image
  expect([...set.clientQuotas.values()][0]?.values.get('producer_byte_rate')).toBe(5)
  expect(replayed([quota(entity.toReversed(), true)], set).image.clientQuotas.size).toBe(0)
})

test('what did not change is shared with the image before', () => {
  const before = replayed([...topic(1, 1), broker(1, 3)]).image
  const { image } = replayed([config(ResourceType.BROKER, '', 'a', '1')], before)
  expect(image.topics).toBe(before.topics)
  expect(image.brokers).toBe(before.brokers)
  expect(image.acls).toBe(before.acls)
})
