import type { ExtraCondition } from '../api/conditions.ts'
import type { KafkaCluster } from '../api/resource.ts'
import { isUnderMinIsr, isUnderReplicated } from '../kafka/partition-counts.ts'
import type { KafkaState, PartitionState } from '../kafka/state.ts'
import { brokersMissing } from '../specs/nodes.ts'
import { named, verdict } from './verdict.ts'

/** The types of what `kafkaConditions` gives. */
export const KAFKA_CONDITIONS: ReadonlySet<string> = new Set([
  'PartitionsOnline',
  'PartitionsWritable',
  'PartitionsInSync',
  'BrokersAvailable',
  'QuorumLed',
  'ControllersAvailable',
])

/** A voter that is further behind than this does not take part, in ms. */
const VOTER_LAG_MAX_MS = 10_000

/** What Kafka says of itself, as conditions: since when one is False is since when there is something to alert about. Pure. */
export function kafkaConditions(cluster: KafkaCluster, kafka: KafkaState): ExtraCondition[] {
  const offline = kafka.partitions.filter(({ leader }) => leader === null)
  const underMinIsr = kafka.partitions.filter((partition) => partition.leader !== null && isUnderMinIsr(partition))
  const behind = kafka.partitions.filter(isUnderReplicated)
  const missing = brokersMissing(cluster, [...kafka.brokers.keys()]).map(({ podName }) => podName)
  const total = kafka.partitions.length
  return [
    condition('PartitionsOnline', 'NoLeader', offline.length > 0, () => `without a leader: ${listed(offline)}`, total),
    condition(
      'PartitionsWritable',
      'UnderMinIsr',
      underMinIsr.length > 0,
      () => `under min ISR: ${listed(underMinIsr)}`,
      total,
    ),
    condition(
      'PartitionsInSync',
      'UnderReplicated',
      behind.length > 0,
      () => `not all in sync: ${listed(behind)}`,
      total,
    ),
    {
      type: 'BrokersAvailable',
      ...(missing.length === 0
        ? { status: 'True', reason: 'AllRegistered', message: `${kafka.brokers.size} brokers take part` }
        : {
            status: 'False',
            reason: 'BrokersMissing',
            message: `brokers that do not take part: ${missing.join(', ')}`,
          }),
    },
    {
      type: 'QuorumLed',
      ...(kafka.quorum.leaderId >= 0
        ? { status: 'True', reason: 'LeaderElected', message: `node ${kafka.quorum.leaderId} is the active controller` }
        : {
            status: 'False',
            reason: 'NoLeader',
            message: `the metadata quorum has no leader: ${needsMajority(kafka)}`,
          }),
    },
    ...controllers(kafka),
  ]
}

function controllers({ quorum: { leaderId, voters } }: KafkaState): ExtraCondition[] {
  const type = 'ControllersAvailable'
  // It is the leader who knows how far the others are.
  if (leaderId < 0) return [{ type, status: 'Unknown', reason: 'NoLeader', message: 'there is no leader to tell' }]
  const away = voters.filter(({ lagMs }) => lagMs === null || lagMs > VOTER_LAG_MAX_MS).map(({ id }) => `node ${id}`)
  return verdict(type, true, away, {
    reason: 'ControllersMissing',
    bad: 'controllers that do not take part in the metadata quorum',
    well: `${voters.length} controllers take part in the metadata quorum`,
  })
}

/** What an election takes. */
function needsMajority({ quorum: { voters } }: KafkaState): string {
  if (voters.length === 0) return 'controllers have to run'
  const majority = Math.floor(voters.length / 2) + 1
  const names = voters.map(({ id }) => id).join(', ')
  return `${majority} of the controllers ${names} have to run and to reach each other`
}

function condition(
  type: string,
  reason: string,
  isBad: boolean,
  describe: () => string,
  partitions: number,
): ExtraCondition {
  if (isBad) return { type, status: 'False', reason, message: describe() }
  return { type, status: 'True', reason: 'AllWell', message: `holds for all ${partitions} partitions` }
}

function listed(partitions: readonly PartitionState[]): string {
  return named(partitions.map(({ topic, partition }) => `${topic}-${partition}`))
}
