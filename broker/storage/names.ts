/** Names of files and directories in a log directory, as Kafka gives them. */

export const LOG_SUFFIX = '.log'
export const OFFSET_INDEX_SUFFIX = '.index'
export const TIME_INDEX_SUFFIX = '.timeindex'
export const TXN_INDEX_SUFFIX = '.txnindex'
export const SNAPSHOT_SUFFIX = '.snapshot'
export const DELETED_SUFFIX = '.deleted'
/** A file that compaction was writing; worthless after a crash. */
export const CLEANED_SUFFIX = '.cleaned'
/** A file that compaction had finished and was about to put in place. */
export const SWAP_SUFFIX = '.swap'

export const LEADER_EPOCH_FILE = 'leader-epoch-checkpoint'
export const PARTITION_METADATA_FILE = 'partition.metadata'
export const META_PROPERTIES_FILE = 'meta.properties'
export const RECOVERY_POINT_FILE = 'recovery-point-offset-checkpoint'
export const LOG_START_OFFSET_FILE = 'log-start-offset-checkpoint'
export const HIGH_WATERMARK_FILE = 'replication-offset-checkpoint'
export const CLEAN_SHUTDOWN_FILE = '.kafka_cleanshutdown'
export const LOCK_FILE = '.lock'

/** Belongs to raft, also where it lies in a log directory of the broker. */
export const METADATA_LOG_DIRECTORY = '__cluster_metadata-0'

const OFFSET_DIGITS = 20
const DIRECTORY_NAME_CHARS_MAX = 255

/** `offset` as file names show it: 20 digits. */
export function offsetName(offset: number): string {
  return String(offset).padStart(OFFSET_DIGITS, '0')
}

export function segmentPath(directory: string, baseOffset: number, suffix: string): string {
  return `${directory}/${offsetName(baseOffset)}${suffix}`
}

/** The offset in the name of a file that ends in exactly `suffix`, or undefined where it is another file. */
export function offsetOf(fileName: string, suffix: string): number | undefined {
  if (!fileName.endsWith(suffix)) return undefined
  const digits = fileName.slice(0, -suffix.length)
  return /^\d{1,20}$/.test(digits) ? Number(digits) : undefined
}

export function logDirectoryName(topic: string, partition: number): string {
  return `${topic}-${partition}`
}

/** `-delete` for a deleted log, `-stray` for one that belongs to no topic, `-future` for one that is to take another's place; `uuid` in hexadecimal, without dashes. */
export function retiredDirectoryName(
  topic: string,
  partition: number,
  uuid: string,
  suffix: '-delete' | '-stray' | '-future',
): string {
  const tail = `-${partition}.${uuid}${suffix}`
  return topic.slice(0, DIRECTORY_NAME_CHARS_MAX - tail.length) + tail
}

/** What a directory inside a log directory is. */
export type LogDirectoryKind =
  | { readonly kind: 'log' | 'future'; readonly topic: string; readonly partition: number }
  | { readonly kind: 'delete' | 'stray' | 'other' }

export function parseLogDirectoryName(name: string): LogDirectoryKind {
  if (name.endsWith('-delete')) return { kind: 'delete' }
  if (name.endsWith('-stray')) return { kind: 'stray' }
  const future = /^(.+)-(\d+)\.[0-9a-f]{32}-future$/.exec(name)
  if (future !== null) return { kind: 'future', topic: future[1] ?? '', partition: Number(future[2]) }
  const match = /^(.+)-(\d+)$/.exec(name)
  if (match === null) return { kind: 'other' }
  return { kind: 'log', topic: match[1] ?? '', partition: Number(match[2]) }
}
