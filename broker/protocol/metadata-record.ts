import { SchemaError } from '../schema/error.ts'
import type { Infer, InferInput, Message } from '../schema/message.ts'
import { Reader } from '../schema/reader.ts'
import { Writer } from '../schema/writer.ts'
import {
  abortTransactionRecord,
  beginTransactionRecord,
  clientQuotaRecord,
  endTransactionRecord,
  featureLevelRecord,
  noOpRecord,
  producerIdsRecord,
  zkMigrationStateRecord,
} from './records/metadata-cluster.ts'
import {
  brokerRegistrationChangeRecord,
  fenceBrokerRecord,
  registerBrokerRecord,
  registerControllerRecord,
  unfenceBrokerRecord,
  unregisterBrokerRecord,
} from './records/metadata-nodes.ts'
import {
  accessControlEntryRecord,
  delegationTokenRecord,
  removeAccessControlEntryRecord,
  removeDelegationTokenRecord,
  removeUserScramCredentialRecord,
  userScramCredentialRecord,
} from './records/metadata-security.ts'
import {
  clearElrRecord,
  configRecord,
  partitionChangeRecord,
  partitionRecord,
  removeTopicRecord,
  topicRecord,
} from './records/metadata-topics.ts'

/** Of the frame around each record in `__cluster_metadata` (KIP-631): frame version, record type, record version, then the record. */
const FRAME_VERSION = 1

/** Every record of the metadata log, by its name. */
export const METADATA_RECORDS = {
  AbortTransactionRecord: abortTransactionRecord,
  AccessControlEntryRecord: accessControlEntryRecord,
  BeginTransactionRecord: beginTransactionRecord,
  BrokerRegistrationChangeRecord: brokerRegistrationChangeRecord,
  ClearElrRecord: clearElrRecord,
  ClientQuotaRecord: clientQuotaRecord,
  ConfigRecord: configRecord,
  DelegationTokenRecord: delegationTokenRecord,
  EndTransactionRecord: endTransactionRecord,
  FeatureLevelRecord: featureLevelRecord,
  FenceBrokerRecord: fenceBrokerRecord,
  NoOpRecord: noOpRecord,
  PartitionChangeRecord: partitionChangeRecord,
  PartitionRecord: partitionRecord,
  ProducerIdsRecord: producerIdsRecord,
  RegisterBrokerRecord: registerBrokerRecord,
  RegisterControllerRecord: registerControllerRecord,
  RemoveAccessControlEntryRecord: removeAccessControlEntryRecord,
  RemoveDelegationTokenRecord: removeDelegationTokenRecord,
  RemoveTopicRecord: removeTopicRecord,
  RemoveUserScramCredentialRecord: removeUserScramCredentialRecord,
  TopicRecord: topicRecord,
  UnfenceBrokerRecord: unfenceBrokerRecord,
  UnregisterBrokerRecord: unregisterBrokerRecord,
  UserScramCredentialRecord: userScramCredentialRecord,
  ZkMigrationStateRecord: zkMigrationStateRecord,
} as const

export type MetadataRecordType = keyof typeof METADATA_RECORDS
type Decoded = { [T in MetadataRecordType]: Infer<(typeof METADATA_RECORDS)[T]> }
type Encoded = { [T in MetadataRecordType]: InferInput<(typeof METADATA_RECORDS)[T]> }
export type MetadataRecordOf<T extends MetadataRecordType> = Decoded[T]
export type MetadataRecordInputOf<T extends MetadataRecordType> = Encoded[T]

/** A decoded record; `type` tells which, so that a switch over it narrows `value`. */
export type MetadataRecord<T extends MetadataRecordType = MetadataRecordType> = {
  [K in T]: { readonly type: K; readonly version: number; readonly value: Decoded[K] }
}[T]

const SCHEMAS: { [T in MetadataRecordType]: Message<Decoded[T], Encoded[T]> } = METADATA_RECORDS
const TYPES: ReadonlyMap<number, MetadataRecordType> = new Map(
  Object.keys(METADATA_RECORDS)
    .filter(isMetadataRecordType)
    .map((type) => [METADATA_RECORDS[type].apiKey, type]),
)

export function isMetadataRecordType(name: string): name is MetadataRecordType {
  return Object.hasOwn(METADATA_RECORDS, name)
}

/** The value of a record of the metadata log. Throws SchemaError UNENCODABLE, UNSUPPORTED_VERSION. */
export function encodeMetadataRecord<T extends MetadataRecordType>(
  type: T,
  value: MetadataRecordInputOf<T>,
  version: number,
): Uint8Array {
  const schema = SCHEMAS[type]
  const writer = new Writer(128)
  writer.unsignedVarint(FRAME_VERSION)
  writer.unsignedVarint(schema.apiKey)
  writer.unsignedVarint(version)
  schema.encode(writer, version, value)
  return writer.concat()
}

/** Throws SchemaError: MALFORMED, also for an unknown type and for bytes behind the record; UNSUPPORTED_VERSION. */
export function decodeMetadataRecord(bytes: Uint8Array): MetadataRecord {
  const reader = new Reader(bytes)
  const frameVersion = reader.unsignedVarint()
  if (frameVersion !== FRAME_VERSION) throw new SchemaError('MALFORMED', `frame version ${frameVersion}`)
  const key = reader.unsignedVarint()
  const type = TYPES.get(key)
  if (type === undefined) throw new SchemaError('MALFORMED', `no metadata record has type ${key}`)
  const record = decodeAs(type, reader, reader.unsignedVarint())
  reader.end()
  return record
}

function decodeAs<T extends MetadataRecordType>(type: T, reader: Reader, version: number): MetadataRecord<T> {
  return { type, version, value: SCHEMAS[type].decode(reader, version) }
}
