import type { Endpoint, SecurityProtocol } from './config/endpoint.ts'
import type { ServerConfig } from './config/server-config.ts'
import type { FeatureLevels } from './handlers/api-versions.ts'
import { FEATURES, KRAFT_VERSION, registeredFeatures } from './metadata/features.ts'
import type { MetadataImage } from './metadata/image.ts'
import type { ApiKey } from './protocol/api-key.ts'
import type { RequestOf } from './protocol/apis.ts'

/** Kafka's ids of security protocols. */
const PROTOCOL_IDS: Readonly<Record<SecurityProtocol, number>> = {
  PLAINTEXT: 0,
  SSL: 1,
  SASL_PLAINTEXT: 2,
  SASL_SSL: 3,
}

export interface RegistrationParts {
  readonly config: ServerConfig
  readonly clusterId: string
  readonly incarnationId: string
  readonly logDirs: readonly string[]
  readonly previousBrokerEpoch: number
  readonly image: MetadataImage
  /** Where clients reach an endpoint that leaves host or port open. */
  readonly advertised: (endpoint: Endpoint) => Endpoint
}

/** What this broker tells the controller of itself (KIP-631). */
export function registrationOf(
  parts: RegistrationParts,
): RequestOf<typeof ApiKey.BrokerRegistration> & { brokerId: number } {
  const { config, clusterId, incarnationId, logDirs, previousBrokerEpoch, image, advertised } = parts
  return {
    brokerId: config.nodeId,
    clusterId,
    incarnationId,
    listeners: config.advertisedListeners.map(advertised).map(listenerOf),
    features: featuresOf(image),
    rack: config.brokerRack,
    isMigratingZkBroker: false,
    logDirs: [...logDirs],
    previousBrokerEpoch: BigInt(previousBrokerEpoch),
  }
}

/** What ApiVersions tells of features: the levels that this broker knows, and those that are finalized (KIP-584). */
export function featureLevels(image: MetadataImage, kraftVersion: number): FeatureLevels {
  // The quorum keeps its own level in control records, which no image has; level 0 of any feature is not told.
  const finalized = [...image.features, [KRAFT_VERSION, kraftVersion] as const].filter(([, level]) => level > 0)
  return {
    epoch: image.provenance.offset,
    supported: [...FEATURES].map(([name, { min, max }]) => ({ name, minVersion: min, maxVersion: max })),
    finalized: finalized.map(([name, level]) => ({ name, level })),
  }
}

export interface ControllerRegistrationParts {
  readonly config: ServerConfig
  readonly incarnationId: string
  readonly image: MetadataImage
  /** Where the other nodes reach this controller. */
  readonly endpoints: readonly Endpoint[]
}

/** What this controller tells of itself (KIP-919). */
export function controllerRegistrationOf(
  parts: ControllerRegistrationParts,
): RequestOf<typeof ApiKey.ControllerRegistration> {
  const { config, incarnationId, image, endpoints } = parts
  return {
    controllerId: config.nodeId,
    incarnationId,
    zkMigrationReady: false,
    listeners: endpoints.map(listenerOf),
    features: featuresOf(image),
  }
}

function listenerOf({ name, host, port, protocol }: Endpoint) {
  return { name, host, port, securityProtocol: PROTOCOL_IDS[protocol] }
}

function featuresOf(image: MetadataImage) {
  return [...registeredFeatures(image.features)].map(([name, { min, max }]) => ({
    name,
    minSupportedVersion: min,
    maxSupportedVersion: max,
  }))
}
