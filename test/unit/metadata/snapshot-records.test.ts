import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import { MetadataDelta } from '../../../broker/metadata/delta.ts'
import { MetadataImage } from '../../../broker/metadata/image.ts'
import { removalRecords } from '../../../broker/metadata/removal-records.ts'
import { snapshotRecords } from '../../../broker/metadata/snapshot-records.ts'
import { decodeMetadataRecord, type MetadataRecord } from '../../../broker/protocol/metadata-record.ts'
import { broker, config, feature, record, topic, uuid } from './records.ts'

const AT = { offset: 0, epoch: 0, timestampMs: 0 }

function replayed(records: Iterable<MetadataRecord>, image = MetadataImage.EMPTY): MetadataImage {
  const delta = new MetadataDelta(image)
  for (const one of records) delta.replay(one)
  return delta.finish(AT)
}

/** The whole image as plain data, in an order of its own. */
function contents(image: MetadataImage): unknown {
  const sorted = (entries: Iterable<readonly [unknown, unknown]>) =>
    [...entries].map((entry) => JSON.stringify(entry, replacer)).toSorted()
  return {
    features: sorted(image.features),
    brokers: sorted(image.brokers),
    controllers: sorted(image.controllers),
    topics: sorted(image.topics.byId.entries()),
    names: sorted(image.topics.byName.entries()),
    configs: sorted(image.configs.entries()),
    quotas: sorted(image.clientQuotas.entries()),
    scram: sorted(image.scramCredentials.entries()),
    acls: sorted(image.acls.entries()),
    tokens: sorted(image.delegationTokens.entries()),
    producerIds: image.producerIds,
  }
}

function replacer(_key: string, value: unknown): unknown {
  return value instanceof Map ? [...value].map((entry) => JSON.stringify(entry)).toSorted() : value
}

const n = fc.integer({ min: 0, max: 3 })
const small = fc.string({ minLength: 1, maxLength: 3 })

/** One step that goes with any image, as records. */
const change = fc.oneof(
  fc.record({ kind: fc.constant('topic' as const), n, partitions: fc.integer({ min: 1, max: 4 }) }),
  fc.record({
    kind: fc.constant('partition' as const),
    n,
    leader: fc.integer({ min: -2, max: 3 }),
    isr: fc.option(fc.array(n)),
  }),
  fc.record({ kind: fc.constant('remove' as const), n }),
  fc.record({
    kind: fc.constant('config' as const),
    type: fc.constantFrom(2, 4),
    n,
    key: small,
    value: fc.option(small),
  }),
  fc.record({ kind: fc.constant('broker' as const), n, fenced: fc.boolean() }),
  fc.record({ kind: fc.constant('security' as const), n, add: fc.boolean() }),
  fc.record({ kind: fc.constant('quota' as const), n, remove: fc.boolean() }),
  fc.record({ kind: fc.constant('misc' as const), n }),
)

function recordsFor(
  image: MetadataImage,
  step: typeof change extends fc.Arbitrary<infer T> ? T : never,
): MetadataRecord[] {
  switch (step.kind) {
    case 'topic':
      return image.topicById(uuid(step.n)) === undefined ? topic(step.n, step.partitions) : []
    case 'partition': {
      const base = { topicId: uuid(step.n), partitionId: 0, leader: step.leader, isr: step.isr }
      const elr = { eligibleLeaderReplicas: step.isr, lastKnownElr: step.isr }
      if (image.partition(uuid(step.n), 0) === undefined) return []
      return [record('PartitionChangeRecord', { ...base, ...elr, leaderRecoveryState: step.n % 2 }, 2)]
    }
    case 'remove':
      return image.topicById(uuid(step.n)) === undefined ? [] : [record('RemoveTopicRecord', { topicId: uuid(step.n) })]
    case 'config':
      return [config(step.type, step.type === 2 ? `topic-${step.n}` : '', step.key, step.value)]
    case 'broker':
      return [broker(step.n, step.n + 10, step.fenced)]
    case 'security':
      return security(step.n, step.add)
    case 'quota': {
      const entity = [{ entityType: 'user', entityName: step.n === 0 ? null : `user-${step.n}` }]
      return [record('ClientQuotaRecord', { entity, key: 'rate', value: step.n, remove: step.remove })]
    }
    default:
      return [
        feature('group.version', step.n),
        record('ProducerIdsRecord', { brokerId: 1, brokerEpoch: 2n, nextProducerId: BigInt((step.n + 1) * 1000) }),
        record('RegisterControllerRecord', {
          controllerId: step.n,
          incarnationId: uuid(1),
          endPoints: [],
          features: [],
        }),
      ]
  }
}

