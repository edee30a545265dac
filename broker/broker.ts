import { BrokerRole } from './broker-role.ts'
import type { ServerConfig } from './config/server-config.ts'
import { ControllerRole } from './controller-role.ts'
import { CurrentConfig } from './current-config.ts'
import type { Env } from './env/env.ts'
import { nodeGauges } from './gauges.ts'
import { AnswerBudget } from './lib/answer-budget.ts'
import { randomUuid } from './lib/uuid.ts'
import { ListenerCertificates } from './listener-certificates.ts'
import { Listeners } from './listeners.ts'
import { logManagerOptions } from './log-settings.ts'
import { Node } from './node.ts'
import { nodeIdentity } from './node-identity.ts'
import { StorageError } from './storage/errors.ts'
import { LogManager } from './storage/log-manager.ts'
import { httpResponder } from './telemetry/http-responder.ts'
import { registerNodeGauges } from './telemetry/kafka-gauges.ts'
import { LogThreshold } from './telemetry/log-threshold.ts'
import type { Logger } from './telemetry/logger.ts'
import { Metrics } from './telemetry/metrics.ts'

export interface BrokerOptions {
  readonly config: ServerConfig
  /** What a listener without a host is advertised as. */
  readonly hostName: string
}

export interface BrokerDeps {
  readonly env: Env
  readonly logger: Logger
  /** What the logger goes by; without it, nothing of what it writes can be changed. */
  readonly logThreshold?: LogThreshold
  readonly withProcessMetrics: boolean
  /** The part of the time, 0 to 1, in which the event loop had nothing to do. */
  readonly idleRatio: () => number
  /** What the process has read from and written to devices; undefined, or without it: the system does not tell. */
  readonly diskBytes?: () => { readonly read: number; readonly written: number } | undefined
  /** Of the process, for variables of the configuration. */
  readonly environment?: Readonly<Record<string, string | undefined>>
}

/** One node of a cluster, in the roles of its configuration: the parts, and how they hang together. */
export class Broker implements AsyncDisposable {
  readonly #config: ServerConfig
  readonly #hostName: string
  readonly #deps: BrokerDeps
  readonly #metrics: Metrics
  readonly #answers = new AnswerBudget()
  readonly #cleanup = new AsyncDisposableStack()
  readonly #failed = Promise.withResolvers<void>()
  readonly #ports = new Map<string, number>()
  #isStopping = false
  #stopped: Promise<void> | undefined
  #node: Node | undefined
  #brokerRole: BrokerRole | undefined
  #joined: Promise<void> = Promise.resolve()

  private constructor({ config, hostName }: BrokerOptions, deps: BrokerDeps) {
    this.#config = config
    this.#hostName = hostName
    this.#deps = deps
    this.#metrics = new Metrics({ withProcess: deps.withProcessMetrics }, deps.env)
    this.#cleanup.defer(() => this.#metrics.close())
  }

  /**
   * Opens what the node has, and begins to join the cluster. Rejects with StorageError where the data directories are not usable or not
   * formatted, QuorumError where the metadata quorum is not, ConfigError where a listener cannot speak TLS with what it is given, and with
   * the system's error where a port is taken.
   */
  static async open(options: BrokerOptions, deps: BrokerDeps): Promise<Broker> {
    const broker = new Broker(options, deps)
    try {
      await broker.#open()
      return broker
    } catch (error) {
      await broker[Symbol.asyncDispose]()
      throw error
    }
  }

  /** As `open`; resolves when the node does what it is for: a broker when clients are served, a controller at once. */
  static async start(options: BrokerOptions, deps: BrokerDeps): Promise<Broker> {
    const broker = await Broker.open(options, deps)
    try {
      await broker.joined
      return broker
    } catch (error) {
      await broker[Symbol.asyncDispose]()
      throw error
    }
  }

  /** Resolves when the node does what it is for. Rejects where it cannot: a listener's port is taken. */
  get joined(): Promise<void> {
    return this.#joined
  }

  /** The port of a listener: the one that was given to it where it asked for port 0. */
  port(listener: string): number | undefined {
    return this.#ports.get(listener)
  }

  /** Calls `failed` when this node has lost what it cannot go on without. */
  onFailed(failed: () => void): void {
    void this.#failed.promise.then(failed)
  }

