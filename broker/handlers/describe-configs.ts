import {
  describeBroker,
  describeClientMetrics,
  describeClusterDefault,
  type DescribedConfig,
  describeGroup,
  describeTopic,
} from '../config/describe.ts'
import { brokerDocumentation, otherDocumentation, topicDocumentation } from '../config/documentation.ts'
import type { ServerConfig } from '../config/server-config.ts'
import { ApiKey } from '../protocol/api-key.ts'
import type { ResponseInputOf } from '../protocol/apis.ts'
import { ErrorCode } from '../protocol/errors.ts'
import type { DescribeConfigsRequest } from '../protocol/messages/describe-configs.ts'
import type { Handler } from './handler.ts'
import { isTopicName } from '../controller/topic-name.ts'

/** The resource types of the config APIs. */
export const ResourceType = { TOPIC: 2, BROKER: 4, BROKER_LOGGER: 8, CLIENT_METRICS: 16, GROUP: 32 } as const

type Overrides = Readonly<Record<string, string>>
type Asked = DescribeConfigsRequest['resources'][number]
type Result = NonNullable<ResponseInputOf<typeof ApiKey.DescribeConfigs>['results']>[number]

export interface DescribeConfigsDeps {
  readonly nodeId: number
  readonly server: () => ServerConfig
  readonly topicExists: (topic: string) => boolean
  /** What is set for a resource in the metadata log. */
  readonly overrides: (resourceType: number, name: string) => Overrides
}

interface Described {
  readonly errorCode: ErrorCode
  readonly errorMessage: string | null
  readonly configs: readonly DescribedConfig[]
}

/** DescribeConfigs (32), v1 to v4: topics, brokers, groups and client metrics, with sources and synonyms (KIP-226). */
export function describeConfigsHandler(deps: DescribeConfigsDeps): Handler<typeof ApiKey.DescribeConfigs> {
  return {
    key: ApiKey.DescribeConfigs,
    handle: (request) => ({
      throttleTimeMs: 0,
      results: request.resources.map((asked) => resultOf(asked, describe(deps, asked), request)),
    }),
  }
}

function found(configs: readonly DescribedConfig[]): Described {
  return { errorCode: ErrorCode.NONE, errorMessage: '', configs }
}

function refused(errorCode: ErrorCode, errorMessage: string): Described {
  return { errorCode, errorMessage, configs: [] }
}

function describe(deps: DescribeConfigsDeps, { resourceType, resourceName }: Asked): Described {
  const overrides = (): Overrides => deps.overrides(resourceType, resourceName)
  switch (resourceType) {
    case ResourceType.TOPIC:
      if (!isTopicName(resourceName))
        return refused(ErrorCode.INVALID_TOPIC_EXCEPTION, `Topic name ${JSON.stringify(resourceName)} is illegal.`)
      if (!deps.topicExists(resourceName))
        return refused(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, `Topic ${resourceName} does not exist.`)
      return found(describeTopic(overrides(), deps.server()))
    case ResourceType.BROKER:
      return describeOneBroker(deps, resourceName)
    case ResourceType.GROUP:
      if (resourceName === '') return refused(ErrorCode.INVALID_REQUEST, 'Group name must not be empty')
      return found(describeGroup(overrides(), deps.server()))
    case ResourceType.CLIENT_METRICS:
      if (resourceName === '')
        return refused(ErrorCode.INVALID_REQUEST, 'Client metrics subscription name must not be empty')
      return found(describeClientMetrics(overrides()))
    case ResourceType.BROKER_LOGGER:
      return refused(ErrorCode.INVALID_REQUEST, 'Broker loggers cannot be configured at run time here')
    default:
      return refused(ErrorCode.INVALID_REQUEST, `Unsupported resource type: ${resourceType}`)
  }
}

function describeOneBroker(deps: DescribeConfigsDeps, name: string): Described {
  if (name === '') return found(describeClusterDefault(deps.server()))
  if (name === String(deps.nodeId)) return found(describeBroker(deps.server()))
  return refused(
    ErrorCode.INVALID_REQUEST,
    `Unexpected broker id, expected ${deps.nodeId} or empty string, but received ${name}`,
  )
}

function resultOf(
  asked: Asked,
  described: Described,
  { includeSynonyms, includeDocumentation }: DescribeConfigsRequest,
): Result {
  const { resourceType, resourceName, configurationKeys } = asked
  const wanted = configurationKeys === null || configurationKeys.length === 0 ? undefined : new Set(configurationKeys)
  const configs = wanted === undefined ? described.configs : described.configs.filter(({ name }) => wanted.has(name))
  return {
    errorCode: described.errorCode,
    errorMessage: described.errorMessage,
    resourceType,
    resourceName,
    configs: configs.map(({ name, value, readOnly, source, isSensitive, synonyms, type }) => ({
      name,
      value,
      readOnly,
      configSource: source,
      isSensitive,
      synonyms: includeSynonyms ? synonyms.map((synonym) => ({ ...synonym })) : [],
      configType: type,
      documentation: includeDocumentation ? documentationOf(resourceType, name) : null,
    })),
  }
}

function documentationOf(resourceType: number, name: string): string | null {
  if (resourceType === ResourceType.TOPIC) return topicDocumentation(name)
  return resourceType === ResourceType.BROKER ? brokerDocumentation(name) : otherDocumentation(name)
}
