import type { Endpoint } from './config/endpoint.ts'
import { setText } from './config/layers.ts'
import { type ServerConfig, hostKey } from './config/server-config.ts'
import type { Env } from './env/env.ts'
import type { Handler } from './handlers/handler.ts'
import type { AnswerBudget } from './lib/answer-budget.ts'
import type { ListenerCertificates } from './listener-certificates.ts'
import { shareDescriptors } from './lib/descriptors.ts'
import type { ApiKey } from './protocol/api-key.ts'
import type { ListenerKind } from './protocol/api.ts'
import { ALWAYS_READY, type Readiness, servedApis } from './served-apis.ts'
import { ApiDispatcher } from './server/dispatch.ts'
import { type ConnectionLimits, SocketServer } from './server/server.ts'
import type { ConnectionSample } from './telemetry/kafka-gauges.ts'
import type { Logger } from './telemetry/logger.ts'
import type { Metrics } from './telemetry/metrics.ts'

export interface ListenersDeps {
  readonly env: Env
  readonly logger: Logger
  readonly metrics: Metrics
  readonly certificates: ListenerCertificates
  readonly answers: AnswerBudget
  /** The settings of the moment. */
  readonly server: () => ServerConfig
}

/** The limits of the moment; the process may not have more open than `openFilesMax` leaves room for. */
export function connectionLimits(server: () => ServerConfig, openFilesMax: number): ConnectionLimits {
  const possible = shareDescriptors(openFilesMax).connections
  return {
    total: () => Math.min(server().maxConnections, possible),
    ofProcess: () => possible,
    ofAddress: (address) => {
      const { maxConnectionsPerIp, maxConnectionsPerIpOverrides: overrides } = server()
      return (overrides.size === 0 ? undefined : overrides.get(hostKey(address))) ?? maxConnectionsPerIp
    },
    ofListener: (listener) => {
      const limit = setText(server().layers, `listener.name.${listener.toLowerCase()}.max.connections`)
      return limit === undefined ? Infinity : Number(limit)
    },
  }
}

/** The listeners of a node, each role's opened when it is time for them. */
export class Listeners implements AsyncDisposable {
  readonly #config: ServerConfig
  readonly #deps: ListenersDeps
  readonly #ports: Map<string, number>
  readonly #server: SocketServer

  /** Notes in `ports` which port each listener has. */
  constructor(options: { readonly config: ServerConfig; readonly ports: Map<string, number> }, deps: ListenersDeps) {
    const { config, ports } = options
    const { env, logger, server, answers } = deps
    this.#config = config
    this.#deps = deps
    this.#ports = ports
    this.#server = new SocketServer(
      {
        maxFrameBytes: config.socketRequestMaxBytes,
        maxIdleMs: config.connectionsMaxIdleMs,
        limits: connectionLimits(server, env.disk.openFilesMax),
        isRoomWanted: () => answers.isWanted,
        isProtected: (name) => config.controllerListenerNames.includes(name) || name === config.interBrokerListenerName,
      },
      { network: env.network, clock: env.clock, logger },
    )
  }

  /** Opens the listeners of one kind. Requests that come before it is ready wait. Rejects with the system's error. */
  async open(
    kind: ListenerKind,
    handlers: readonly Handler<ApiKey>[],
    readiness: Readiness = ALWAYS_READY,
  ): Promise<void> {
    const { env, metrics, logger, certificates, answers } = this.#deps
    const apis = servedApis(handlers, readiness)
    const dispatcher = new ApiDispatcher(apis, kind, { clock: env.clock, metrics, logger, answers })
    for (const endpoint of this.#endpoints(kind)) {
      const tls = certificates.contextOf(endpoint.name)
      const { name, host, port } = endpoint
      this.#ports.set(name, await this.#server.listen({ name, host, port, ...this.#backlog() }, dispatcher, tls))
    }
  }

  /** Kafka's default is for a thread that does nothing but accept: without a word of the user the host's own, larger one holds. */
  #backlog(): { backlog?: number } {
    const { layers, socketListenBacklogSize } = this.#config
    return setText(layers, 'socket.listen.backlog.size') === undefined ? {} : { backlog: socketListenBacklogSize }
  }

  #endpoints(kind: ListenerKind): Endpoint[] {
    const { controllerListenerNames, listeners } = this.#config
    return listeners.filter(({ name }) => controllerListenerNames.includes(name) === (kind === 'controller'))
  }

  *connections(): Generator<ConnectionSample> {
    for (const { name } of this.#config.listeners) {
      yield { listener: name, open: this.#server.connectionCount(name), created: this.#server.createdCount(name) }
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#server[Symbol.asyncDispose]()
  }
}
