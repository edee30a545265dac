import { withApplicableConfigs } from './config/applicable-configs.ts'
import type { ServerConfig } from './config/server-config.ts'
import type { MetadataDelta } from './metadata/delta.ts'
import { type MetadataImage, ResourceType } from './metadata/image.ts'
import type { Logger } from './telemetry/logger.ts'

/** The settings that this broker runs with: server.properties below what the metadata log sets while it runs (KIP-226). */
export class CurrentConfig {
  readonly #static: ServerConfig
  readonly #logger: Logger
  #current: ServerConfig

  constructor(options: { readonly config: ServerConfig }, deps: { readonly logger: Logger }) {
    this.#static = options.config
    this.#current = options.config
    this.#logger = deps.logger
  }

  get value(): ServerConfig {
    return this.#current
  }

  /** True where the settings may have changed. What does not go with server.properties or with the others is left. */
  apply(delta: MetadataDelta, image: MetadataImage): boolean {
    const own = String(this.#static.nodeId)
    const concerned = [...delta.configs.changed()].some(
      ({ type, name }) => type === ResourceType.BROKER && (name === '' || name === own),
    )
    if (!concerned) return false
    const perBroker = image.configsOf(ResourceType.BROKER, own)
    const clusterWide = image.configsOf(ResourceType.BROKER, '')
    const { config, left } = withApplicableConfigs(this.#static, { perBroker, clusterWide })
    this.#current = config
    if (left.length > 0)
      this.#logger.error({ left }, 'this node cannot run with some of its dynamic configs; it runs without them')
    return true
  }
}
