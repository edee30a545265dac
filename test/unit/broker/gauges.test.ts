import { expect, test } from '@jest/globals'
import { type BrokerGaugeParts, brokerGauges } from '../../../broker/gauges.ts'
import { MetadataImage } from '../../../broker/metadata/image.ts'

/** What is told of one led partition in this state. */
function told(state: {
  readonly replicas: readonly number[]
  readonly isr: readonly number[]
  readonly addingReplicas?: readonly number[]
}) {
  const partition = {
    isLeader: true,
    state: { leader: 1, ...state },
    rules: { minInSyncReplicas: 2 },
    log: { topic: 't', partition: 0, highWatermark: 5, logStartOffset: 0 },
  }
  const parts = { replicas: { partitions: () => [partition] }, image: () => MetadataImage.EMPTY }
  const [sample] = brokerGauges(parts as unknown as BrokerGaugeParts).ledPartitions()
  return sample
}

test('replicas that a reassignment is only adding are not missing', () => {
  const state = { replicas: [1, 2, 3, 4, 5], isr: [1, 2, 3], addingReplicas: [4, 5] }
  expect(told(state)).toMatchObject({ replicas: 3, isr: 3 })
})

test('a partition that its first replica leads is led by its preferred leader', () => {
  expect(told({ replicas: [1, 2], isr: [1, 2] })).toMatchObject({ isPreferred: true })
  expect(told({ replicas: [2, 1], isr: [1, 2] })).toMatchObject({ isPreferred: false })
})
