import { key } from './key.ts'
import { atLeast, between, oneOf, SHARE_OFFSET_RESET } from './validators.ts'

/** What a group may override (KIP-848, KIP-932, KIP-1071). */
export const GROUP_KEYS = [
  key('consumer.assignment.interval.ms', 'int', '1000', 'medium', 'per-group', atLeast(0)),
  key('consumer.heartbeat.interval.ms', 'int', '5000', 'medium', 'per-group', atLeast(1)),
  key('consumer.session.timeout.ms', 'int', '45000', 'medium', 'per-group', atLeast(1)),
  key('share.assignment.interval.ms', 'int', '1000', 'medium', 'per-group', atLeast(0)),
  key('share.auto.offset.reset', 'string', 'latest', 'medium', 'per-group', SHARE_OFFSET_RESET),
  key('share.delivery.count.limit', 'int', '5', 'medium', 'per-group', between(2, 10)),
  key('share.heartbeat.interval.ms', 'int', '5000', 'medium', 'per-group', atLeast(1)),
  key(
    'share.isolation.level',
    'string',
    'read_uncommitted',
    'medium',
    'per-group',
    oneOf('read_committed', 'read_uncommitted'),
  ),
  key('share.partition.max.record.locks', 'int', '2000', 'medium', 'per-group', between(100, 10_000)),
  key('share.record.lock.duration.ms', 'int', '30000', 'medium', 'per-group', between(1000, 3_600_000)),
  key('share.renew.acknowledge.enable', 'boolean', 'true', 'medium', 'per-group'),
  key('share.session.timeout.ms', 'int', '45000', 'medium', 'per-group', atLeast(1)),
  key('streams.assignment.interval.ms', 'int', '1000', 'medium', 'per-group', atLeast(0)),
  key('streams.heartbeat.interval.ms', 'int', '5000', 'medium', 'per-group', atLeast(1)),
  key('streams.initial.rebalance.delay.ms', 'int', '3000', 'medium', 'per-group', atLeast(0)),
  key('streams.num.standby.replicas', 'int', '0', 'medium', 'per-group', atLeast(0)),
  key('streams.session.timeout.ms', 'int', '45000', 'medium', 'per-group', atLeast(1)),
] as const

/** What a client metrics subscription holds (KIP-714). */
export const CLIENT_METRICS_KEYS = [
  key('interval.ms', 'int', '300000', 'medium', 'per-client-metrics'),
  key('match', 'list', '', 'medium', 'per-client-metrics'),
  key('metrics', 'list', '', 'medium', 'per-client-metrics'),
] as const
