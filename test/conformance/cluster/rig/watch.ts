import { setTimeout as sleep } from 'node:timers/promises'
import { KafkaError } from '../../../../broker/client/kafka-error.ts'
import { Peer } from '../../../../broker/client/peer.ts'
import { nodeEnv } from '../../../../broker/host/env.ts'
import type { Address } from '../../../../broker/env/network.ts'
import { ApiKey } from '../../../../broker/protocol/api-key.ts'
import type { PartitionDescription } from '../../../../broker/client/admin-types.ts'
import type { TestCluster } from './cluster.ts'

const POLL_MS = 20

/** Asks until `done`, for `msMax` at most; an answer that fails in a way that may pass is asked for again. Gives the last answer. */
export async function until<T>(
  what: string,
  ask: () => Promise<T>,
  done: (answer: T) => boolean,
  msMax: number,
): Promise<T> {
  const deadline = performance.now() + msMax
  let last: unknown
  for (;;) {
    try {
      const answer = await ask()
      if (done(answer)) return answer
      last = answer
    } catch (error) {
      if (!(error instanceof KafkaError && error.isRetriable)) throw error
      last = error.message
    }
    if (performance.now() > deadline) throw new Error(`not ${what} after ${msMax} ms: ${JSON.stringify(last)}`)
    await sleep(POLL_MS)
  }
}

/** The topic's partitions as a broker sees them once `done`: any, or the one at `address`. */
export async function partitionsOnce(
  cluster: TestCluster,
  topic: string,
  what: string,
  done: (partitions: readonly PartitionDescription[]) => boolean,
  msMax = 60_000,
  address?: Address,
): Promise<readonly PartitionDescription[]> {
  const ask = async (): Promise<readonly PartitionDescription[]> => {
    // Anew each time: once it has an answer it asks any broker that it has heard of.
    await using admin = cluster.admin(msMax, address === undefined ? undefined : [address])
    const described = (await admin.metadata([topic])).get(topic)
    if (described === undefined || described instanceof KafkaError) return []
    return described.partitions
  }
  return until(what, ask, (partitions) => partitions.length > 0 && done(partitions), msMax)
}

/** Resolves when every replica is in sync, and each partition led, as every broker sees it: one that was cut off knows last that it is out. */
export async function inSync(
  cluster: TestCluster,
  topic: string,
  msMax?: number,
): Promise<readonly PartitionDescription[]> {
  const full = ({ replicas, isr, leader }: PartitionDescription): boolean =>
    leader >= 0 && isr.length === replicas.length
  const addresses = cluster.brokers.flatMap(({ isRunning, place }) => (isRunning ? (place.broker ?? []) : []))
  const views = await Promise.all(
    addresses.map((address) =>
      partitionsOnce(cluster, topic, 'in sync', (partitions) => partitions.every(full), msMax, address),
    ),
  )
  return views[0] ?? []
}

/** The broker that leads a partition. */
export async function leaderOf(cluster: TestCluster, topic: string, partition: number): Promise<number> {
  const partitions = await partitionsOnce(cluster, topic, 'led', (all) => (all[partition]?.leader ?? -1) >= 0)
  return partitions[partition]?.leader ?? -1
}

/** The controller that is active, as one of the controllers that run says. -1 where none answers or knows. */
export async function activeController(cluster: TestCluster): Promise<number> {
  const env = nodeEnv()
  for (const { place, isRunning } of cluster.controllers) {
    if (place.controller === undefined || !isRunning) continue
    const options = { address: place.controller, clientId: 'watch', connectTimeoutMs: 500, requestTimeoutMs: 1000 }
    const peer = new Peer(options, env)
    const topics = [{ topicName: '__cluster_metadata', partitions: [{ partitionIndex: 0 }] }]
    const answer = await peer.request(ApiKey.DescribeQuorum, { topics }).catch(() => undefined)
    peer.close()
    const partition = answer?.topics[0]?.partitions[0]
    if (partition?.errorCode === 0) return partition.leaderId
  }
  return -1
}
