import { CowMap } from './cow-map.ts'

/** A listener's address, as registered; `securityProtocol` is Kafka's id: PLAINTEXT 0, SSL 1, SASL_PLAINTEXT 2, SASL_SSL 3. */
export interface EndpointImage {
  readonly name: string
  readonly host: string
  readonly port: number
  readonly securityProtocol: number
}

export interface SupportedFeature {
  readonly min: number
  readonly max: number
}

/** A broker that has registered. */
export interface BrokerImage {
  readonly id: number
  /** The offset of its registration in the metadata log. */
  readonly epoch: number
  readonly incarnationId: string
  readonly endpoints: readonly EndpointImage[]
  readonly features: ReadonlyMap<string, SupportedFeature>
  readonly rack: string | null
  readonly isFenced: boolean
  readonly isInControlledShutdown: boolean
  readonly logDirs: readonly string[]
  readonly cordonedLogDirs: readonly string[]
}

export interface ControllerImage {
  readonly id: number
  readonly incarnationId: string
  readonly endpoints: readonly EndpointImage[]
  readonly features: ReadonlyMap<string, SupportedFeature>
}

export const NO_LEADER = -1
/** LeaderRecoveryState of KIP-704. */
export const RECOVERED = 0

export interface PartitionImage {
  readonly index: number
  readonly replicas: readonly number[]
  /** Log directory of each replica, in the order of `replicas` (KIP-858). */
  readonly directories: readonly string[]
  readonly isr: readonly number[]
  readonly removingReplicas: readonly number[]
  readonly addingReplicas: readonly number[]
  /** NO_LEADER: none. */
  readonly leader: number
  readonly leaderEpoch: number
  readonly partitionEpoch: number
  readonly leaderRecoveryState: number
  /** KIP-966. */
  readonly eligibleLeaderReplicas: readonly number[]
  readonly lastKnownElr: readonly number[]
}

export interface TopicImage {
  readonly name: string
  readonly id: string
  /** By index, without gaps. */
  readonly partitions: readonly PartitionImage[]
}

export interface TopicsImage {
  readonly byId: CowMap<string, TopicImage>
  readonly byName: CowMap<string, TopicImage>
}

/** Kafka's ids of resources that have configs. */
export const ResourceType = { TOPIC: 2, BROKER: 4, BROKER_LOGGER: 8, CLIENT_METRICS: 16, GROUP: 32 } as const

/** The configs set on one resource. Broker '' is the cluster-wide default. */
export interface ConfigImage {
  readonly type: number
  readonly name: string
  readonly entries: ReadonlyMap<string, string>
}

/** An entity of client quotas (KIP-546): its parts by type ('user', 'client-id', 'ip'); a null name is the default entity. */
export interface ClientQuotaImage {
  readonly entity: readonly { readonly type: string; readonly name: string | null }[]
  readonly values: ReadonlyMap<string, number>
}

/** KIP-554; `mechanism` 1 is SCRAM-SHA-256, 2 SCRAM-SHA-512. */
export interface ScramCredentialImage {
  readonly user: string
  readonly mechanism: number
  readonly salt: Uint8Array
  readonly storedKey: Uint8Array
  readonly serverKey: Uint8Array
  readonly iterations: number
}

export interface AclImage {
  readonly id: string
  readonly resourceType: number
  readonly resourceName: string
  readonly patternType: number
  readonly principal: string
  readonly host: string
  readonly operation: number
  readonly permissionType: number
}

/** KIP-900; times in ms since the epoch. */
export interface DelegationTokenImage {
  readonly tokenId: string
  readonly owner: string
  readonly requester: string
  readonly renewers: readonly string[]
  readonly issueTimestampMs: number
  readonly maxTimestampMs: number
  readonly expirationTimestampMs: number
}

/** The last block of producer ids that was handed out. */
export interface ProducerIdsImage {
  readonly brokerId: number
  readonly brokerEpoch: number
  readonly nextProducerId: number
}

