import { setTimeout as sleep } from 'node:timers/promises'
import { AdminClient } from '../../broker/client/admin-client.ts'
import { KafkaError } from '../../broker/client/kafka-error.ts'
import { Peer } from '../../broker/client/peer.ts'
import type { Address } from '../../broker/env/network.ts'
import { nodeEnv } from '../../broker/host/env.ts'
import { ApiKey } from '../../broker/protocol/api-key.ts'
import { ErrorCode } from '../../broker/protocol/errors.ts'
import { buildBatch } from '../../broker/records/build.ts'
import type { TestCluster } from '../conformance/cluster/rig/cluster.ts'
import { inSync } from '../conformance/cluster/rig/watch.ts'
import { withCpu } from './perf.ts'
import type { Figures } from './round.ts'

const TOPIC = 'hot'
const VALUE_BYTES = 1024
const STEP_MS_MAX = 120_000
const ACKS_ALL = -1
const WARM_UP_MS = 2000
/** The nodes have created and told all partitions, and are quiet again. */
const QUIET_MS = 2000
const RETRY_MS = 100

/**
 * Beside all that the cluster has, and that is idle: a partition of three replicas to which one client sends a record at a time, with
 * acks=all, for `seconds`. Half and 99 % of the answers come within so many ms; the CPU time of all nodes a record, in ms.
 */
export async function measureHot(cluster: TestCluster, seconds: number): Promise<Figures> {
  const env = nodeEnv()
  const options = { requestTimeoutMs: STEP_MS_MAX, connectTimeoutMs: 5000, clientId: 'bench' }
  await using admin = new AdminClient({ ...options, bootstrap: cluster.brokerAddresses, timeoutMs: STEP_MS_MAX }, env)
  const created = (await admin.createTopics([{ name: TOPIC, assignments: [[1, 2, 3]] }])).get(TOPIC)
  if (created instanceof KafkaError) throw created
  const topicId = created?.topicId ?? ''
  await inSync(cluster, TOPIC, STEP_MS_MAX)
  await sleep(QUIET_MS)
  const peer = new Peer({ ...options, address: cluster.node(1).place.broker as Address }, env)
  try {
    await served(peer, topicId)
    await produceFor(peer, topicId, WARM_UP_MS)
    const pids = cluster.nodes.map(({ pid }) => pid)
    const { cpuSeconds, result } = await withCpu(pids, () => produceFor(peer, topicId, seconds * 1000))
    const at = (share: number): number => result[Math.floor(result.length * share)] ?? Number.NaN
    return { hot_p50_ms: at(0.5), hot_p99_ms: at(0.99), hot_cpu_ms: (cpuSeconds * 1000) / result.length }
  } finally {
    peer.close()
  }
}

/** Resolves when the leader knows of the topic. */
async function served(peer: Peer, topicId: string): Promise<void> {
  for (;;) {
    try {
      return await produceOne(peer, topicId)
    } catch (error) {
      if (!(error instanceof KafkaError && error.isRetriable)) throw error
      await sleep(RETRY_MS)
    }
  }
}

/** How long each took, in ms, rising. */
async function produceFor(peer: Peer, topicId: string, ms: number): Promise<number[]> {
  const elapsed: number[] = []
  const untilMs = performance.now() + ms
  while (performance.now() < untilMs) {
    const beganMs = performance.now()
    await produceOne(peer, topicId)
    elapsed.push(performance.now() - beganMs)
  }
  return elapsed.sort((a, b) => a - b)
}

async function produceOne(peer: Peer, topicId: string): Promise<void> {
  const record = { key: null, value: Buffer.alloc(VALUE_BYTES, 'x'), headers: [] }
  const records = buildBatch({ baseTimestampMs: Date.now(), records: [record] })
  const topicData = [{ name: TOPIC, topicId, partitionData: [{ index: 0, records }] }]
  const answer = await peer.request(ApiKey.Produce, { acks: ACKS_ALL, timeoutMs: STEP_MS_MAX, topicData })
  const errorCode = answer.responses[0]?.partitionResponses[0]?.errorCode
  if (errorCode !== ErrorCode.NONE) throw KafkaError.fromCode(errorCode ?? ErrorCode.UNKNOWN_SERVER_ERROR)
}
