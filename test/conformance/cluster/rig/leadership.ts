import { KafkaError } from '../../../../broker/client/kafka-error.ts'
import { Peer } from '../../../../broker/client/peer.ts'
import type { Address } from '../../../../broker/env/network.ts'
import { nodeEnv } from '../../../../broker/host/env.ts'
import { ApiKey } from '../../../../broker/protocol/api-key.ts'
import { ErrorCode } from '../../../../broker/protocol/errors.ts'
import type { TestCluster } from './cluster.ts'
import { partitionsOnce, until } from './watch.ts'

/** Kafka's ElectionType. */
const PREFERRED = 0
const TIMEOUT_MS = 10_000

/**
 * Makes `brokerId`, one of their replicas, the leader of the topic's partitions: it becomes their preferred leader, and is elected.
 * `before` runs just before the election. Resolves when the brokers say so.
 */
export async function leadBy(
  cluster: TestCluster,
  topic: string,
  brokerId: number,
  before?: () => Promise<void>,
): Promise<void> {
  const partitions = await partitionsOnce(cluster, topic, 'there', () => true)
  const assignments = partitions.map(({ partition, replicas }) => ({
    partitionIndex: partition,
    replicas: [brokerId, ...replicas.filter((id) => id !== brokerId)],
  }))
  const [address] = cluster.brokers.flatMap(({ isRunning, place }) => (isRunning ? (place.broker ?? []) : []))
  const peer = peerAt(address as Address)
  try {
    await until('reassigned', () => reassign(peer, topic, assignments), Boolean, TIMEOUT_MS)
    await before?.()
    const elected = (): Promise<boolean> => elect(peer, topic, partitions.length)
    await until('elected', elected, Boolean, TIMEOUT_MS)
  } finally {
    peer.close()
  }
  await partitionsOnce(cluster, topic, `led by ${brokerId}`, (all) => all.every(({ leader }) => leader === brokerId))
}

type Assignment = { readonly partitionIndex: number; readonly replicas: number[] }

async function reassign(peer: Peer, name: string, partitions: Assignment[]): Promise<boolean> {
  const body = { timeoutMs: TIMEOUT_MS, topics: [{ name, partitions }] }
  const answer = await peer.request(ApiKey.AlterPartitionReassignments, body)
  return noneFailed([answer, ...answer.responses.flatMap((response) => response.partitions)])
}

async function elect(peer: Peer, topic: string, count: number): Promise<boolean> {
  const partitions = Array.from({ length: count }, (_, partition) => partition)
  const body = { electionType: PREFERRED, topicPartitions: [{ topic, partitions }], timeoutMs: TIMEOUT_MS }
  const answer = await peer.request(ApiKey.ElectLeaders, body)
  const results = answer.replicaElectionResults.flatMap(({ partitionResult }) => partitionResult)
  return noneFailed([answer, ...results])
}

/** Throws the first failure. */
function noneFailed(results: readonly { readonly errorCode: number }[]): boolean {
  const failed = results.find(
    ({ errorCode }) => errorCode !== ErrorCode.NONE && errorCode !== ErrorCode.ELECTION_NOT_NEEDED,
  )
  if (failed !== undefined) throw KafkaError.fromCode(failed.errorCode)
  return true
}

function peerAt(address: Address): Peer {
  return new Peer({ address, clientId: 'rig', connectTimeoutMs: 1000, requestTimeoutMs: 2 * TIMEOUT_MS }, nodeEnv())
}
