import { METADATA_TOPIC_ID } from '../lib/uuid.ts'
import { batches, readRecords } from '../records/read.ts'
import { PartitionLog } from '../storage/log.ts'
import { DEFAULT_LOG_CONFIG } from '../storage/log-config.ts'
import { METADATA_LOG_DIRECTORY } from '../storage/names.ts'
import { TailCache } from '../storage/tail-cache.ts'
import type { RaftDeps, RaftOptions } from './raft-types.ts'
import { type QuorumRecords, readControlRecords } from './control-records.ts'
import { decodeSnapshot, listSnapshots, type Snapshot, SnapshotError, snapshotName } from './snapshot-file.ts'
import type { StoredSnapshot } from './retention.ts'

const METADATA_TOPIC = '__cluster_metadata'
const READ_BYTES = 1024 * 1024
const TAIL_CACHE_BYTES = 4 * 1024 * 1024

export function metadataLogDirectory(logDir: string): string {
  return `${logDir}/${METADATA_LOG_DIRECTORY}`
}

/** The metadata log with its snapshots, as a start finds them. */
export interface OpenedLog {
  readonly log: PartitionLog
  /** Oldest first. */
  readonly snapshots: StoredSnapshot[]
  /** The newest. */
  readonly snapshot: Snapshot | undefined
}

/**
 * Opens log and snapshots. Every append counts once it is synced, whatever flush settings the topics have: what the quorum has promised
 * must outlive a power loss. Rejects with DiskError, SnapshotError.
 */
export async function openMetadataLog(
  options: RaftOptions,
  deps: RaftDeps & { readonly onFailure: (error: unknown) => void },
): Promise<OpenedLog> {
  const directory = metadataLogDirectory(options.logDir)
  if (!deps.disk.exists(directory)) deps.disk.makeDirectory(directory)
  const { snapshots, snapshot } = loadSnapshots(directory, deps)
  const log = await PartitionLog.open(
    {
      directory,
      topic: METADATA_TOPIC,
      partition: 0,
      topicId: METADATA_TOPIC_ID,
      config: {
        ...DEFAULT_LOG_CONFIG,
        segmentBytes: options.segmentBytes,
        segmentMs: options.segmentMs,
        retentionMs: -1,
        flushMessages: 1,
      },
      recoveryPoint: 0,
      logStartOffset: 0,
      hadCleanShutdown: false,
      producerIdExpirationMs: 0,
    },
    { ...deps, tailCache: new TailCache({ budgetBytes: TAIL_CACHE_BYTES }), onStaged: writeAtTickEnd(deps) },
  )
  const endOffset = snapshot?.id.endOffset ?? 0
  if (log.logStartOffset > endOffset) {
    throw new SnapshotError(
      `The metadata log begins at ${log.logStartOffset}, behind its newest snapshot at ${endOffset}`,
    )
  }
  if (log.logEndOffset < endOffset) log.truncateFullyAndStartAt(endOffset)
  return { log, snapshots, snapshot }
}

function writeAtTickEnd({ clock }: RaftDeps) {
  return (log: PartitionLog) => {
    clock.defer(() => log.writeStaged())
  }
}

function loadSnapshots(directory: string, { disk, compute }: RaftDeps) {
  const snapshots = listSnapshots(disk, directory).map((id): StoredSnapshot => {
    const file = disk.open(`${directory}/${snapshotName(id)}`, 'read')
    const sizeInBytes = file.size()
    file.close()
    return { id, sizeInBytes, timestampMs: disk.modifiedMs(file.path) }
  })
  const newest = snapshots.at(-1)?.id
  if (newest === undefined) return { snapshots, snapshot: undefined }
  const bytes = disk.readFile(`${directory}/${snapshotName(newest)}`)
  return { snapshots, snapshot: decodeSnapshot(newest, bytes, compute) }
}

/** What the control records in the log from `offset` on say of the quorum. */
export async function scanQuorumRecords(
  log: PartitionLog,
  offset: number,
  { compute }: RaftDeps,
): Promise<Pick<QuorumRecords, 'kraftVersion' | 'voters'>> {
  let found: Pick<QuorumRecords, 'kraftVersion' | 'voters'> = { kraftVersion: undefined, voters: undefined }
  let next = offset
  while (next < log.logEndOffset) {
    const { buffers } = await log.read(next, READ_BYTES, log.logEndOffset, true)
    for (const bytes of buffers) {
      for (const view of batches(bytes)) {
        next = view.nextOffset
        if (!view.isControl) continue
        const { kraftVersion, voters } = readControlRecords(readRecords(view, compute))
        found = { kraftVersion: kraftVersion ?? found.kraftVersion, voters: voters ?? found.voters }
      }
    }
    if (buffers.length === 0) break
  }
  return found
}
