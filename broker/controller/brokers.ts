import { isUuid, uuidToBytes } from '../lib/uuid.ts'
import { METADATA_VERSION } from '../metadata/features.ts'
import type { BrokerImage, MetadataImage } from '../metadata/image.ts'
import type { ApiKey } from '../protocol/api-key.ts'
import type { RequestOf, ResponseInputOf } from '../protocol/apis.ts'
import { ErrorCode } from '../protocol/errors.ts'
import { joinBroker, leadsAny, leaveBroker } from './leader-changes.ts'
import {
  registerBrokerRecordVersion,
  supportsCordonedLogDirs,
  supportsDirectoryAssignment,
} from '../metadata/record-versions.ts'
import { ApiError, type NewMetadataRecord, type Outcome } from './result.ts'

type Registration = RequestOf<typeof ApiKey.BrokerRegistration>
type Heartbeat = RequestOf<typeof ApiKey.BrokerHeartbeat>
type HeartbeatResponse = ResponseInputOf<typeof ApiKey.BrokerHeartbeat>

/** Directory ids below 100 are reserved (KIP-858). */
const RESERVED_DIRECTORIES = 100
/** `fenced` of a BrokerRegistrationChangeRecord. */
const FENCE = 1
const UNFENCE = -1
const ENTER_CONTROLLED_SHUTDOWN = 1

/** The registration that `epoch` is of. Throws ApiError STALE_BROKER_EPOCH. */
export function checkBrokerEpoch(image: MetadataImage, id: number, epoch: number): BrokerImage {
  const broker = image.brokers.get(id)
  if (broker === undefined) {
    throw new ApiError(ErrorCode.STALE_BROKER_EPOCH, `No broker registration found for broker id ${id}`)
  }
  if (broker.epoch !== epoch) {
    const message = `Expected broker epoch ${broker.epoch}, but got broker epoch ${epoch}`
    throw new ApiError(ErrorCode.STALE_BROKER_EPOCH, message)
  }
  return broker
}

export interface RegistrationContext {
  readonly clusterId: string
  /** The offset that the next record gets: broker epochs are offsets of registrations. */
  readonly nextOffset: number
  /** Whether the registered incarnation has sent heartbeats lately. */
  readonly hasSession: boolean
}

/** Registers a broker, fenced; the response is its epoch. A new incarnation leads nothing that the old one led. Throws ApiError. */
export function registerBroker(
  image: MetadataImage,
  request: Registration,
  { clusterId, nextOffset, hasSession }: RegistrationContext,
): Outcome<number> {
  if (request.clusterId !== clusterId) {
    const message = `Expected cluster ID ${clusterId}, but got cluster ID ${request.clusterId}`
    throw new ApiError(ErrorCode.INCONSISTENT_CLUSTER_ID, message)
  }
  const existing = image.brokers.get(request.brokerId)
  const isSame = existing?.incarnationId === request.incarnationId
  if (hasSession && !isSame) {
    const advice =
      "If the broker was recently restarted this should self-resolve once the heartbeat manager expires the broker's session."
    const message = `Another broker is registered with that broker id. ${advice}`
    throw new ApiError(ErrorCode.DUPLICATE_BROKER_REGISTRATION, message)
  }
  if (supportsDirectoryAssignment(image.metadataVersion)) checkDirectories(image, request)
  checkFeatures(image, request)
  const before = isSame ? [] : leaveBroker(image, request.brokerId)
  const epoch = isSame && existing !== undefined ? existing.epoch : nextOffset + before.length
  const registration: NewMetadataRecord = {
    type: 'RegisterBrokerRecord',
    version: registerBrokerRecordVersion(image.metadataVersion),
    value: {
      brokerId: request.brokerId,
      isMigratingZkBroker: false,
      incarnationId: request.incarnationId,
      brokerEpoch: BigInt(epoch),
      endPoints: request.listeners,
      features: request.features,
      rack: request.rack,
      fenced: isSame && existing !== undefined ? existing.isFenced : true,
      inControlledShutdown: isSame && existing !== undefined ? existing.isInControlledShutdown : false,
      logDirs: request.logDirs,
    },
  }
  return { records: [...before, registration], response: epoch }
}

function invalid(message: string): ApiError {
  return new ApiError(ErrorCode.INVALID_REGISTRATION, message)
}

function checkDirectories(image: MetadataImage, { brokerId, logDirs }: Registration): void {
  if (logDirs.length === 0) throw invalid('No directories specified in request')
  if (logDirs.some(isReserved)) throw invalid('Reserved directory ID in request')
  if (new Set(logDirs).size !== logDirs.length) throw invalid('Duplicate directory ID in request')
  for (const broker of image.brokers.values()) {
    const shared = broker.id === brokerId ? undefined : logDirs.find((directory) => broker.logDirs.includes(directory))
    if (shared !== undefined) throw invalid(`Broker ${broker.id} is already registered with directory ${shared}`)
  }
}

function isReserved(directory: string): boolean {
  if (!isUuid(directory)) return true
  const bytes = uuidToBytes(directory)
  return bytes.subarray(0, 15).every((byte) => byte === 0) && (bytes[15] ?? 0) < RESERVED_DIRECTORIES
}

