import type { Disk } from '../env/disk.ts'
import { StorageError } from './errors.ts'
import { META_PROPERTIES_FILE } from './names.ts'

const VERSION = '1'

/** Who a log dir belongs to (KIP-631, KIP-858). */
export interface MetaProperties {
  readonly clusterId: string
  readonly nodeId: number
  /** Undefined in a directory that an older version formatted: it gets one at the next start. */
  readonly directoryId: string | undefined
}

/** Null where the directory was never formatted. Throws StorageError CORRUPT_FILE. */
export function readMetaProperties(disk: Disk, directory: string): MetaProperties | null {
  const path = `${directory}/${META_PROPERTIES_FILE}`
  if (!disk.exists(path)) return null
  const properties = new Map<string, string>()
  for (const line of new TextDecoder().decode(disk.readFile(path)).split(/\r?\n/)) {
    const match = /^\s*([^#!=:\s][^=:\s]*)\s*[=:]\s*(.*?)\s*$/.exec(line)
    if (match !== null) properties.set(match[1] ?? '', match[2] ?? '')
  }
  const version = properties.get('version')
  const clusterId = properties.get('cluster.id')
  const nodeId = Number(properties.get('node.id') ?? properties.get('broker.id') ?? Number.NaN)
  if ((version !== '0' && version !== VERSION) || clusterId === undefined || !Number.isInteger(nodeId)) {
    throw new StorageError('CORRUPT_FILE', `${path} is not a meta.properties of version 0 or 1`)
  }
  return { clusterId, nodeId, directoryId: properties.get('directory.id') }
}

/** Writes version 1; durable on return. */
export function writeMetaProperties(disk: Disk, directory: string, meta: MetaProperties): void {
  const directoryId = meta.directoryId === undefined ? [] : [`directory.id=${meta.directoryId}`]
  const lines = [`cluster.id=${meta.clusterId}`, ...directoryId, `node.id=${meta.nodeId}`, `version=${VERSION}`, '']
  disk.replaceFile(`${directory}/${META_PROPERTIES_FILE}`, new TextEncoder().encode(lines.join('\n')))
}
