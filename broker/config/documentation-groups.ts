/** What keys of groups mean that exist for several kinds of groups: the rest of the name after `group.<kind>.`. */
const OF_GROUPS: Readonly<Record<string, string>> = {
  'assignment.interval.ms': 'Shortest time between two assignments of one group, in ms',
  assignors: 'Assignors that the broker offers, the default first',
  'delivery.count.limit': 'How often a record is delivered before it is given up',
  'heartbeat.interval.ms': 'How often members send a heartbeat, in ms',
  'initial.rebalance.delay.ms': 'How long a new group waits for more members before its first assignment, in ms',
  'max.share.sessions': 'How many share sessions a broker keeps',
  'max.size': 'How many members a group may have',
  'max.standby.replicas': 'Largest number of standby replicas that a group may ask for',
  'migration.policy': 'Whether groups may change between the classic and the consumer protocol while they run',
  'num.standby.replicas': 'How many standby replicas each task has',
  'partition.max.record.locks': 'How many records of a partition may be acquired and not yet acknowledged',
  'record.lock.duration.ms': 'How long a record that was acquired belongs to its consumer, in ms',
  'session.timeout.ms': 'How long a member may be silent before it is taken out of its group, in ms',
}

/** The same for keys of one group only. */
const OF_ONE_GROUP: Readonly<Record<string, string>> = {
  'share.auto.offset.reset':
    'Where a share group without a position begins: earliest, latest, or a duration before now.',
  'share.isolation.level': 'Whether a share group sees records of transactions that are not committed.',
  'share.renew.acknowledge.enable':
    'Whether consumers of a share group may extend the time for which they have a record.',
}

const GROUP_KEY = /^(?:group\.)?(consumer|share|streams)\.(?:(min|max)\.)?(.+)$/

/** The sentence for a key of groups that follows the pattern of names, for the broker (`group.share.…`) or one group (`share.…`). */
export function groupDocumentation(name: string): string | undefined {
  const own = OF_ONE_GROUP[name]
  if (own !== undefined) return own
  const [, kind, bound, rest] = GROUP_KEY.exec(name) ?? []
  if (kind === undefined || rest === undefined) return undefined
  const whole = OF_GROUPS[bound === undefined ? rest : `${bound}.${rest}`]
  if (whole !== undefined) return `${whole}, for ${kind} groups.`
  if (bound === undefined || OF_GROUPS[rest] === undefined) return undefined
  return `${bound === 'min' ? 'Smallest' : 'Largest'} ${kind}.${rest} that a ${kind} group may have.`
}

