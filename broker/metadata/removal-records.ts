import {
  decodeMetadataRecord,
  encodeMetadataRecord,
  type MetadataRecord,
  type MetadataRecordInputOf,
  type MetadataRecordType,
} from '../protocol/metadata-record.ts'
import type { MetadataImage } from './image.ts'

function record<T extends MetadataRecordType>(type: T, value: MetadataRecordInputOf<T>): MetadataRecord {
  return decodeMetadataRecord(encodeMetadataRecord(type, value, 0))
}

/**
 * What takes everything out of `image` that a snapshot may lack, so that the snapshot's records can follow: together they tell what
 * changed. Topics in the snapshot stay, as they are the same topics; controllers are never removed.
 */
export function* removalRecords(image: MetadataImage, snapshot: readonly MetadataRecord[]): Generator<MetadataRecord> {
  const topics = new Set<string>()
  const brokers = new Set<number>()
  for (const { type, value } of snapshot) {
    if (type === 'TopicRecord') topics.add(value.topicId)
    else if (type === 'RegisterBrokerRecord') brokers.add(value.brokerId)
  }
  for (const { type, name, entries } of image.configs.values()) {
    for (const key of entries.keys()) {
      yield record('ConfigRecord', { resourceType: type, resourceName: name, name: key, value: null })
    }
  }
  for (const topicId of image.topics.byId.keys()) {
    if (!topics.has(topicId)) yield record('RemoveTopicRecord', { topicId })
  }
  for (const { id, epoch } of image.brokers.values()) {
    if (!brokers.has(id)) yield record('UnregisterBrokerRecord', { brokerId: id, brokerEpoch: BigInt(epoch) })
  }
  for (const name of image.features.keys()) yield record('FeatureLevelRecord', { name, featureLevel: 0 })
  yield* quotaRemovals(image)
  yield* securityRemovals(image)
}

function* quotaRemovals(image: MetadataImage): Generator<MetadataRecord> {
  for (const { entity, values } of image.clientQuotas.values()) {
    const parts = entity.map(({ type, name }) => ({ entityType: type, entityName: name }))
    for (const [key, value] of values) yield record('ClientQuotaRecord', { entity: parts, key, value, remove: true })
  }
}

function* securityRemovals(image: MetadataImage): Generator<MetadataRecord> {
  for (const { user: name, mechanism } of image.scramCredentials.values()) {
    yield record('RemoveUserScramCredentialRecord', { name, mechanism })
  }
  for (const { id } of image.acls.values()) yield record('RemoveAccessControlEntryRecord', { id })
  for (const { tokenId } of image.delegationTokens.values()) yield record('RemoveDelegationTokenRecord', { tokenId })
}