function security(id: number, add: boolean): MetadataRecord[] {
  const name = `user-${id}`
  const bytes = Uint8Array.of(id, 1)
  const credential = { name, mechanism: 1, salt: bytes, storedKey: bytes, serverKey: bytes, iterations: 4096 }
  const acl = { id: uuid(id), resourceType: 2, resourceName: name, patternType: 3, principal: 'User:a', host: '*' }
  const token = { tokenId: name, owner: 'User:a', requester: 'User:b', renewers: ['User:c'] }
  const times = { issueTimestamp: 1n, maxTimestamp: 2n, expirationTimestamp: 3n }
  if (add) {
    return [
      record('UserScramCredentialRecord', credential),
      record('AccessControlEntryRecord', { ...acl, operation: 3, permissionType: 3 }),
      record('DelegationTokenRecord', { ...token, ...times }),
    ]
  }
  return [
    record('RemoveUserScramCredentialRecord', { name, mechanism: 1 }),
    record('RemoveAccessControlEntryRecord', { id: uuid(id) }),
    record('RemoveDelegationTokenRecord', { tokenId: name }),
  ]
}

test('the image of a log is the image of a snapshot of it and the rest', () => {
  fc.assert(
    fc.property(fc.array(change, { maxLength: 40 }), fc.nat(), (steps, cut) => {
      let whole = replayed([feature('metadata.version', 30)])
      let restored = whole
      const at = steps.length === 0 ? 0 : cut % steps.length
      for (const [index, step] of steps.entries()) {
        if (index === at)
          restored = replayed([...snapshotRecords(restored)].map((bytes) => decodeMetadataRecord(bytes)))
        const records = recordsFor(whole, step)
        whole = replayed(records, whole)
        restored = replayed(records, restored)
      }
      expect(contents(restored)).toEqual(contents(whole))
    }),
  )
})

test('a snapshot says the metadata.version before anything else', () => {
  const image = replayed([feature('group.version', 1), feature('metadata.version', 30), broker(1, 3), ...topic(1, 1)])
  const [first] = [...snapshotRecords(image)].map((bytes) => decodeMetadataRecord(bytes))
  expect(first).toMatchObject({ type: 'FeatureLevelRecord', value: { name: 'metadata.version' } })
})

test('an older metadata.version gets the records that it knows', () => {
  const image = replayed([feature('metadata.version', 14), broker(1, 3), ...topic(1, 1)])
  const versions = [...snapshotRecords(image)]
    .map((bytes) => decodeMetadataRecord(bytes))
    .map(({ type, version }) => `${type} ${version}`)
  expect(versions).toEqual(['FeatureLevelRecord 0', 'RegisterBrokerRecord 2', 'TopicRecord 0', 'PartitionRecord 0'])
})

test('a snapshot over another image tells what is gone, and makes the image that it is of', () => {
  fc.assert(
    fc.property(fc.array(change, { maxLength: 20 }), fc.array(change, { maxLength: 30 }), (earlier, later) => {
      const grow = (image: MetadataImage, steps: typeof earlier) =>
        steps.reduce((grown, step) => replayed(recordsFor(grown, step), grown), image)
      const before = grow(replayed([feature('metadata.version', 30)]), earlier)
      const after = grow(before, later)
      const snapshot = [...snapshotRecords(after)].map((bytes) => decodeMetadataRecord(bytes))
      const delta = new MetadataDelta(before)
      for (const one of [...removalRecords(before, snapshot), ...snapshot]) delta.replay(one)
      expect(contents(delta.finish(AT))).toEqual(contents(after))
      const gone = [...before.topics.byId.keys()].filter((id) => after.topicById(id) === undefined)
      expect([...delta.topics.deleted.keys()].toSorted()).toEqual(gone.toSorted())
    }),
  )
})
