import type { Disk } from '../env/disk.ts'
import { PARTITION_METADATA_FILE } from './names.ts'

const VERSION = 0

/** The topic id in `partition.metadata` (KIP-516); null where a crash left the file empty, or there is none. */
export function readTopicId(disk: Disk, directory: string): string | null {
  const path = `${directory}/${PARTITION_METADATA_FILE}`
  if (!disk.exists(path)) return null
  const match = /^version: 0\ntopic_id: ([A-Za-z0-9_-]{22})$/m.exec(new TextDecoder().decode(disk.readFile(path)))
  return match?.[1] ?? null
}

/** Not synced: a log whose file a crash has emptied gets it again from the cluster's metadata. */
export function writeTopicId(disk: Disk, directory: string, topicId: string): void {
  const file = disk.open(`${directory}/${PARTITION_METADATA_FILE}`, 'openOrCreate')
  try {
    file.truncate(0)
    file.write([new TextEncoder().encode(`version: ${VERSION}\ntopic_id: ${topicId}`)], 0)
  } finally {
    file.close()
  }
}
