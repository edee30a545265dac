import { isReservedDirectory } from '../metadata/directory-id.ts'
import { isElrEnabled, KRAFT_VERSION, METADATA_VERSION } from '../metadata/features.ts'
import type { BrokerImage, MetadataImage } from '../metadata/image.ts'
import type { ApiKey } from '../protocol/api-key.ts'
import type { RequestOf } from '../protocol/apis.ts'
import { ErrorCode } from '../protocol/errors.ts'
import { type Cluster } from './cluster.ts'
import { leaveBroker, loseBroker } from './leader-changes.ts'
import { registerBrokerRecordVersion, supportsDirectoryAssignment } from '../metadata/record-versions.ts'
import { ApiError, type NewMetadataRecord, type Outcome } from './result.ts'

type Registration = RequestOf<typeof ApiKey.BrokerRegistration>

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
  readonly kraftVersion: number
  /** Whether the registered incarnation has sent heartbeats lately. */
  readonly hasSession: boolean
  /** Whether the connection on which it sends them is open. */
  readonly isConnected: boolean
}

/** Registers a broker, fenced; the response is its epoch. A new incarnation leads nothing that the old one led. Throws ApiError. */
export function registerBroker(
  cluster: Cluster,
  request: Registration,
  { clusterId, nextOffset, kraftVersion, hasSession, isConnected }: RegistrationContext,
): Outcome<number> {
  const { image } = cluster
  if (request.clusterId !== clusterId) {
    const message = `Expected cluster ID ${clusterId}, but got cluster ID ${request.clusterId}`
    throw new ApiError(ErrorCode.INCONSISTENT_CLUSTER_ID, message)
  }
  const existing = image.brokers.get(request.brokerId)
  const isSame = existing?.incarnationId === request.incarnationId
  if (hasSession && !isSame && (isConnected || !hasItsDisks(existing, request))) {
    const advice =
      "If the broker was recently restarted this should self-resolve once the heartbeat manager expires the broker's session."
    const message = `Another broker is registered with that broker id. ${advice}`
    throw new ApiError(ErrorCode.DUPLICATE_BROKER_REGISTRATION, message)
  }
  if (supportsDirectoryAssignment(image.metadataVersion)) checkDirectories(image, request)
  checkFeatures(new Map([...image.features, [KRAFT_VERSION, kraftVersion]]), request)
  const before = isSame ? [] : cleanUp(cluster, request)
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
      logDirs: supportsDirectoryAssignment(image.metadataVersion) ? request.logDirs : [],
    },
  }
  return { records: [...before, registration], response: epoch, isDivisible: true }
}

/**
 * Whether a broker has locked a log directory of the registered incarnation, whose process is over then: with its connection gone, its session need not
 * time out. Apache Kafka lets the broker wait.
 */
function hasItsDisks(registered: BrokerImage | undefined, { logDirs }: Registration): boolean {
  return registered?.logDirs.some((directory) => logDirs.includes(directory)) === true
}

/** What the incarnation before leaves behind. One that names its epoch stopped in order, with all that it acknowledged on its disks. */
function cleanUp(cluster: Cluster, { brokerId, previousBrokerEpoch }: Registration): NewMetadataRecord[] {
  const isClean = cluster.image.brokers.get(brokerId)?.epoch === Number(previousBrokerEpoch)
  return isElrEnabled(cluster.image) && !isClean ? loseBroker(cluster, brokerId) : leaveBroker(cluster, brokerId)
}

function invalid(message: string): ApiError {
  return new ApiError(ErrorCode.INVALID_REGISTRATION, message)
}

function checkDirectories(image: MetadataImage, { brokerId, logDirs }: Registration): void {
  if (logDirs.length === 0) throw invalid('No directories specified in request')
  if (logDirs.some(isReservedDirectory)) throw invalid('Reserved directory ID in request')
  if (new Set(logDirs).size !== logDirs.length) throw invalid('Duplicate directory ID in request')
  for (const broker of image.brokers.values()) {
    const shared = broker.id === brokerId ? undefined : logDirs.find((directory) => broker.logDirs.includes(directory))
    if (shared !== undefined) throw invalid(`Broker ${broker.id} is already registered with directory ${shared}`)
  }
}

function checkFeatures(finalized: ReadonlyMap<string, number>, { features }: Registration): void {
  const offered = new Map(features.map((feature) => [feature.name, feature]))
  if (!offered.has(METADATA_VERSION)) {
    throw new ApiError(ErrorCode.INVALID_REGISTRATION, `Request features do not contain '${METADATA_VERSION}'`)
  }
  for (const [name, level] of finalized) {
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

/** Forgets a broker for good. Throws ApiError BROKER_ID_NOT_REGISTERED. */
export function unregisterBroker(cluster: Cluster, id: number): Outcome<null> {
  const broker = cluster.image.brokers.get(id)
  if (broker === undefined) {
    throw new ApiError(ErrorCode.BROKER_ID_NOT_REGISTERED, `Broker ID ${id} is not currently registered`)
  }
  const value = { brokerId: id, brokerEpoch: BigInt(broker.epoch) }
  return {
    records: [...leaveBroker(cluster, id), { type: 'UnregisterBrokerRecord', version: 0, value }],
    response: null,
    isDivisible: true,
  }
}