/** Keys of the coordinators that follow no pattern. */
export const COORDINATOR_DOCUMENTATION: Readonly<Record<string, string>> = {
  'add.partitions.to.txn.retry.backoff.max.ms':
    'How long the broker itself goes on to add a partition to a transaction whose predecessor is still ending, in ms.',
  'add.partitions.to.txn.retry.backoff.ms': 'Pause between two such attempts, in ms.',
  'group.coordinator.append.linger.ms':
    'How long the group coordinator gathers writes into one append, in ms; -1 decides by load.',
  'group.coordinator.background.threads':
    'Threads for assignments; accepted, since assignments are made on the event loop.',
  'group.coordinator.cached.buffer.max.bytes':
    'Largest buffer that the group coordinator keeps for its next append, in bytes.',
  'group.coordinator.rebalance.protocols': 'Kinds of groups that the coordinator serves.',
  'group.coordinator.threads': 'Threads of the group coordinator; accepted, since there is one event loop.',
  'group.initial.rebalance.delay.ms':
    'How long a new classic group waits for more members before its first rebalance, in ms.',
  'group.max.session.timeout.ms': 'Largest session time-out that a member of a classic group may ask for, in ms.',
  'group.max.size': 'How many members a classic group may have.',
  'group.min.session.timeout.ms': 'Smallest session time-out that a member of a classic group may ask for, in ms.',
  'offset.metadata.max.bytes': 'Longest note that may be committed with an offset, in bytes.',
  'offsets.commit.timeout.ms': 'How long a commit waits for the replicas of the offsets topic, in ms.',
  'offsets.load.buffer.size':
    'How much of the offsets topic is read at a time when a coordinator takes over, in bytes.',
  'offsets.retention.check.interval.ms': 'How often expired offsets are looked for, in ms.',
  'offsets.retention.minutes': 'How long the offsets of a group without members are kept, in minutes.',
  'offsets.topic.compression.codec':
    'Codec of the batches of the offsets topic, by number: 0 none, 1 gzip, 2 snappy, 3 lz4, 4 zstd.',
  'offsets.topic.num.partitions': 'Partitions of the offsets topic; not to be changed once it exists.',
  'offsets.topic.replication.factor': 'Replicas of the offsets topic.',
  'offsets.topic.segment.bytes': 'Segment size of the offsets topic, in bytes: small ones load quickly.',
  'producer.id.expiration.ms': 'How long an idempotent producer that writes nothing is remembered, in ms.',
  'share.coordinator.append.linger.ms':
    'How long the share coordinator gathers writes into one append, in ms; -1 decides by load.',
  'share.coordinator.cached.buffer.max.bytes':
    'Largest buffer that the share coordinator keeps for its next append, in bytes.',
  'share.coordinator.load.buffer.size':
    'How much of the share state topic is read at a time when a coordinator takes over, in bytes.',
  'share.coordinator.snapshot.update.records.per.snapshot':
    'How many changes of the state of a share partition are written between two snapshots of it.',
  'share.coordinator.state.topic.compression.codec': 'Codec of the batches of the share state topic, by number.',
  'share.coordinator.state.topic.min.isr': 'The min.insync.replicas of the share state topic.',
  'share.coordinator.state.topic.num.partitions':
    'Partitions of the share state topic; not to be changed once it exists.',
  'share.coordinator.state.topic.replication.factor': 'Replicas of the share state topic.',
  'share.coordinator.state.topic.segment.bytes': 'Segment size of the share state topic, in bytes.',
  'share.coordinator.threads': 'Threads of the share coordinator; accepted, since there is one event loop.',
  'share.coordinator.write.timeout.ms': 'How long a write of the share coordinator waits for replicas, in ms.',
  'share.fetch.purgatory.purge.interval.requests':
    'After how many share fetches finished ones are cleared away; accepted, since they go at once.',
  'transaction.abort.timed.out.transaction.cleanup.interval.ms':
    'How often transactions that have timed out are looked for, in ms.',
  'transaction.max.timeout.ms': 'Longest time-out that a transactional producer may ask for, in ms.',
  'transaction.partition.verification.enable':
    'Whether a partition asks the coordinator before it takes records of a transaction.',
  'transaction.remove.expired.transaction.cleanup.interval.ms':
    'How often expired transactional ids are looked for, in ms.',
  'transaction.state.log.load.buffer.size':
    'How much of the transaction topic is read at a time when a coordinator takes over, in bytes.',
  'transaction.state.log.min.isr': 'The min.insync.replicas of the transaction topic.',
  'transaction.state.log.num.partitions': 'Partitions of the transaction topic; not to be changed once it exists.',
  'transaction.state.log.replication.factor': 'Replicas of the transaction topic.',
  'transaction.state.log.segment.bytes': 'Segment size of the transaction topic, in bytes.',
  'transaction.two.phase.commit.enable':
    'Whether producers may take part in transactions that somebody else coordinates, without a time-out.',
  'transactional.id.expiration.ms': 'How long a transactional id without transactions is remembered, in ms.',
}

/** Keys of client metrics subscriptions (KIP-714). */
export const CLIENT_METRICS_DOCUMENTATION: Readonly<Record<string, string>> = {
  'interval.ms': 'How often a client that is matched sends its metrics, in ms.',
  match: 'Which clients are meant: attribute=pattern, such as client_id=app-.*; without any all.',
  metrics: 'Prefixes of the names of metrics to send; empty: none, *: all.',
}
