import { type ServerConfig, withDynamicConfigs } from './config/server-config.ts'
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

  /** True where the settings have changed. Values that do not go together are refused as a whole: the broker keeps what it had. */
  apply(delta: MetadataDelta, image: MetadataImage): boolean {
    const own = String(this.#static.nodeId)
    const concerned = [...delta.configs.changed()].some(
      ({ type, name }) => type === ResourceType.BROKER && (name === '' || name === own),
    )
    if (!concerned) return false
    const perBroker = image.configsOf(ResourceType.BROKER, own)
    const clusterWide = image.configsOf(ResourceType.BROKER, '')
    try {
      this.#current = withDynamicConfigs(this.#static, { perBroker, clusterWide })
      return true
    } catch (error) {
      this.#logger.error({ err: error }, 'the dynamic configs of this broker do not go together; it keeps what it had')
      return false
    }
  }
}
