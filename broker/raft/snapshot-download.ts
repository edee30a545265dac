import type { Address } from '../env/network.ts'
import { ApiKey } from '../protocol/api-key.ts'
import { ErrorCode } from '../protocol/errors.ts'
import { METADATA_TOPIC } from './metadata-log.ts'
import type { RaftCore } from './raft-core.ts'
import { decodeSnapshot, type Snapshot, SnapshotError, type SnapshotId, writeSnapshotFile } from './snapshot-file.ts'

export interface SnapshotSource {
  readonly id: SnapshotId
  /** Of the leader of `epoch`. */
  readonly address: Address
  readonly epoch: number
  /** False when there is another leader: the download ends. */
  readonly isCurrent: () => boolean
}

/**
 * Fetches a snapshot of the leader's and puts it in the log's place (KIP-630). False where that did not work: the next fetch tells what
 * the leader has then. Rejects with DiskError, StorageError.
 */
export async function downloadSnapshot(core: RaftCore, source: SnapshotSource): Promise<boolean> {
  const chunks = await fetchChunks(core, source)
  if (chunks === undefined) return false
  const { deps, log, snapshots, options } = core
  let snapshot: Snapshot
  try {
    snapshot = decodeSnapshot(source.id, Buffer.concat(chunks), deps.compute)
  } catch (error) {
    if (!(error instanceof SnapshotError)) throw error
    deps.logger.warn({ err: error }, 'The leader of the metadata quorum sent a snapshot that is damaged')
    return false
  }
  const sizeInBytes = await writeSnapshotFile(deps.disk, snapshots.directory, source.id, chunks)
  if (!source.isCurrent()) {
    // There is another leader: the log is as that one has it by now, or will be.
    if (!core.isStopped) deps.disk.remove(snapshots.pathOf(source.id))
    return false
  }
  log.truncateFullyAndStartAt(source.id.endOffset)
  snapshots.replaceAll(source.id, sizeInBytes)
  core.history.reset(source.id.endOffset - 1, snapshot)
  core.apply({ type: 'snapshotLoaded', endOffset: source.id.endOffset })
  core.audience.load(snapshot)
  core.quorumChanged()
  deps.logger.info({ ...source.id, sizeInBytes, nodeId: options.nodeId }, 'Loaded a snapshot of the leader')
  return true
}

async function fetchChunks(core: RaftCore, source: SnapshotSource): Promise<Uint8Array[] | undefined> {
  const { deps, options } = core
  const chunks: Uint8Array[] = []
  let position = 0
  for (;;) {
    const request = requestOf(core, source, position)
    let response
    try {
      response = await deps.transport.request(source.address, ApiKey.FetchSnapshot, request, options.requestTimeoutMs)
    } catch {
      return undefined
    }
    const partition = response.topics[0]?.partitions[0]
    if (!source.isCurrent() || response.errorCode !== ErrorCode.NONE || partition === undefined) return undefined
    if (partition.errorCode !== ErrorCode.NONE || Number(partition.position) !== position) return undefined
    const bytes = partition.unalignedRecords
    if (bytes.length === 0) return undefined
    // The leader lives: the download may take longer than the fetch timeout.
    core.apply({ type: 'fetched', epoch: source.epoch, highWatermark: -1 })
    chunks.push(bytes)
    position += bytes.length
    if (position >= Number(partition.size)) return chunks
  }
}

function requestOf({ options, self }: RaftCore, { id, epoch }: SnapshotSource, position: number) {
  const partition = {
    partition: 0,
    currentLeaderEpoch: epoch,
    snapshotId: { endOffset: BigInt(id.endOffset), epoch: id.epoch },
    position: BigInt(position),
    replicaDirectoryId: self.directoryId,
  }
  return {
    clusterId: options.clusterId,
    replicaId: self.id,
    maxBytes: options.fetchSnapshotMaxBytes,
    topics: [{ name: METADATA_TOPIC, partitions: [partition] }],
  }
}
