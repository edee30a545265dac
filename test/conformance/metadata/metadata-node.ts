import { readFileSync, writeFileSync } from 'node:fs'
import { parseProperties } from '../../../broker/config/properties.ts'
import { parseServerConfig } from '../../../broker/config/server-config.ts'
import { ControllerRole } from '../../../broker/controller-role.ts'
import { CurrentConfig } from '../../../broker/current-config.ts'
import { nodeEnv } from '../../../broker/host/env.ts'
import type { ApiKey } from '../../../broker/protocol/api-key.ts'
import type { RequestOf } from '../../../broker/protocol/apis.ts'
import { readMetaProperties } from '../../../broker/storage/meta-properties.ts'
import { AnswerBudget } from '../../../broker/lib/answer-budget.ts'
import { randomUuid } from '../../../broker/lib/uuid.ts'
import { registeredFeatures } from '../../../broker/metadata/features.ts'
import type { MetadataLoader } from '../../../broker/metadata/loader.ts'
import { snapshotRecords } from '../../../broker/metadata/snapshot-records.ts'
import { Node } from '../../../broker/node.ts'
import { LogThreshold } from '../../../broker/telemetry/log-threshold.ts'
import { Metrics } from '../../../broker/telemetry/metrics.ts'
import { silentLogger } from '../../fakes/logger.ts'

type NewTopic = RequestOf<typeof ApiKey.CreateTopics>['topics'][number]

type Registration = Omit<RequestOf<typeof ApiKey.BrokerRegistration>, 'features'>

/** Quorum, loader and controller of a node on a real data directory, without the rest of the broker. */
export class MetadataNode {
  readonly #node: Node
  readonly #role: ControllerRole
  readonly #registration: Registration
  readonly #logDir: string
  #brokerEpoch = -1n

  private constructor(node: Node, role: ControllerRole, registration: Registration, logDir: string) {
    this.#node = node
    this.#role = role
    this.#logDir = logDir
    this.#registration = registration
  }

  static async open(propertiesFile: string): Promise<MetadataNode> {
    const env = nodeEnv()
    const { config } = parseServerConfig(parseProperties(readFileSync(propertiesFile, 'utf8')))
    const meta = readMetaProperties(env.disk, config.metadataLogDir)
    if (meta?.directoryId === undefined) throw new Error('the directory is not formatted')
    const { clusterId, directoryId } = meta
    const logger = silentLogger()
    const incarnationId = randomUuid(env.random)
    const metrics = new Metrics({ withProcess: false }, env)
    const current = new CurrentConfig({ config }, { logger })
    const node = await Node.open(
      { config, clusterId, directoryId, incarnationId, hostName: 'localhost' },
      {
        env,
        logger,
        logThreshold: new LogThreshold('info'),
        metrics,
        current,
        answers: new AnswerBudget(),
        idleRatio: () => 1,
        onFailed: () => {},
      },
      new Map(),
    )
    const role = new ControllerRole(node)
    const led = new Promise<void>((resolve) => role.follow(resolve))
    node.start()
    await led
    const listeners = config.advertisedListeners.map(({ name, host, port }) => ({
      name,
      host,
      port,
      securityProtocol: 0,
    }))
    const registration = {
      brokerId: config.nodeId,
      clusterId,
      incarnationId,
      listeners,
      rack: null,
      isMigratingZkBroker: false,
      logDirs: [directoryId],
      previousBrokerEpoch: -1n,
    }
    return new MetadataNode(node, role, registration, config.metadataLogDir)
  }

  get loader(): MetadataLoader {
    return this.#node.loader
  }

  /** Registers controller and broker, and has the broker unfenced. */
  async join(): Promise<void> {
    const { controller } = this.#role
    const { loader } = this.#node
    const { brokerId, incarnationId } = this.#registration
    const features = [...registeredFeatures(loader.image.features)].map(([name, { min, max }]) => ({
      name,
      minSupportedVersion: min,
      maxSupportedVersion: max,
    }))
    const listeners = [{ name: 'CONTROLLER', host: 'localhost', port: 1, securityProtocol: 0 }]
    const controllerFeatures = { controllerId: brokerId, incarnationId, zkMigrationReady: false, listeners, features }
    await controller.registerController(controllerFeatures)
    const { brokerEpoch = -1n } = await controller.registerBroker({ ...this.#registration, features })
    this.#brokerEpoch = brokerEpoch
    await this.#heartbeat({ wantFence: false, wantShutDown: false })
  }

  async #heartbeat(wants: { wantFence: boolean; wantShutDown: boolean }): Promise<void> {
    await this.#role.controller.brokerHeartbeat({
      brokerId: this.#registration.brokerId,
      brokerEpoch: this.#brokerEpoch,
      currentMetadataOffset: BigInt(this.#node.loader.image.provenance.offset),
      offlineLogDirs: [],
      cordonedLogDirs: null,
      ...wants,
    })
  }

  async createTopic(name: string, numPartitions: number, configs: Record<string, string>): Promise<number> {
    const topic: NewTopic = {
      name,
      numPartitions,
      replicationFactor: 1,
      assignments: [],
      configs: Object.entries(configs).map(([key, value]) => ({ name: key, value })),
    }
    const response = await this.#role.controller.createTopics({ topics: [topic], timeoutMs: 1000, validateOnly: false })
    return response.topics?.[0]?.errorCode ?? -1
  }

  async snapshot(): Promise<void> {
    const { raft, loader } = this.#node
    const { provenance } = loader.image
    const id = { endOffset: provenance.offset + 1, epoch: provenance.epoch }
    await raft.createSnapshot(id, provenance.timestampMs, snapshotRecords(loader.image))
  }

  /** Lets the broker go as a shutdown does, and closes the log. */
  async close(): Promise<void> {
    if (this.#brokerEpoch >= 0n) {
      await this.#heartbeat({ wantFence: false, wantShutDown: true })
      await this.#heartbeat({ wantFence: false, wantShutDown: true })
      const clean = JSON.stringify({ version: 0, brokerEpoch: Number(this.#brokerEpoch) })
      writeFileSync(`${this.#logDir}/.kafka_cleanshutdown`, clean)
    }
    await this.#node[Symbol.asyncDispose]()
  }
}
