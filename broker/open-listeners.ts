import type { ServerConfig } from './config/server-config.ts'
import type { Env } from './env/env.ts'
import type { Handler } from './handlers/handler.ts'
import type { ApiKey } from './protocol/api-key.ts'
import type { ListenerKind } from './protocol/api.ts'
import { type Readiness, servedApis } from './served-apis.ts'
import { ApiDispatcher } from './server/dispatch.ts'
import { SocketServer } from './server/server.ts'
import type { Logger } from './telemetry/logger.ts'
import type { Metrics } from './telemetry/metrics.ts'

export interface OpenListenersDeps {
  readonly env: Env
  readonly logger: Logger
  readonly metrics: Metrics
  readonly readiness: Readiness
  readonly handlers: (kind: ListenerKind) => Handler<ApiKey>[]
}

/** Opens every listener of server.properties, and notes in `ports` which port each has. Rejects with the system's error. */
export async function openListeners(
  config: ServerConfig,
  deps: OpenListenersDeps,
  ports: Map<string, number>,
): Promise<SocketServer> {
  const { env, logger, metrics, readiness, handlers } = deps
  const overrides = config.maxConnectionsPerIpOverrides
  const server = new SocketServer(
    {
      maxFrameBytes: config.socketRequestMaxBytes,
      maxIdleMs: config.connectionsMaxIdleMs,
      maxConnections: config.maxConnections,
      maxConnectionsOf: (address) => overrides.get(address) ?? config.maxConnectionsPerIp,
    },
    { network: env.network, clock: env.clock, logger },
  )
  const dispatcher = (kind: ListenerKind): ApiDispatcher =>
    new ApiDispatcher(servedApis(handlers(kind), readiness), kind, { clock: env.clock, metrics, logger })
  const dispatchers = { broker: dispatcher('broker'), controller: dispatcher('controller') }
  try {
    for (const endpoint of config.listeners) {
      const kind = config.controllerListenerNames.includes(endpoint.name) ? 'controller' : 'broker'
      ports.set(endpoint.name, await server.listen(endpoint, dispatchers[kind]))
    }
    return server
  } catch (error) {
    await server[Symbol.asyncDispose]()
    throw error
  }
}
