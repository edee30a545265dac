import { describe, expect, test } from '@jest/globals'
import { MetadataDelta } from '../../../broker/metadata/delta.ts'
import { MetadataImage } from '../../../broker/metadata/image.ts'
import { isStray } from '../../../broker/replication/strays.ts'
import { topic, uuid } from '../metadata/records.ts'
import { NODE } from './rig.ts'

function imageOf(records: ReturnType<typeof topic>): MetadataImage {
  const delta = new MetadataDelta(MetadataImage.EMPTY)
  for (const record of records) delta.replay(record)
  return delta.finish({ ...MetadataImage.EMPTY.provenance, offset: 1 })
}

describe('a log', () => {
  const image = imageOf(topic(7, 1, 'orders'))
  const mine = { topic: 'orders', partition: 0, topicId: uuid(7) }

  test.each([
    ['of a partition with a replica here', mine, NODE, false],
    ['that does not know whose it is, and has the name of one', { ...mine, topicId: null }, NODE, false],
    ['of another topic of that name', { ...mine, topicId: uuid(6) }, NODE, true],
    ['of a topic that is gone', { ...mine, topic: 'gone' }, NODE, true],
    ['that does not know whose it is, of a name that is gone', { ...mine, topic: 'gone', topicId: null }, NODE, true],
    ['of a partition that there is not', { ...mine, partition: 1 }, NODE, true],
    ['of a partition whose replicas are elsewhere', mine, NODE + 1, true],
  ])('%s', (_, log, nodeId, expected) => {
    expect(isStray(log, image, nodeId)).toBe(expected)
  })
})
