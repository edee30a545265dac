import { encodeMetadataRecord, type MetadataRecord } from '../../../broker/protocol/metadata-record.ts'
import {
  decodeMetadataRecord,
  type MetadataRecordInputOf,
  type MetadataRecordType,
} from '../../../broker/protocol/metadata-record.ts'

/** A record as replay gets it: encoded and decoded, all defaults filled in. */
export function record<T extends MetadataRecordType>(
  type: T,
  value: MetadataRecordInputOf<T>,
  version = 0,
): MetadataRecord {
  return decodeMetadataRecord(encodeMetadataRecord(type, value, version))
}

/** A topic or broker id out of a small number. */
export function uuid(n: number): string {
  const bytes = Buffer.alloc(16)
  bytes.writeUInt32BE(n + 1000, 12)
  return bytes.toString('base64url')
}

export function topic(n: number, partitions: number, name = `topic-${n}`): MetadataRecord[] {
  return [
    record('TopicRecord', { name, topicId: uuid(n) }),
    ...Array.from({ length: partitions }, (_, partitionId) => partition(n, partitionId)),
  ]
}

export function partition(n: number, partitionId: number): MetadataRecord {
  const value = { partitionId, topicId: uuid(n), replicas: [1], isr: [1], leader: 1, leaderEpoch: 0, partitionEpoch: 0 }
  return record('PartitionRecord', { ...value, directories: [uuid(1)] }, 2)
}

export function broker(brokerId: number, epoch: number, fenced = true): MetadataRecord {
  const value = {
    brokerId,
    incarnationId: uuid(epoch),
    brokerEpoch: BigInt(epoch),
    endPoints: [{ name: 'PLAINTEXT', host: 'localhost', port: 9092, securityProtocol: 0 }],
    features: [{ name: 'metadata.version', minSupportedVersion: 7, maxSupportedVersion: 30 }],
    rack: null,
    fenced,
    logDirs: [uuid(brokerId)],
  }
  return record('RegisterBrokerRecord', value, 4)
}

export function config(resourceType: number, resourceName: string, name: string, value: string | null): MetadataRecord {
  return record('ConfigRecord', { resourceType, resourceName, name, value })
}

export function feature(name: string, featureLevel: number): MetadataRecord {
  return record('FeatureLevelRecord', { name, featureLevel })
}
