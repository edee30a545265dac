import type { MetadataRecord, MetadataRecordOf } from '../protocol/metadata-record.ts'
import type { BrokerImage, ControllerImage, MetadataImage, ProducerIdsImage, SupportedFeature } from './image.ts'

type BrokerChange = Partial<Pick<BrokerImage, 'isFenced' | 'isInControlledShutdown' | 'logDirs' | 'cordonedLogDirs'>>

/** `fenced` and `inControlledShutdown` of a BrokerRegistrationChangeRecord: -1 unfences, 1 fences, 0 leaves it alone. */
const SET = 1
const CLEAR = -1

/** Brokers, controllers, features and producer ids in a run of records. */
export class ClusterDelta {
  readonly #image: MetadataImage
  readonly #changedBrokers = new Set<number>()
  #brokers: Map<number, BrokerImage> | undefined
  #controllers: Map<number, ControllerImage> | undefined
  #features: Map<string, number> | undefined
  #producerIds: ProducerIdsImage
  #zkMigrationState: number

  constructor(image: MetadataImage) {
    this.#image = image
    this.#producerIds = image.producerIds
    this.#zkMigrationState = image.zkMigrationState
  }

  /** Ids of the brokers that registered, changed or went. */
  get changedBrokers(): ReadonlySet<number> {
    return this.#changedBrokers
  }

  get changedFeatures(): boolean {
    return this.#features !== undefined
  }

  get changedControllers(): boolean {
    return this.#controllers !== undefined
  }

  /** False for a record that is not about these. */
  replay(record: MetadataRecord): boolean {
    switch (record.type) {
      case 'FeatureLevelRecord':
        this.#setFeature(record.value.name, record.value.featureLevel)
        return true
      case 'ZkMigrationStateRecord':
        this.#zkMigrationState = record.value.zkMigrationState
        return true
      case 'RegisterControllerRecord':
        this.#registerController(record.value)
        return true
      case 'ProducerIdsRecord':
        this.#producerIds = {
          brokerId: record.value.brokerId,
          brokerEpoch: Number(record.value.brokerEpoch),
          nextProducerId: Number(record.value.nextProducerId),
        }
        return true
      default:
        return this.#replayBroker(record)
    }
  }

  #replayBroker(record: MetadataRecord): boolean {
    switch (record.type) {
      case 'RegisterBrokerRecord':
        this.#registerBroker(record.value)
        return true
      case 'UnregisterBrokerRecord':
        this.#editBrokers(record.value.brokerId).delete(record.value.brokerId)
        return true
      case 'FenceBrokerRecord':
        this.#changeBroker(record.value.id, record.value.epoch, { isFenced: true })
        return true
      case 'UnfenceBrokerRecord':
        this.#changeBroker(record.value.id, record.value.epoch, { isFenced: false })
        return true
      case 'BrokerRegistrationChangeRecord':
        this.#changeBroker(record.value.brokerId, record.value.brokerEpoch, changeOf(record.value))
        return true
      default:
        return false
    }
  }

  #setFeature(name: string, level: number): void {
    this.#features ??= new Map(this.#image.features)
    if (level === 0) this.#features.delete(name)
    else this.#features.set(name, level)
  }

  #editBrokers(changed: number): Map<number, BrokerImage> {
    this.#changedBrokers.add(changed)
    this.#brokers ??= new Map(this.#image.brokers)
    return this.#brokers
  }

  #registerBroker(record: MetadataRecordOf<'RegisterBrokerRecord'>): void {
    this.#editBrokers(record.brokerId).set(record.brokerId, {
      id: record.brokerId,
      epoch: Number(record.brokerEpoch),
      incarnationId: record.incarnationId,
      endpoints: record.endPoints,
      features: supported(record.features),
      rack: record.rack,
      isFenced: record.fenced,
      isInControlledShutdown: record.inControlledShutdown,
      logDirs: record.logDirs,
      cordonedLogDirs: record.cordonedLogDirs ?? [],
    })
  }

  #changeBroker(id: number, epoch: bigint, change: BrokerChange): void {
    const brokers = this.#editBrokers(id)
    const broker = brokers.get(id)
    if (broker === undefined) throw new Error(`broker ${id} is not registered`)
    if (broker.epoch !== Number(epoch)) throw new Error(`broker ${id} has epoch ${broker.epoch}, not ${epoch}`)
    brokers.set(id, { ...broker, ...change })
  }

  #registerController(record: MetadataRecordOf<'RegisterControllerRecord'>): void {
    this.#controllers ??= new Map(this.#image.controllers)
    this.#controllers.set(record.controllerId, {
      id: record.controllerId,
      incarnationId: record.incarnationId,
      endpoints: record.endPoints,
      features: supported(record.features),
    })
  }

  finish() {
    return {
      features: this.#features ?? this.#image.features,
      zkMigrationState: this.#zkMigrationState,
      brokers: this.#brokers ?? this.#image.brokers,
      controllers: this.#controllers ?? this.#image.controllers,
      producerIds: this.#producerIds,
    }
  }
}

function supported(
  features: MetadataRecordOf<'RegisterBrokerRecord'>['features'],
): ReadonlyMap<string, SupportedFeature> {
  return new Map(features.map((f) => [f.name, { min: f.minSupportedVersion, max: f.maxSupportedVersion }]))
}

function changeOf(record: MetadataRecordOf<'BrokerRegistrationChangeRecord'>): BrokerChange {
  const { fenced, inControlledShutdown, logDirs, cordonedLogDirs } = record
  return {
    ...(fenced === SET || fenced === CLEAR ? { isFenced: fenced === SET } : {}),
    ...(inControlledShutdown === SET ? { isInControlledShutdown: true } : {}),
    ...(logDirs.length > 0 ? { logDirs } : {}),
    ...(cordonedLogDirs === null ? {} : { cordonedLogDirs }),
  }
}
