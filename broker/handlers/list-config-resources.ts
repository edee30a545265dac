import { type MetadataImage, ResourceType } from '../metadata/image.ts'
import { ApiKey } from '../protocol/api-key.ts'
import { ErrorCode } from '../protocol/errors.ts'
import type { ClusterView } from './cluster-view.ts'
import type { Handler } from './handler.ts'

export interface ListConfigResourcesDeps {
  readonly image: () => MetadataImage
  readonly cluster: () => ClusterView
}

const { GROUP, CLIENT_METRICS, BROKER_LOGGER, BROKER, TOPIC } = ResourceType

/** In the order in which they are told, as in Apache Kafka. */
const TYPES: readonly number[] = [GROUP, CLIENT_METRICS, BROKER_LOGGER, BROKER, TOPIC]
/** v0 was ListClientMetricsResources (KIP-714). */
const TYPES_OF_V0: readonly number[] = [CLIENT_METRICS]

/**
 * ListConfigResources (74), v0 and v1 (KIP-1142): the names of what may have settings. Brokers and topics are those that there are, groups and
 * client metrics those that have some. UNSUPPORTED_VERSION for a type that the version does not have.
 */
export function listConfigResourcesHandler(deps: ListConfigResourcesDeps): Handler<typeof ApiKey.ListConfigResources> {
  return {
    key: ApiKey.ListConfigResources,
    handle: ({ resourceTypes }, { apiVersion, listener }) => {
      const served = apiVersion === 0 ? TYPES_OF_V0 : TYPES
      if (resourceTypes.some((type) => !served.includes(type))) return { errorCode: ErrorCode.UNSUPPORTED_VERSION }
      const wanted = resourceTypes.length === 0 ? served : served.filter((type) => resourceTypes.includes(type))
      const configResources = wanted.flatMap((resourceType) =>
        namesOf(deps, resourceType, listener).map((resourceName) => ({ resourceName, resourceType })),
      )
      return { throttleTimeMs: 0, errorCode: ErrorCode.NONE, configResources }
    },
  }
}

function namesOf({ image, cluster }: ListConfigResourcesDeps, type: number, listener: string): string[] {
  if (type === TOPIC) return [...image().topics.byName.keys()]
  if (type === BROKER || type === BROKER_LOGGER)
    return cluster()
      .brokers(listener)
      .map(({ id }) => String(id))
  return [...image().configs.values()].flatMap((config) => (config.type === type ? [config.name] : []))
}
