import type { Compute } from '../env/compute.ts'
import type { Disk } from '../env/disk.ts'
import { ELIGIBLE_LEADER_REPLICAS_VERSION, METADATA_VERSION } from '../metadata/features.ts'
import { METADATA_VERSION_LATEST } from '../protocol/metadata-version.ts'
import { type MetadataImage, ResourceType } from '../metadata/image.ts'
import { supportsTransactions } from '../metadata/record-versions.ts'
import { decodeMetadataRecord, type MetadataRecord } from '../protocol/metadata-record.ts'
import { decodeSnapshot } from '../raft/snapshot-file.ts'
import type { NewMetadataRecord } from './result.ts'

export const BOOTSTRAP_CHECKPOINT = 'bootstrap.checkpoint'

/** The records that `format` left in a log directory; none where it left no file. Throws SnapshotError, SchemaError, DiskError. */
export function readBootstrap(
  logDir: string,
  { disk, compute }: { readonly disk: Disk; readonly compute: Pick<Compute, 'decompressSync'> },
): MetadataRecord[] {
  const path = `${logDir}/${BOOTSTRAP_CHECKPOINT}`
  if (!disk.exists(path)) return []
  const { records } = decodeSnapshot({ endOffset: 0, epoch: 0 }, disk.readFile(path), compute)
  return records.map((record) => decodeMetadataRecord(record))
}

/**
 * What a controller that becomes active writes before all else: the end of what the one before it left open, and the first records of a
 * new cluster.
 */
export function openingRecords(
  metadata: { readonly image: MetadataImage; readonly isInTransaction: boolean },
  options: { readonly bootstrap: readonly MetadataRecord[]; readonly minInSyncReplicas: number },
): NewMetadataRecord[] {
  const aborted: NewMetadataRecord = {
    type: 'AbortTransactionRecord',
    version: 0,
    value: { reason: 'Controller failover' },
  }
  const isNew = metadata.image.metadataVersion === 0
  return [
    ...(metadata.isInTransaction ? [aborted] : []),
    ...(isNew ? bootstrapRecords(options.bootstrap, options) : []),
  ]
}

/**
 * The first records of a cluster: what `format` left in bootstrap.checkpoint, in a transaction, as Kafka writes it, where the
 * metadata.version has transactions. Without a file, the
 * latest metadata.version alone.
 */
function bootstrapRecords(
  formatted: readonly MetadataRecord[],
  { minInSyncReplicas }: { readonly minInSyncReplicas: number },
): NewMetadataRecord[] {
  const latest: NewMetadataRecord = {
    type: 'FeatureLevelRecord',
    version: 0,
    value: { name: METADATA_VERSION, featureLevel: METADATA_VERSION_LATEST },
  }
  const records = [
    ...(formatted.length === 0 ? [latest] : formatted),
    ...(formatted.some(finalizesElr) ? [clusterMinIsr(minInSyncReplicas)] : []),
  ]
  if (!supportsTransactions(metadataVersionOf(records))) return records
  return [
    { type: 'BeginTransactionRecord', version: 0, value: { name: 'Bootstrap records' } },
    ...records,
    { type: 'EndTransactionRecord', version: 0, value: {} },
  ]
}

function metadataVersionOf(records: readonly NewMetadataRecord[]): number {
  for (const { type, value } of records) {
    if (type === 'FeatureLevelRecord' && value.name === METADATA_VERSION) return value.featureLevel ?? 0
  }
  return 0
}

function finalizesElr(record: MetadataRecord): boolean {
  return record.type === 'FeatureLevelRecord' && record.value.name === ELIGIBLE_LEADER_REPLICAS_VERSION
}

/** KIP-966 counts on one minimum of in-sync replicas for all brokers. */
function clusterMinIsr(value: number): NewMetadataRecord {
  return {
    type: 'ConfigRecord',
    version: 0,
    value: { resourceType: ResourceType.BROKER, resourceName: '', name: 'min.insync.replicas', value: String(value) },
  }
}
