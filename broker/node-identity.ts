import type { ServerConfig } from './config/server-config.ts'
import { type Disk, DiskError } from './env/disk.ts'
import { metadataLogDirectory } from './raft/metadata-log.ts'
import { StorageError } from './storage/errors.ts'
import { checkOwner } from './storage/log-directory.ts'
import { readMetaProperties } from './storage/meta-properties.ts'

const FORMAT = '`npm run -s format -- -t $(npm run -s format -- random-uuid) --standalone -c server.properties`'

/** Which cluster the data is of, and the directory that holds the metadata log. */
export interface NodeIdentity {
  readonly clusterId: string
  readonly directoryId: string
}

/**
 * What the data directories say of the node. Throws StorageError where that of the metadata log was never formatted, where one is another
 * node's or cluster's, a copy of another, or has the metadata log, which is looked for elsewhere: a controller would begin without it,
 * a voter that has forgotten what it promised, or the only one, a cluster without topics. DiskError, CORRUPT_FILE.
 */
export function nodeIdentity(
  { nodeId, logDirs, metadataLogDir }: Pick<ServerConfig, 'nodeId' | 'logDirs' | 'metadataLogDir'>,
  disk: Disk,
): NodeIdentity {
  const others = logDirs.filter((path) => path !== metadataLogDir)
  for (const path of others) checkNoMetadata(path, metadataLogDir, disk)
  const meta = readMetaProperties(disk, metadataLogDir)
  if (meta?.directoryId === undefined) {
    throw refused(`No readable meta.properties in ${metadataLogDir}: format it first, with ${FORMAT}`)
  }
  const { clusterId, directoryId } = meta
  const pathsById = new Map<string, string>()
  for (const path of [metadataLogDir, ...others]) {
    const found = path === metadataLogDir ? meta : ifReadable(() => readMetaProperties(disk, path))
    checkOwner(path, found ?? null, { clusterId, nodeId })
    if (found?.directoryId === undefined) continue
    const twin = pathsById.get(found.directoryId)
    if (twin !== undefined) throw refused(`${twin} and ${path} have the same directory.id ${found.directoryId}`)
    pathsById.set(found.directoryId, path)
  }
  return { clusterId, directoryId }
}

function checkNoMetadata(path: string, metadataLogDir: string, disk: Disk): void {
  const directory = metadataLogDirectory(path)
  if (ifReadable(() => disk.exists(directory)) !== true) return
  throw refused(`The metadata log is in ${directory}, and the configured metadata directory is ${metadataLogDir}`)
}

/** Undefined where the disk has failed: the node does without that log dir. */
function ifReadable<T>(read: () => T): T | undefined {
  try {
    return read()
  } catch (error) {
    if (error instanceof DiskError) return undefined
    throw error
  }
}

function refused(message: string): StorageError {
  return new StorageError('KAFKA_STORAGE_ERROR', message)
}