/** Where in the metadata log an image stands: the last record in it. */
export interface Provenance {
  readonly offset: number
  readonly epoch: number
  readonly timestampMs: number
}

interface ImageParts {
  readonly provenance: Provenance
  /** Finalized feature levels by name, `metadata.version` among them; a level of 0 has no entry. */
  readonly features: ReadonlyMap<string, number>
  readonly zkMigrationState: number
  readonly brokers: ReadonlyMap<number, BrokerImage>
  readonly controllers: ReadonlyMap<number, ControllerImage>
  readonly topics: TopicsImage
  readonly configs: CowMap<string, ConfigImage>
  readonly producerIds: ProducerIdsImage
  readonly clientQuotas: CowMap<string, ClientQuotaImage>
  readonly scramCredentials: CowMap<string, ScramCredentialImage>
  readonly acls: CowMap<string, AclImage>
  readonly delegationTokens: CowMap<string, DelegationTokenImage>
}

const NO_ENTRIES: ReadonlyMap<string, string> = new Map()

/** The key of a resource in `MetadataImage.configs`. */
export function resourceKey(type: number, name: string): string {
  return `${type}:${name}`
}

/** The cluster's metadata at one offset of its log. Never changes; a MetadataDelta makes the next one, which shares what is the same. */
export class MetadataImage implements ImageParts {
  readonly provenance: Provenance
  readonly features: ReadonlyMap<string, number>
  readonly zkMigrationState: number
  readonly brokers: ReadonlyMap<number, BrokerImage>
  readonly controllers: ReadonlyMap<number, ControllerImage>
  readonly topics: TopicsImage
  readonly configs: CowMap<string, ConfigImage>
  readonly producerIds: ProducerIdsImage
  readonly clientQuotas: CowMap<string, ClientQuotaImage>
  readonly scramCredentials: CowMap<string, ScramCredentialImage>
  readonly acls: CowMap<string, AclImage>
  readonly delegationTokens: CowMap<string, DelegationTokenImage>

  constructor(parts: ImageParts) {
    this.provenance = parts.provenance
    this.features = parts.features
    this.zkMigrationState = parts.zkMigrationState
    this.brokers = parts.brokers
    this.controllers = parts.controllers
    this.topics = parts.topics
    this.configs = parts.configs
    this.producerIds = parts.producerIds
    this.clientQuotas = parts.clientQuotas
    this.scramCredentials = parts.scramCredentials
    this.acls = parts.acls
    this.delegationTokens = parts.delegationTokens
  }

  /** Before the first record. */
  static readonly EMPTY: MetadataImage = new MetadataImage({
    provenance: { offset: -1, epoch: -1, timestampMs: -1 },
    features: new Map(),
    zkMigrationState: 0,
    brokers: new Map(),
    controllers: new Map(),
    topics: { byId: CowMap.empty(), byName: CowMap.empty() },
    configs: CowMap.empty(),
    producerIds: { brokerId: -1, brokerEpoch: -1, nextProducerId: 0 },
    clientQuotas: CowMap.empty(),
    scramCredentials: CowMap.empty(),
    acls: CowMap.empty(),
    delegationTokens: CowMap.empty(),
  })

  /** The finalized level of `metadata.version`; 0 before bootstrap. */
  get metadataVersion(): number {
    return this.features.get('metadata.version') ?? 0
  }

  topic(name: string): TopicImage | undefined {
    return this.topics.byName.get(name)
  }

  topicById(id: string): TopicImage | undefined {
    return this.topics.byId.get(id)
  }

  partition(topicId: string, index: number): PartitionImage | undefined {
    return this.topics.byId.get(topicId)?.partitions[index]
  }

  /** What is set on a resource, without defaults. */
  configsOf(type: number, name: string): ReadonlyMap<string, string> {
    return this.configs.get(resourceKey(type, name))?.entries ?? NO_ENTRIES
  }
}