  async #open(): Promise<void> {
    await this.#openMetrics()
    const config = this.#config
    // First of all: what is wrong with a certificate is to be told at once, not when it is the listeners' turn.
    const certificates = this.#cleanup.use(this.#certificates())
    const { clusterId, directoryId } = nodeIdentity(config, this.#deps.env.disk)
    const logs = config.isBroker ? await this.#openLogs(clusterId) : undefined
    const node = await this.#openNode(clusterId, directoryId)
    const listeners = this.#cleanup.use(
      new Listeners(
        { config, ports: this.#ports },
        {
          ...this.#deps,
          metrics: this.#metrics,
          answers: this.#answers,
          certificates,
          server: () => node.deps.current.value,
        },
      ),
    )
    const { idleRatio, diskBytes = () => undefined } = this.#deps
    node.loader.subscribe(() => certificates.reconfigure())
    registerNodeGauges(this.#metrics, nodeGauges({ node, listeners, certificates, idleRatio, diskBytes }))
    if (config.isController) {
      const role = new ControllerRole(node)
      await role.listen(listeners)
      role.follow()
    }
    const brokerRole = logs === undefined ? undefined : this.#cleanup.use(new BrokerRole(node, logs))
    this.#brokerRole = brokerRole
    node.start()
    this.#joined = this.#join(brokerRole, listeners)
    this.#joined.catch((error: unknown) => this.#fail(error))
  }

  async #openMetrics(): Promise<void> {
    const { metricsListen } = this.#config
    if (metricsListen === null) return
    const health = { unhealthy: () => null, notReady: () => this.#notReady() }
    const respond = httpResponder({ metrics: this.#metrics, health })
    const listener = await this.#deps.env.http.serve(metricsListen, respond)
    this.#cleanup.defer(() => listener.close())
    this.#ports.set('metrics', listener.address.port)
  }

  /** Why nobody should come yet, or any more. */
  #notReady(): string | null {
    if (this.#isStopping) return 'the node is stopping'
    if (this.#config.isBroker) return this.#brokerRole?.isReady === true ? null : 'the broker is starting'
    return this.#node?.isQuorumLed === true ? null : 'the metadata quorum has no leader'
  }

  /** What the node runs with: until it knows the metadata, what server.properties says. */
  #current(): ServerConfig {
    return this.#node?.deps.current.value ?? this.#config
  }

  #certificates(): ListenerCertificates {
    const { env, logger, environment } = this.#deps
    const deps = { ...env, logger, ...(environment === undefined ? {} : { environment }) }
    return new ListenerCertificates(() => this.#current(), deps)
  }

  async #openLogs(clusterId: string): Promise<LogManager> {
    const { env, logger } = this.#deps
    const options = logManagerOptions(this.#config, clusterId, () => this.#current())
    const logs = await LogManager.open(options, { ...env, logger })
    this.#cleanup.defer(() => logs.shutdown(this.#brokerRole?.epoch))
    return logs
  }

  async #openNode(clusterId: string, directoryId: string): Promise<Node> {
    const { env, logThreshold = new LogThreshold('info') } = this.#deps
    const config = this.#config
    this.#lockMetadata()
    const options = { config, clusterId, directoryId, incarnationId: randomUuid(env.random), hostName: this.#hostName }
    const current = new CurrentConfig({ config }, this.#deps)
    const onFailed = (error: unknown) => this.#fail(error)
    const shared = { metrics: this.#metrics, answers: this.#answers, logThreshold }
    const node = await Node.open(options, { ...this.#deps, ...shared, current, onFailed }, this.#ports)
    this.#node = node
    return this.#cleanup.use(node)
  }

  /** One process at a time may have the metadata log; a directory that also has replicas is locked with them. Throws StorageError. */
  #lockMetadata(): void {
    const { isBroker, logDirs, metadataLogDir } = this.#config
    if (isBroker && logDirs.includes(metadataLogDir)) return
    const lock = this.#deps.env.disk.lock(`${metadataLogDir}/.lock`)
    if (lock === null) {
      const message = `Failed to acquire lock on file .lock in ${metadataLogDir}. A Kafka instance in another process or thread is using this directory.`
      throw new StorageError('KAFKA_STORAGE_ERROR', message)
    }
    this.#cleanup.defer(() => lock.release())
  }

  async #join(brokerRole: BrokerRole | undefined, listeners: Listeners): Promise<void> {
    await brokerRole?.join(listeners)
    const { nodeId, processRoles } = this.#config
    this.#deps.logger.info({ nodeId, roles: processRoles, listeners: Object.fromEntries(this.#ports) }, 'started')
  }

  #fail(error: unknown): void {
    if (this.#isStopping) return
    this.#deps.logger.error({ err: error }, 'the broker cannot go on')
    this.#failed.resolve()
  }

  /** Leaves the cluster in order, then closes everything; what is acknowledged is on disk, and the shutdown is marked clean. */
  [Symbol.asyncDispose](): Promise<void> {
    this.#isStopping = true
    // Whoever asks again has to wait for all of it, too.
    this.#stopped ??= this.#stop()
    return this.#stopped
  }

  async #stop(): Promise<void> {
    await this.#brokerRole?.leave()
    await this.#cleanup.disposeAsync()
  }
}
