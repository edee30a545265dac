import type { FetchRequest } from '../protocol/messages/fetch.ts'
import type { FetchingReplica } from '../replication/fetch-read.ts'

const REPLICA_STATE_VERSION = 15
const CONSUMER = -1

type Asking = Pick<FetchRequest, 'replicaId' | 'replicaState'>

/** The follower that asks; undefined for a consumer. */
export function replicaOf(request: Asking, version: number): FetchingReplica | undefined {
  const brokerId = brokerIdOf(request, version)
  return brokerId <= CONSUMER ? undefined : { brokerId, brokerEpoch: Number(request.replicaState.replicaEpoch) }
}

/** Kafka's metrics tell consumers from followers. */
export function fetchCountedAs(request: Asking, version: number): string {
  return brokerIdOf(request, version) <= CONSUMER ? 'FetchConsumer' : 'FetchFollower'
}

function brokerIdOf({ replicaId, replicaState }: Asking, version: number): number {
  return version >= REPLICA_STATE_VERSION ? replicaState.replicaId : replicaId
}
