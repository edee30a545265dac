import { ApiKey } from '../protocol/api-key.ts'
import { ErrorCode } from '../protocol/errors.ts'
import type { AdminClient } from './admin-client.ts'
import { KafkaError } from './kafka-error.ts'

/** A voter of the metadata log: a node and the directory that its log is in (KIP-853). */
export interface Voter {
  readonly id: number
  readonly directoryId: string
}

/** Where the other controllers reach a voter. */
export interface VoterListener {
  readonly name: string
  readonly host: string
  readonly port: number
}

/**
 * Makes an observer a voter; resolves when that is committed. Rejects with KafkaError: DUPLICATE_VOTER, or REQUEST_TIMED_OUT where it lags or
 * does not answer at its listener.
 */
export function addVoter(
  client: AdminClient,
  clusterId: string,
  { id, directoryId }: Voter,
  listeners: readonly VoterListener[],
): Promise<void> {
  const body = { clusterId, timeoutMs: VOTER_TIMEOUT_MS, voterId: id, voterDirectoryId: directoryId }
  return client.run(async (ask) => check(await ask(ApiKey.AddRaftVoter, { ...body, listeners: [...listeners] })))
}

/**
 * Takes a voter out of the quorum; resolves when that is committed. One that is none is no error: an answer may be lost, and the request
 * made again. Rejects with KafkaError.
 */
export function removeVoter(client: AdminClient, clusterId: string, { id, directoryId }: Voter): Promise<void> {
  const body = { clusterId, voterId: id, voterDirectoryId: directoryId }
  return client.run(async (ask) => {
    const answer = await ask(ApiKey.RemoveRaftVoter, body)
    if (answer.errorCode !== ErrorCode.VOTER_NOT_FOUND) check(answer)
  })
}

/** Shorter than what the answer is waited for. */
const VOTER_TIMEOUT_MS = 5000

/** Makes the cluster forget a broker that is gone (KIP-500). Rejects with KafkaError: BROKER_ID_NOT_REGISTERED. */
export function unregisterBroker(client: AdminClient, brokerId: number): Promise<void> {
  return client.run(async (ask) => check(await ask(ApiKey.UnregisterBroker, { brokerId })))
}

export interface RegisteredBroker {
  readonly id: number
  readonly isFenced: boolean
}

/** Every broker that the cluster knows, those that are away too (KIP-1073). Rejects with KafkaError. */
export function registeredBrokers(client: AdminClient): Promise<RegisteredBroker[]> {
  return client.run(async (ask) => {
    const answer = await ask(ApiKey.DescribeCluster, { includeFencedBrokers: true })
    check(answer)
    return answer.brokers.map(({ brokerId, isFenced }) => ({ id: brokerId, isFenced }))
  })
}

function check({ errorCode, errorMessage }: { errorCode: number; errorMessage: string | null }): void {
  if (errorCode !== ErrorCode.NONE) throw KafkaError.fromCode(errorCode, errorMessage)
}
