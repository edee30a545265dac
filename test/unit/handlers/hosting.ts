import { ClusterView } from '../../../broker/handlers/cluster-view.ts'
import { FetchSessions } from '../../../broker/replication/fetch-session.ts'
import type { PartitionState } from '../../../broker/replication/partition-state.ts'
import { AnswerBudget } from '../../../broker/lib/answer-budget.ts'
import { ReplicaManager } from '../../../broker/replication/replica-manager.ts'
import { LeaderThrottle } from '../../../broker/replication/throttle.ts'
import { Metrics } from '../../../broker/telemetry/metrics.ts'
import { silentLogger } from '../../fakes/logger.ts'
import { SimRandom } from '../../fakes/random.ts'
import { clusterOf } from '../controller/cluster.ts'
import { NODE, PARTITION_DEPS, RULES, stateOf } from '../replication/rig.ts'
import { LogBed } from '../storage/fixture.ts'

export const TOPIC_ID = 'cAh3nFQcTQ2nM9yNrl0Ghg'

/** A broker that hosts partition 0 of one topic, and knows that the topic has a partition 1 elsewhere. */
export async function hosting(state: Partial<PartitionState> = {}) {
  const bed = new LogBed()
  const log = await bed.open()
  const topics = {
    nameOf: (id: string) => (id === TOPIC_ID ? log.topic : undefined),
    hasPartition: (topic: string, index: number) => topic === log.topic && index <= 1,
  }
  const replicas = new ReplicaManager({ nodeId: NODE }, { ...PARTITION_DEPS, topics, logger: silentLogger() })
  const partition = replicas.host({ topicId: TOPIC_ID, log, state: stateOf(state), rules: RULES })
  const cluster = new ClusterView(clusterOf([NODE, 2]), { clusterId: 'c', controllerId: NODE })
  return {
    bed,
    log,
    partition,
    deps: {
      clock: bed.clock,
      metrics: new Metrics({ withProcess: false }, { clock: bed.clock }),
      replicas,
      cluster: () => cluster,
      topicNames: topics,
      fetchMaxBytes: () => 1_000_000,
      answers: new AnswerBudget(),
      fetchSessions: new FetchSessions({ slots: 10 }, { clock: bed.clock, random: new SimRandom(1) }),
      leaderThrottle: new LeaderThrottle({ nodeId: NODE, windows: 11, windowMs: 1000 }, { clock: bed.clock }),
      replicaSelector: undefined,
    },
  }
}
