import type { TopicConfig } from '../config/topic-config.ts'
import type { CodecName } from '../env/compute.ts'
import type { ProduceRules } from '../records/validate.ts'

/** Topic-level settings that an append obeys; offsets and times in ms, sizes in bytes. */
export interface AppendRules extends Omit<ProduceRules, 'nowMs'> {
  readonly minInSyncReplicas: number
  /** False for a topic that is compacted only: its records are not to be deleted by offset. */
  readonly deletesRecords: boolean
}

const CODEC_OF: Readonly<Record<string, CodecName>> = {
  uncompressed: 'none',
  gzip: 'gzip',
  snappy: 'snappy',
  lz4: 'lz4',
  zstd: 'zstd',
}
const DEFAULT_GZIP_LEVEL = -1

/** The rules that a topic's settings make for appends to its partitions. */
export function appendRules(config: TopicConfig): AppendRules {
  const compression = compressionOf(config)
  return {
    maxMessageBytes: config.maxMessageBytes,
    compacted: config.cleanupPolicy.includes('compact'),
    deletesRecords: config.cleanupPolicy.includes('delete') || config.cleanupPolicy.length === 0,
    timestampType: config.messageTimestampType === 'LogAppendTime' ? 'LogAppendTime' : 'CreateTime',
    timestampBeforeMaxMs: config.messageTimestampBeforeMaxMs,
    timestampAfterMaxMs: config.messageTimestampAfterMaxMs,
    minInSyncReplicas: config.minInsyncReplicas,
    ...(compression === undefined ? {} : { compression }),
  }
}

function compressionOf(config: TopicConfig): AppendRules['compression'] {
  const codec = CODEC_OF[config.compressionType]
  switch (codec) {
    case 'gzip':
      return config.compressionGzipLevel === DEFAULT_GZIP_LEVEL
        ? { codec }
        : { codec, level: config.compressionGzipLevel }
    case 'lz4':
      return { codec, level: config.compressionLz4Level }
    case 'zstd':
      return { codec, level: config.compressionZstdLevel }
    default:
      return codec === undefined ? undefined : { codec }
  }
}