function checkFeatures(image: MetadataImage, { features }: Registration): void {
  const offered = new Map(features.map((feature) => [feature.name, feature]))
  if (!offered.has(METADATA_VERSION)) {
    throw new ApiError(ErrorCode.INVALID_REGISTRATION, `Request features do not contain '${METADATA_VERSION}'`)
  }
  for (const [name, level] of image.features) {
    const { minSupportedVersion: min, maxSupportedVersion: max } = offered.get(name) ?? {
      minSupportedVersion: 0,
      maxSupportedVersion: 0,
    }
    if (level >= min && level <= max) continue
    const what = `the broker does not support finalized version ${level} of ${name}.`
    throw new ApiError(
      ErrorCode.UNSUPPORTED_VERSION,
      `Unable to register because ${what} The broker wants a version between ${min} and ${max}, inclusive.`,
    )
  }
}

/** KIP-631: where the broker stands, and what it wants to be. Throws ApiError STALE_BROKER_EPOCH. */
export function brokerHeartbeat(image: MetadataImage, request: Heartbeat): Outcome<HeartbeatResponse> {
  const broker = checkBrokerEpoch(image, request.brokerId, Number(request.brokerEpoch))
  const isCaughtUp = Number(request.currentMetadataOffset) >= broker.epoch
  const next = nextState(image, broker, request, isCaughtUp)
  return {
    records: [...stateRecords(image, broker, next), ...directoryRecords(image, broker, request)],
    response: {
      throttleTimeMs: 0,
      errorCode: ErrorCode.NONE,
      isCaughtUp,
      isFenced: next === 'fenced' || next === 'shutdown',
      shouldShutDown: next === 'shutdown',
    },
  }
}

type BrokerState = 'fenced' | 'unfenced' | 'controlled shutdown' | 'shutdown'

function nextState(image: MetadataImage, broker: BrokerImage, request: Heartbeat, isCaughtUp: boolean): BrokerState {
  const { wantFence, wantShutDown } = request
  if (broker.isFenced) {
    if (wantShutDown) return 'shutdown'
    return !wantFence && isCaughtUp ? 'unfenced' : 'fenced'
  }
  if (broker.isInControlledShutdown) return leadsAny(image, broker.id) ? 'controlled shutdown' : 'shutdown'
  if (wantFence) return wantShutDown ? 'shutdown' : 'fenced'
  if (wantShutDown) return leadsAny(image, broker.id) ? 'controlled shutdown' : 'shutdown'
  return 'unfenced'
}

function stateRecords(image: MetadataImage, broker: BrokerImage, next: BrokerState): NewMetadataRecord[] {
  const { id, epoch, isFenced, isInControlledShutdown } = broker
  const change = { brokerId: id, brokerEpoch: BigInt(epoch) }
  const type = 'BrokerRegistrationChangeRecord'
  switch (next) {
    case 'unfenced':
      if (!isFenced) return []
      return [{ type, version: 0, value: { ...change, fenced: UNFENCE } }, ...joinBroker(image, id)]
    case 'controlled shutdown': {
      if (isInControlledShutdown) return []
      const value = { ...change, inControlledShutdown: ENTER_CONTROLLED_SHUTDOWN }
      return [{ type, version: 1, value }, ...leaveBroker(image, id)]
    }
    default:
      return isFenced ? [] : fenceBroker(image, id)
  }
}

/** Takes the broker out of every ISR that has others, and from the lead. */
export function fenceBroker(image: MetadataImage, id: number): NewMetadataRecord[] {
  const broker = image.brokers.get(id)
  if (broker === undefined || broker.isFenced) return []
  const value = { brokerId: id, brokerEpoch: BigInt(broker.epoch), fenced: FENCE }
  return [...leaveBroker(image, id), { type: 'BrokerRegistrationChangeRecord', version: 0, value }]
}

/** Forgets a broker for good. Throws ApiError BROKER_ID_NOT_REGISTERED. */
export function unregisterBroker(image: MetadataImage, id: number): Outcome<null> {
  const broker = image.brokers.get(id)
  if (broker === undefined) {
    throw new ApiError(ErrorCode.BROKER_ID_NOT_REGISTERED, `Broker ID ${id} is not currently registered`)
  }
  const value = { brokerId: id, brokerEpoch: BigInt(broker.epoch) }
  return { records: [...leaveBroker(image, id), { type: 'UnregisterBrokerRecord', version: 0, value }], response: null }
}

/** Log directories that failed, or that take no new replicas any more (KIP-1066). */
function directoryRecords(image: MetadataImage, broker: BrokerImage, request: Heartbeat): NewMetadataRecord[] {
  const { offlineLogDirs, cordonedLogDirs } = request
  const logDirs = broker.logDirs.filter((directory) => !offlineLogDirs.includes(directory))
  const lostAny = supportsDirectoryAssignment(image.metadataVersion) && logDirs.length < broker.logDirs.length
  const isRecordable = cordonedLogDirs !== null && supportsCordonedLogDirs(image.metadataVersion)
  const cordoned = isRecordable && !sameMembers(cordonedLogDirs, broker.cordonedLogDirs) ? cordonedLogDirs : null
  if (!lostAny && cordoned === null) return []
  return [
    {
      type: 'BrokerRegistrationChangeRecord',
      version: cordoned === null ? 2 : 3,
      value: {
        brokerId: broker.id,
        brokerEpoch: BigInt(broker.epoch),
        ...(lostAny ? { logDirs } : {}),
        ...(cordoned === null ? {} : { cordonedLogDirs: cordoned }),
      },
    },
  ]
}

function sameMembers(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((item) => b.includes(item))
}
