import type { BrokerImage } from '../metadata/image.ts'
import { supportsCordonedLogDirs, supportsDirectoryAssignment } from '../metadata/record-versions.ts'
import type { ApiKey } from '../protocol/api-key.ts'
import type { RequestOf, ResponseInputOf } from '../protocol/apis.ts'
import { ErrorCode } from '../protocol/errors.ts'
import { checkBrokerEpoch } from './brokers.ts'
import { type Cluster, partitionsWhere } from './cluster.ts'
import { joinBroker, leadsAny, leaveBroker, withoutBroker } from './leader-changes.ts'
import { type NewMetadataRecord, type Outcome } from './result.ts'

type Heartbeat = RequestOf<typeof ApiKey.BrokerHeartbeat>
type HeartbeatResponse = ResponseInputOf<typeof ApiKey.BrokerHeartbeat>

/** `fenced` of a BrokerRegistrationChangeRecord. */
const FENCE = 1
const UNFENCE = -1
const ENTER_CONTROLLED_SHUTDOWN = 1

export interface HeartbeatContext {
  /** The end of the records that took this broker from the lead; undefined where it is not in controlled shutdown. */
  readonly shutdownOffset: number | undefined
  /** Up to where every broker that stays has read the metadata. */
  readonly lowestActiveOffset: number
}

export type BrokerState = 'fenced' | 'unfenced' | 'controlled shutdown' | 'shutdown'

export interface HeartbeatAnswer {
  readonly state: BrokerState
  readonly response: HeartbeatResponse
}

/** KIP-631: where the broker stands, and what it wants to be. Throws ApiError STALE_BROKER_EPOCH. */
export function brokerHeartbeat(
  cluster: Cluster,
  request: Heartbeat,
  context: HeartbeatContext,
): Outcome<HeartbeatAnswer> {
  const broker = checkBrokerEpoch(cluster.image, request.brokerId, Number(request.brokerEpoch))
  const isCaughtUp = Number(request.currentMetadataOffset) >= broker.epoch
  const state = nextState(cluster, broker, request, context, isCaughtUp)
  const response = {
    throttleTimeMs: 0,
    errorCode: ErrorCode.NONE,
    isCaughtUp,
    isFenced: state === 'fenced' || state === 'shutdown',
    shouldShutDown: state === 'shutdown',
  }
  const isNew = state !== 'controlled shutdown' || context.shutdownOffset === undefined
  return {
    records: isNew ? stateRecords(cluster, broker, state) : [],
    response: { state, response },
    isDivisible: true,
  }
}

function nextState(
  { image }: Cluster,
  { id, isFenced }: BrokerImage,
  { wantFence, wantShutDown }: Heartbeat,
  { shutdownOffset, lowestActiveOffset }: HeartbeatContext,
  isCaughtUp: boolean,
): BrokerState {
  if (isFenced) {
    if (wantShutDown) return 'shutdown'
    return !wantFence && isCaughtUp ? 'unfenced' : 'fenced'
  }
  if (shutdownOffset !== undefined) {
    // Whoever stays must know the new leaders before the old one goes.
    return leadsAny(image, id) || shutdownOffset > lowestActiveOffset ? 'controlled shutdown' : 'shutdown'
  }
  if (wantFence) return wantShutDown ? 'shutdown' : 'fenced'
  if (wantShutDown) return leadsAny(image, id) ? 'controlled shutdown' : 'shutdown'
  return 'unfenced'
}

function stateRecords(cluster: Cluster, broker: BrokerImage, next: BrokerState): NewMetadataRecord[] {
  const { id, epoch, isFenced, isInControlledShutdown } = broker
  const change = { brokerId: id, brokerEpoch: BigInt(epoch) }
  const type = 'BrokerRegistrationChangeRecord'
  switch (next) {
    case 'unfenced':
      if (!isFenced) return []
      return [{ type, version: 0, value: { ...change, fenced: UNFENCE } }, ...joinBroker(cluster, id)]
    case 'controlled shutdown': {
      const value = { ...change, inControlledShutdown: ENTER_CONTROLLED_SHUTDOWN }
      // A controller before this one may have let it begin.
      return [...(isInControlledShutdown ? [] : [{ type, version: 1, value } as const]), ...leaveBroker(cluster, id)]
    }
    default:
      return fenceBroker(cluster, id)
  }
}

/** Takes the broker out of every ISR that has others, and from the lead. Nothing for one that is fenced, or not registered. */
export function fenceBroker(cluster: Cluster, id: number): NewMetadataRecord[] {
  const broker = cluster.image.brokers.get(id)
  if (broker === undefined || broker.isFenced) return []
  const value = { brokerId: id, brokerEpoch: BigInt(broker.epoch), fenced: FENCE }
  return [...leaveBroker(cluster, id), { type: 'BrokerRegistrationChangeRecord', version: 0, value }]
}

/**
 * Log directories of a heartbeat that failed (KIP-858), whose replicas leave the ISR, or that take no new replicas any more (KIP-1066).
 * Throws ApiError STALE_BROKER_EPOCH.
 */
export function brokerDirectories(cluster: Cluster, request: Heartbeat): Outcome<null> {
  const broker = checkBrokerEpoch(cluster.image, request.brokerId, Number(request.brokerEpoch))
  const records = [...failedDirectories(cluster, broker, request), ...cordonedDirectories(cluster, broker, request)]
  return { records, response: null, isDivisible: true }
}

function failedDirectories(cluster: Cluster, broker: BrokerImage, { offlineLogDirs }: Heartbeat): NewMetadataRecord[] {
  const { id, epoch } = broker
  const failed = broker.logDirs.filter((directory) => offlineLogDirs.includes(directory))
  if (!supportsDirectoryAssignment(cluster.image.metadataVersion) || failed.length === 0) return []
  const inFailed = partitionsWhere(cluster.image, ({ replicas, directories }) => {
    const index = replicas.indexOf(id)
    return index >= 0 && failed.includes(directories[index] ?? '')
  })
  const logDirs = broker.logDirs.filter((directory) => !failed.includes(directory))
  const value = { brokerId: id, brokerEpoch: BigInt(epoch), logDirs }
  return [...withoutBroker(cluster, id, inFailed), { type: 'BrokerRegistrationChangeRecord', version: 2, value }]
}

function cordonedDirectories(
  { image }: Cluster,
  { id, epoch, cordonedLogDirs: before }: BrokerImage,
  { cordonedLogDirs }: Heartbeat,
): NewMetadataRecord[] {
  if (cordonedLogDirs === null || !supportsCordonedLogDirs(image.metadataVersion)) return []
  if (sameMembers(cordonedLogDirs, before)) return []
  const value = { brokerId: id, brokerEpoch: BigInt(epoch), cordonedLogDirs }
  return [{ type: 'BrokerRegistrationChangeRecord', version: 3, value }]
}

function sameMembers(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((item) => b.includes(item))
}
