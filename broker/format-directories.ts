import { BOOTSTRAP_CHECKPOINT } from './controller/bootstrap.ts'
import type { Clock } from './env/clock.ts'
import type { Disk } from './env/disk.ts'
import type { Random } from './env/random.ts'
import { FormatError } from './format-plan.ts'
import { randomUuid } from './lib/uuid.ts'
import { METADATA_VERSION } from './metadata/features.ts'
import { metadataVersionName } from './protocol/metadata-version.ts'
import { encodeMetadataRecord } from './protocol/metadata-record.ts'
import { metadataLogDirectory } from './raft/metadata-log.ts'
import { encodeSnapshot, snapshotName } from './raft/snapshot-file.ts'
import type { Voter } from './raft/voters.ts'
import { readMetaProperties, writeMetaProperties } from './storage/meta-properties.ts'

export interface InitialQuorum {
  readonly voters: readonly Voter[]
}

export interface FormatPlan {
  /** Sorted. */
  readonly directories: readonly string[]
  readonly metadataLogDir: string
  readonly clusterId: string
  readonly nodeId: number
  readonly ignoreFormatted: boolean
  /** Finalized levels to begin with, metadata.version first. */
  readonly levels: ReadonlyMap<string, number>
  /** Null: no voters are written. */
  readonly quorum: InitialQuorum | null
}

export interface FormatDirectoriesDeps {
  readonly disk: Disk
  readonly clock: Clock
  readonly random: Random
  readonly out: (line: string) => void
}

/** kraft.version of a quorum with dynamic voters. */
const DYNAMIC_QUORUM = 1
const BEGINNING = { endOffset: 0, epoch: 0 }

/** Formats those directories that are not: each is finished, with meta.properties, before the next begins. Throws FormatError, DiskError. */
export function formatDirectories(plan: FormatPlan, deps: FormatDirectoriesDeps): void {
  const { disk, out } = deps
  const isFormatted = (directory: string) => {
    const meta = readMetaProperties(disk, directory)
    if (meta !== null) checkSame(plan, directory, meta)
    return meta !== null
  }
  const empty = plan.directories.filter((directory) => !isFormatted(directory))
  const formatted = plan.directories.find((directory) => !empty.includes(directory))
  if (formatted !== undefined && !plan.ignoreFormatted) {
    const advice = 'Use --ignore-formatted to ignore this directory and format the others.'
    throw new FormatError(`Log directory ${formatted} is already formatted. ${advice}`)
  }
  if (empty.length === 0) {
    out('All of the log directories are already formatted.')
    return
  }
  out(`Bootstrap metadata: ${describe(plan.levels)}`)
  for (const directory of empty) formatDirectory(plan, directory, deps)
}

function checkSame(plan: FormatPlan, directory: string, meta: { clusterId: string; nodeId: number }): void {
  const wrong = (what: string, expected: string | number, found: string | number) =>
    new FormatError(`Invalid ${what} in: ${directory}/meta.properties. Expected ${expected}, but read ${found}`)
  if (meta.clusterId !== plan.clusterId) throw wrong('cluster.id', plan.clusterId, meta.clusterId)
  if (meta.nodeId !== plan.nodeId) throw wrong('node.id', plan.nodeId, meta.nodeId)
}

function describe(levels: ReadonlyMap<string, number>): string {
  const records = [...levels].map(
    ([name, level]) => `ApiMessageAndVersion(FeatureLevelRecord(name='${name}', featureLevel=${level}) at version 0)`,
  )
  const level = levels.get(METADATA_VERSION)
  return `BootstrapMetadata(records=[${records.join(', ')}], metadataVersionLevel=${level}, source=format command)`
}

function formatDirectory(plan: FormatPlan, directory: string, deps: FormatDirectoriesDeps): void {
  const { disk, clock, random, out } = deps
  const isMetadata = directory === plan.metadataLogDir
  const voter = isMetadata ? plan.quorum?.voters.find(({ id }) => id === plan.nodeId) : undefined
  const release = metadataVersionName(plan.levels.get(METADATA_VERSION) ?? 0)
  out(`Formatting ${kindOf(plan, isMetadata, voter)} ${directory} with ${METADATA_VERSION} ${release}.`)
  makeDirectories(disk, directory)
  const nowMs = clock.wallMs()
  const records = [...plan.levels].map(([name, featureLevel]) =>
    encodeMetadataRecord('FeatureLevelRecord', { name, featureLevel }, 0),
  )
  const bootstrap = { id: BEGINNING, lastContainedLogTimestampMs: 0, kraftVersion: 0, voters: undefined, records }
  disk.replaceFile(`${directory}/${BOOTSTRAP_CHECKPOINT}`, Buffer.concat(encodeSnapshot(bootstrap, nowMs)))
  if (isMetadata && plan.quorum !== null) writeQuorum(disk, directory, plan.quorum, nowMs)
  // Last: a directory counts as formatted once it has this file.
  const directoryId = voter?.directoryId ?? randomUuid(random)
  writeMetaProperties(disk, directory, { clusterId: plan.clusterId, nodeId: plan.nodeId, directoryId })
}

function kindOf({ quorum }: FormatPlan, isMetadata: boolean, voter: Voter | undefined): string {
  if (!isMetadata) return 'data directory'
  if (quorum === null) return 'metadata directory'
  return voter === undefined ? 'dynamic metadata directory' : 'dynamic metadata voter directory'
}

/** The snapshot at offset 0 that names the first voters (KIP-853). */
function writeQuorum(disk: Disk, directory: string, { voters }: InitialQuorum, nowMs: number): void {
  const metadata = metadataLogDirectory(directory)
  makeDirectories(disk, metadata)
  const snapshot = {
    id: BEGINNING,
    lastContainedLogTimestampMs: nowMs,
    kraftVersion: DYNAMIC_QUORUM,
    voters,
    records: [],
  }
  disk.replaceFile(`${metadata}/${snapshotName(BEGINNING)}`, Buffer.concat(encodeSnapshot(snapshot, nowMs)))
}

function makeDirectories(disk: Disk, directory: string): void {
  if (disk.exists(directory)) return
  const parent = directory.slice(0, directory.lastIndexOf('/'))
  if (parent !== '') makeDirectories(disk, parent)
  disk.makeDirectory(directory)
}
