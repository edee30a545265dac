/** What each key means for one topic. */
export const TOPIC_DOCUMENTATION: Readonly<Record<string, string>> = {
  'cleanup.policy':
    'What becomes of old records: delete removes old segments, compact keeps the last record of each key; both may be given.',
  'compression.gzip.level':
    'Level of gzip where compression.type is gzip, 1 (fast) to 9 (small); -1 is the default of zlib.',
  'compression.lz4.level': 'Level of LZ4 where compression.type is lz4, 1 (fast) to 17 (small).',
  'compression.type': 'Codec in which batches are stored; producer keeps the one that each producer has chosen.',
  'compression.zstd.level':
    'Level of Zstandard where compression.type is zstd; the higher, the smaller and the slower.',
  'delete.retention.ms':
    'How long the marker of a deleted key stays in a compacted log, in ms: a reader that takes longer may miss the deletion.',
  'file.delete.delay.ms': 'Time between the end of a segment and the removal of its files, in ms.',
  'flush.messages': 'After how many records a log is flushed to the device; 1 flushes before each acknowledgement.',
  'flush.ms': 'After how many ms a record is flushed to the device at the latest.',
  'follower.replication.throttled.replicas':
    'Replicas whose following is throttled, as partition:broker, or * for all.',
  'index.interval.bytes': 'How many bytes of log there are between two entries of the offset index.',
  'leader.replication.throttled.replicas':
    'Replicas that are throttled while they lead, as partition:broker, or * for all.',
  'local.retention.bytes': 'Size of the local part of a tiered partition, in bytes; -2 is retention.bytes.',
  'local.retention.ms': 'How long a segment stays on local disks once it is tiered, in ms; -2 is retention.ms.',
  'max.compaction.lag.ms': 'How long a record may wait for compaction at most, in ms.',
  'max.message.bytes': 'Largest record batch that is accepted, in bytes as stored.',
  'message.timestamp.after.max.ms': 'How far the timestamp of a record may be ahead of the broker, in ms.',
  'message.timestamp.before.max.ms': 'How far the timestamp of a record may be behind the broker, in ms.',
  'message.timestamp.type':
    'Whose time a record has: that of its producer (CreateTime) or of its append (LogAppendTime).',
  'min.cleanable.dirty.ratio': 'Part of a log that must be uncompacted before it is compacted, 0 to 1.',
  'min.compaction.lag.ms': 'How long a record stays out of compaction at least, in ms.',
  'min.insync.replicas': 'How many replicas must have a record before it is acknowledged to a producer with acks=all.',
  preallocate:
    'Whether the file of a new segment has its whole length at once; what is not used of it is cut off when the segment is full, or closed.',
  'remote.log.copy.disable': 'Whether no further segments of a tiered topic are copied.',
  'remote.log.delete.on.disable':
    'Whether tiered segments are deleted when tiered storage is switched off for the topic.',
  'remote.storage.enable': 'Whether the segments of the topic are tiered.',
  'retention.bytes': 'Size that a partition may have before its oldest segments are deleted, in bytes; -1: any.',
  'retention.ms': 'How long records are kept before their segments are deleted, in ms; -1: for ever.',
  'segment.bytes': 'Size at which a new segment begins, in bytes.',
  'segment.index.bytes': 'Largest offset index of a segment, in bytes; a segment whose index is full is rolled.',
  'segment.jitter.ms':
    'Up to how many ms before segment.ms a segment is rolled, at random, so that not all are at once.',
  'segment.ms': 'Age at which a new segment begins, in ms, whatever its size.',
  'unclean.leader.election.enable':
    'Whether a replica that is out of sync may lead where no other is left, which loses records.',
}
