import { NO_LEADER } from '../metadata/image.ts'
import { allowsUnclean, type Cluster, partitionsWhere, type TopicPartition } from './cluster.ts'
import { hasPreferredLeader } from './elect-leaders.ts'
import type { ElectionType } from './election.ts'
import { changePartition, type PartitionChange } from './partition-change.ts'
import type { Outcome } from './result.ts'

/** Elections that one run holds, as in Kafka: others may come between two runs. */
const ELECTIONS_MAX = 1000

/** Gives partitions back to their preferred leaders. The response: there may be more to do. */
export function balanceLeaders(cluster: Cluster): Outcome<boolean> {
  const imbalanced = partitionsWhere(cluster.image, (partition) => !hasPreferredLeader(partition))
  return elections(cluster, imbalanced, 'preferred')
}

/** Gives partitions without a leader one that may lack records, where their topic allows it. The response: there may be more to do. */
export function electUncleanLeaders(cluster: Cluster): Outcome<boolean> {
  return elections(cluster, forlorn(cluster), 'unclean')
}

function* forlorn(cluster: Cluster): Generator<TopicPartition> {
  for (const of of partitionsWhere(cluster.image, ({ leader }) => leader === NO_LEADER)) {
    if (allowsUnclean(cluster, of.topic.name)) yield of
  }
}

function elections(cluster: Cluster, partitions: Iterable<TopicPartition>, election: ElectionType): Outcome<boolean> {
  const records: PartitionChange[] = []
  for (const of of partitions) {
    if (records.length === ELECTIONS_MAX) break
    const record = changePartition(cluster, of, { election })
    if (record !== null) records.push(record)
  }
  return { records, response: records.length === ELECTIONS_MAX, isDivisible: true }
}
