import {
  encodeMetadataRecord,
  type MetadataRecordInputOf,
  type MetadataRecordType,
} from '../protocol/metadata-record.ts'
import { METADATA_VERSION } from './features.ts'
import type { EndpointImage, MetadataImage, PartitionImage, SupportedFeature } from './image.ts'
import {
  partitionRecordVersion,
  registerBrokerRecordVersion,
  supportsControllerRegistration,
} from './record-versions.ts'

function record<T extends MetadataRecordType>(type: T, value: MetadataRecordInputOf<T>, version = 0): Uint8Array {
  return encodeMetadataRecord(type, value, version)
}

/** The records that make `image` out of nothing: what a snapshot holds. In the versions that its metadata.version allows. */
export function* snapshotRecords(image: MetadataImage): Generator<Uint8Array> {
  yield* featureRecords(image)
  yield* nodeRecords(image)
  yield* topicRecords(image)
  for (const { type, name, entries } of image.configs.values()) {
    for (const [key, value] of entries) {
      yield record('ConfigRecord', { resourceType: type, resourceName: name, name: key, value })
    }
  }
  yield* quotaRecords(image)
  yield* securityRecords(image)
  const { brokerId, brokerEpoch, nextProducerId } = image.producerIds
  if (nextProducerId > 0) {
    const value = { brokerId, brokerEpoch: BigInt(brokerEpoch), nextProducerId: BigInt(nextProducerId) }
    yield record('ProducerIdsRecord', value)
  }
}

/** metadata.version first: it says how to read the rest. */
function* featureRecords({ features, zkMigrationState }: MetadataImage): Generator<Uint8Array> {
  const names = [...features.keys()].toSorted((a, b) => Number(b === METADATA_VERSION) - Number(a === METADATA_VERSION))
  for (const name of names) yield record('FeatureLevelRecord', { name, featureLevel: features.get(name) ?? 0 })
  if (zkMigrationState !== 0) yield record('ZkMigrationStateRecord', { zkMigrationState })
}

function* nodeRecords(image: MetadataImage): Generator<Uint8Array> {
  const version = registerBrokerRecordVersion(image.metadataVersion)
  for (const broker of image.brokers.values()) {
    const value = {
      brokerId: broker.id,
      incarnationId: broker.incarnationId,
      brokerEpoch: BigInt(broker.epoch),
      endPoints: endpoints(broker.endpoints),
      features: featureRanges(broker.features),
      rack: broker.rack,
      fenced: broker.isFenced,
      inControlledShutdown: broker.isInControlledShutdown,
      logDirs: [...broker.logDirs],
      cordonedLogDirs: broker.cordonedLogDirs.length === 0 ? null : [...broker.cordonedLogDirs],
    }
    yield record('RegisterBrokerRecord', value, version)
  }
  if (!supportsControllerRegistration(image.metadataVersion)) return
  for (const controller of image.controllers.values()) {
    yield record('RegisterControllerRecord', {
      controllerId: controller.id,
      incarnationId: controller.incarnationId,
      zkMigrationReady: false,
      endPoints: endpoints(controller.endpoints),
      features: featureRanges(controller.features),
    })
  }
}

function endpoints(of: readonly EndpointImage[]) {
  return of.map(({ name, host, port, securityProtocol }) => ({ name, host, port, securityProtocol }))
}

function featureRanges(of: ReadonlyMap<string, SupportedFeature>) {
  return [...of].map(([name, { min, max }]) => ({ name, minSupportedVersion: min, maxSupportedVersion: max }))
}

function* topicRecords(image: MetadataImage): Generator<Uint8Array> {
  const version = partitionRecordVersion(image.metadataVersion)
  for (const { id, name, partitions } of image.topics.byId.values()) {
    yield record('TopicRecord', { name, topicId: id })
    for (const partition of partitions) yield record('PartitionRecord', partitionValue(id, partition), version)
  }
}

function partitionValue(topicId: string, partition: PartitionImage): MetadataRecordInputOf<'PartitionRecord'> {
  const { eligibleLeaderReplicas, lastKnownElr } = partition
  return {
    partitionId: partition.index,
    topicId,
    replicas: [...partition.replicas],
    isr: [...partition.isr],
    removingReplicas: [...partition.removingReplicas],
    addingReplicas: [...partition.addingReplicas],
    leader: partition.leader,
    leaderEpoch: partition.leaderEpoch,
    partitionEpoch: partition.partitionEpoch,
    directories: [...partition.directories],
    leaderRecoveryState: partition.leaderRecoveryState,
    eligibleLeaderReplicas: eligibleLeaderReplicas.length === 0 ? null : [...eligibleLeaderReplicas],
    lastKnownElr: lastKnownElr.length === 0 ? null : [...lastKnownElr],
  }
}

function* quotaRecords(image: MetadataImage): Generator<Uint8Array> {
  for (const { entity, values } of image.clientQuotas.values()) {
    const parts = entity.map(({ type, name }) => ({ entityType: type, entityName: name }))
    for (const [key, value] of values) yield record('ClientQuotaRecord', { entity: parts, key, value, remove: false })
  }
}

function* securityRecords(image: MetadataImage): Generator<Uint8Array> {
  for (const { user: name, ...credential } of image.scramCredentials.values()) {
    yield record('UserScramCredentialRecord', { name, ...credential })
  }
  for (const acl of image.acls.values()) yield record('AccessControlEntryRecord', acl)
  for (const token of image.delegationTokens.values()) {
    yield record('DelegationTokenRecord', {
      tokenId: token.tokenId,
      owner: token.owner,
      requester: token.requester,
      renewers: [...token.renewers],
      issueTimestamp: BigInt(token.issueTimestampMs),
      maxTimestamp: BigInt(token.maxTimestampMs),
      expirationTimestamp: BigInt(token.expirationTimestampMs),
    })
  }
}
