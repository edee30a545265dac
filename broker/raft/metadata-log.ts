import { METADATA_TOPIC_ID } from '../lib/uuid.ts'
import { batches, readRecords } from '../records/read.ts'
import { DirectoryNames } from '../storage/directory-names.ts'
import { PartitionLog } from '../storage/log.ts'
import { DEFAULT_LOG_CONFIG } from '../storage/log-config.ts'
import { METADATA_LOG_DIRECTORY } from '../storage/names.ts'
import { OpenFiles } from '../storage/open-files.ts'
import { TailCache } from '../storage/tail-cache.ts'
import type { RaftDeps, RaftOptions } from './raft-types.ts'
import { readControlRecords } from './control-records.ts'
import type { QuorumHistory } from './quorum-history.ts'
import { decodeSnapshot, listSnapshots, type Snapshot, SnapshotError, snapshotName } from './snapshot-file.ts'
import type { StoredSnapshot } from './retention.ts'

export const METADATA_TOPIC = '__cluster_metadata'
const READ_BYTES = 1024 * 1024
const TAIL_CACHE_BYTES = 4 * 1024 * 1024
const OPEN_FILES_MAX = 16

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
  deps: RaftDeps & { readonly onFailure: (error: unknown) => void; readonly onWritten: () => void },
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
      producerIdExpirationMs: () => 0,
    },
    {
      ...deps,
      files: new OpenFiles({ max: OPEN_FILES_MAX }, deps),
      parentNames: new DirectoryNames({ path: options.logDir }, deps),
      tailCache: new TailCache({ budgetBytes: TAIL_CACHE_BYTES }),
      onStaged: writeAtTickEnd(deps),
    },
  )
  const endOffset = snapshot?.id.endOffset ?? 0
  if (log.logStartOffset > endOffset) {
    throw new SnapshotError(
      `The metadata log begins at ${log.logStartOffset}, behind its newest snapshot at ${endOffset}`,
    )
  }
  // A snapshot that was loaded from the leader takes the log's place, also where the start finds it before that was done.
  const isBehind = log.logEndOffset < endOffset || log.leaderEpochs.latestEpoch < (snapshot?.id.epoch ?? 0)
  if (endOffset > 0 && isBehind) log.truncateFullyAndStartAt(endOffset)
  return { log, snapshots, snapshot }
}

function writeAtTickEnd({ clock, onWritten }: RaftDeps & { readonly onWritten: () => void }) {
  return (log: PartitionLog) => {
    clock.defer(() => {
      log.writeStaged()
      onWritten()
    })
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

/** Tells `history` what the control records in the log from `offset` on say of the quorum. */
export async function readQuorum(
  log: PartitionLog,
  offset: number,
  history: QuorumHistory,
  deps: Pick<RaftDeps, 'compute'>,
): Promise<void> {
  let next = offset
  while (next < log.logEndOffset) {
    const { buffers } = await log.read(next, READ_BYTES, log.logEndOffset, true)
    for (const bytes of buffers) {
      noteQuorum(bytes, log.logEndOffset, history, deps)
      for (const view of batches(bytes)) next = view.nextOffset
    }
    if (buffers.length === 0) break
  }
}

/** Tells `history` what the control records among whole batches, as far as they lie before `endOffset`, say of the quorum; whether they do. Throws SchemaError. */
export function noteQuorum(
  bytes: Uint8Array,
  endOffset: number,
  history: QuorumHistory,
  { compute }: Pick<RaftDeps, 'compute'>,
): boolean {
  let isChanged = false
  for (const view of batches(bytes)) {
    if (view.baseOffset >= endOffset) break
    if (view.isControl && history.append(view.baseOffset, readControlRecords(readRecords(view, compute)))) {
      isChanged = true
    }
  }
  return isChanged
}
