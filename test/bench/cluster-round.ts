import { setTimeout as sleep } from 'node:timers/promises'
import { AdminClient } from '../../broker/client/admin-client.ts'
import { KafkaError } from '../../broker/client/kafka-error.ts'
import { nodeEnv } from '../../broker/host/env.ts'
import { Load as NumberedLoad } from '../conformance/cluster/load/load.ts'
import { TestCluster } from '../conformance/cluster/rig/cluster.ts'
import type { ClusterNode } from '../conformance/cluster/rig/cluster-node.ts'
import { combined, type Kind } from '../conformance/cluster/rig/plan.ts'
import { activeController, inSync } from '../conformance/cluster/rig/watch.ts'
import { DEFAULT_JVM } from '../tools/apache.ts'
import { residentBytes } from '../tools/resident.ts'
import { measureHot } from './hot-partition.ts'
import { LATENCY, type Load, WARM_UP } from './loads.ts'
import { measureMany } from './many-partitions.ts'
import { latency, nativeLatency, produce, withCpu } from './perf.ts'
import type { Figures } from './round.ts'

export interface ClusterRoundOptions {
  readonly loads: readonly Load[]
  readonly latencySeconds: number
  /** How often a leader is killed; the figure is the median. */
  readonly failovers: number
  /** With three replicas each; a multiple of 1000. */
  readonly partitions: number
}

const FAILOVER_TOPIC = 'failover'
/** A replica of each partition on each node, each node the leader of one. */
const ASSIGNMENTS = [
  [1, 2, 3],
  [2, 3, 1],
  [3, 1, 2],
]
const FAILOVER_MS_MAX = 60_000
const STEP_MS_MAX = 120_000

/** Starts three nodes, each a broker and a controller, puts them under each load, and ends them. Three replicas, two of them at least. */
export async function measureClusterRound(kind: Kind, options: ClusterRoundOptions): Promise<Figures> {
  const nodes = combined([kind, kind, kind])
  await using cluster = await TestCluster.start({ name: `bench-${kind}`, nodes, jvm: DEFAULT_JVM })
  await createTopics(
    cluster,
    [WARM_UP, LATENCY, ...options.loads].map(({ name }) => name),
  )
  await produce(cluster.bootstrap, WARM_UP)
  const figures: Figures = {}
  const tell = (some: Figures): void => {
    Object.assign(figures, some)
    for (const [name, figure] of Object.entries(some)) process.stderr.write(`${kind}: ${name} ${figure.toFixed(0)}\n`)
  }
  for (const load of options.loads) tell(await produceFigures(cluster, load))
  tell({ cluster_p99_ms: await latency(cluster.bootstrap, options.latencySeconds) })
  tell({ cluster_rss_mib: residentMib(cluster) })
  const native = await nativeLatency(cluster.bootstrap, options.latencySeconds)
  tell({ cluster_native_p50_ms: native.p50Ms, cluster_native_p99_ms: native.p99Ms })
  tell({ failover_ms: await failover(cluster, options.failovers) })
  tell(await measureMany(cluster, options.partitions))
  tell(await measureHot(cluster, options.latencySeconds))
  return figures
}

/** Of all nodes together. */
function residentMib({ nodes }: TestCluster): number {
  return nodes.reduce((sum, { pid }) => sum + residentBytes(pid), 0) / 2 ** 20
}

async function createTopics(cluster: TestCluster, names: readonly string[]): Promise<void> {
  await using admin = new AdminClient(
    { bootstrap: cluster.brokerAddresses, requestTimeoutMs: STEP_MS_MAX, timeoutMs: STEP_MS_MAX },
    nodeEnv(),
  )
  const outcomes = await admin.createTopics(names.map((name) => ({ name, assignments: ASSIGNMENTS })))
  for (const outcome of outcomes.values()) if (outcome instanceof KafkaError) throw outcome
  for (const name of names) await inSync(cluster, name, STEP_MS_MAX)
}

async function produceFigures(cluster: TestCluster, load: Load): Promise<Figures> {
  const pids = cluster.nodes.map(({ pid }) => pid)
  const { cpuSeconds, result } = await withCpu(pids, () => produce(cluster.bootstrap, load))
  return {
    [`cluster_${load.name}_per_cpu_s`]: load.records / cpuSeconds,
    [`cluster_${load.name}_per_s`]: result.recordsPerSecond,
  }
}

/** The median time in ms from kill -9 of a leader, which is not the active controller, to acknowledgements of all partitions by others. */
async function failover(cluster: TestCluster, times: number): Promise<number> {
  await createTopics(cluster, [FAILOVER_TOPIC])
  const options = { topic: FAILOVER_TOPIC, partitions: ASSIGNMENTS.length, producers: [{}] }
  const load = new NumberedLoad(cluster, options)
  const elapsed: number[] = []
  try {
    await load.start()
    for (let round = 0; round < times; round++) {
      const victim = await leaderToKill(cluster)
      const killedMs = performance.now()
      await victim.kill()
      elapsed.push((await load.progress(killedMs, FAILOVER_MS_MAX, victim.id)) - killedMs)
      await victim.start()
      await cluster.ready()
      await inSync(cluster, FAILOVER_TOPIC, STEP_MS_MAX)
      // Quiet again: a node that has just started is not the one to measure.
      await sleep(1000)
    }
    const wrong = await load.finish()
    if (wrong.length > 0) throw new Error(`records are not as acknowledged: ${wrong.join('; ')}`)
  } finally {
    load.close()
  }
  return elapsed.toSorted((a, b) => a - b)[Math.floor(times / 2)] ?? Number.NaN
}

async function leaderToKill(cluster: TestCluster): Promise<ClusterNode> {
  const controller = await activeController(cluster)
  const partitions = await inSync(cluster, FAILOVER_TOPIC, STEP_MS_MAX)
  const leader = partitions.map(({ leader: id }) => id).find((id) => id !== controller)
  if (leader === undefined) throw new Error('the active controller leads every partition')
  return cluster.node(leader)
}
