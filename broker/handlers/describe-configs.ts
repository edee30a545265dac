import {
  describeBroker,
  describeClientMetrics,
  describeClusterDefault,
  type ConfigSynonym,
  type DescribedConfig,
  describeGroup,
  describeTopic,
} from '../config/describe.ts'
import { brokerDocumentation, otherDocumentation, topicDocumentation } from '../config/documentation.ts'
import type { ServerConfig } from '../config/server-config.ts'
import type { Clock } from '../env/clock.ts'
import { Turns } from '../lib/turns.ts'
import { describeLoggers } from './broker-loggers.ts'
import type { LogThreshold } from '../telemetry/log-threshold.ts'
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
type Resource = Pick<Asked, 'resourceType' | 'resourceName'>
type Result = NonNullable<ResponseInputOf<typeof ApiKey.DescribeConfigs>['results']>[number]

/** What clients take: librdkafka's receive.message.max.bytes. */
const ANSWER_BYTES_MAX = 100_000_000
const TOO_MUCH = 'The answer is too large: ask for fewer resources at a time'
/** Lengths, flags and numbers of a result, of a config and of a synonym, at most. */
const RESULT_BYTES = 16
const CONFIG_BYTES = 20
const SYNONYM_BYTES = 8

export interface DescribeConfigsDeps {
  readonly clock: Pick<Clock, 'monotonicMs' | 'defer'>
  readonly nodeId: number
  readonly server: () => ServerConfig
  readonly logThreshold: LogThreshold
  readonly topicExists: (topic: string) => boolean
  /** What is set for a resource in the metadata log. */
  readonly overrides: (resourceType: number, name: string) => Overrides
}

/** One entry of an answer. */
interface Told {
  readonly name: string
  readonly value: string | null
  readonly readOnly: boolean
  readonly configSource: number
  readonly isSensitive: boolean
  readonly synonyms: readonly ConfigSynonym[]
  readonly configType: number
  readonly documentation: string | null
}

interface Found {
  /** Resources with the same one have the same settings. */
  readonly settings: string
  readonly configs: () => readonly DescribedConfig[]
}

interface Refused {
  readonly errorCode: ErrorCode
  readonly errorMessage: string
  readonly configs: readonly []
}

/**
 * DescribeConfigs (32), v1 to v4: topics, brokers, groups and client metrics, with sources and synonyms (KIP-226). An answer grows to what
 * clients take, and the rest is INVALID_REQUEST; Apache Kafka answers as long as its memory lasts.
 */
export function describeConfigsHandler(deps: DescribeConfigsDeps): Handler<typeof ApiKey.DescribeConfigs> {
  return {
    key: ApiKey.DescribeConfigs,
    handle: async (request) => ({ throttleTimeMs: 0, results: await new Describer(request, deps).results() }),
  }
}

/** Answers one request, and lets others have their turns where it asks for much. */
class Describer {
  readonly #request: DescribeConfigsRequest
  readonly #deps: DescribeConfigsDeps
  /** By `settings`: most topics have none of their own, and are told the same. */
  readonly #told = new Map<string, readonly Told[]>()
  #bytesLeft = ANSWER_BYTES_MAX

  constructor(request: DescribeConfigsRequest, deps: DescribeConfigsDeps) {
    this.#request = request
    this.#deps = deps
  }

  async results(): Promise<Result[]> {
    const turns = new Turns(this.#deps)
    const results: Result[] = []
    for (const asked of this.#request.resources) {
      if (turns.isOver) await turns.next()
      results.push(this.#resultOf(asked))
    }
    return results
  }

  #resultOf({ resourceType, resourceName, configurationKeys }: Asked): Result {
    const resource = { resourceType, resourceName }
    if (this.#bytesLeft <= 0) return { ...resource, ...refused(ErrorCode.INVALID_REQUEST, TOO_MUCH) }
    const described = describe(this.#deps, resource)
    if ('errorCode' in described) return { ...resource, ...described }
    const all = this.#tell(resource, described)
    const wanted = configurationKeys === null || configurationKeys.length === 0 ? undefined : new Set(configurationKeys)
    const configs = wanted === undefined ? all : all.filter(({ name }) => wanted.has(name))
    this.#bytesLeft -= bytesOf(resource, configs)
    return { ...resource, errorCode: ErrorCode.NONE, errorMessage: '', configs }
  }

  #tell({ resourceType }: Resource, { settings, configs }: Found): readonly Told[] {
    const known = this.#told.get(settings)
    if (known !== undefined) return known
    const { includeSynonyms, includeDocumentation } = this.#request
    // Loggers have none, and tell so whether or not it is asked for, as in Apache Kafka.
    const isDocumented = includeDocumentation || resourceType === ResourceType.BROKER_LOGGER
    const told = configs().map(({ name, value, readOnly, source, isSensitive, synonyms, type }) => ({
      name,
      value,
      readOnly,
      configSource: source,
      isSensitive,
      synonyms: includeSynonyms ? synonyms : [],
      configType: type,
      documentation: isDocumented ? documentationOf(resourceType, name) : null,
    }))
    this.#told.set(settings, told)
    return told
  }
}

function refused(errorCode: ErrorCode, errorMessage: string): Refused {
  return { errorCode, errorMessage, configs: [] }
}

function describe(deps: DescribeConfigsDeps, { resourceType, resourceName }: Resource): Found | Refused {
  const found = (configs: (overrides: Overrides) => readonly DescribedConfig[]): Found => {
    const overrides = deps.overrides(resourceType, resourceName)
    const isPlain = resourceType !== ResourceType.BROKER && Object.keys(overrides).length === 0
    const settings = isPlain ? String(resourceType) : `${resourceType} ${resourceName}`
    return { settings, configs: () => configs(overrides) }
  }
  switch (resourceType) {
    case ResourceType.TOPIC:
      if (!isTopicName(resourceName))
        return refused(ErrorCode.INVALID_TOPIC_EXCEPTION, `Topic name ${JSON.stringify(resourceName)} is illegal.`)
      if (!deps.topicExists(resourceName))
        return refused(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, `Topic ${resourceName} does not exist.`)
      return found((overrides) => describeTopic(overrides, deps.server()))
    case ResourceType.BROKER:
      if (resourceName === '') return found(() => describeClusterDefault(deps.server()))
      if (resourceName === String(deps.nodeId)) return found(() => describeBroker(deps.server()))
      return refused(
        ErrorCode.INVALID_REQUEST,
        `Unexpected broker id, expected ${deps.nodeId} or empty string, but received ${resourceName}`,
      )
    case ResourceType.GROUP:
      if (resourceName === '') return refused(ErrorCode.INVALID_REQUEST, 'Group name must not be empty')
      return found((overrides) => describeGroup(overrides, deps.server()))
    case ResourceType.CLIENT_METRICS:
      if (resourceName === '')
        return refused(ErrorCode.INVALID_REQUEST, 'Client metrics subscription name must not be empty')
      return found(describeClientMetrics)
    case ResourceType.BROKER_LOGGER: {
      const problem = nodeProblem(resourceName, deps.nodeId)
      return problem === null
        ? found(() => describeLoggers(deps.logThreshold))
        : refused(ErrorCode.INVALID_REQUEST, problem)
    }
    default:
      return refused(ErrorCode.INVALID_REQUEST, `Unsupported resource type: ${resourceType}`)
  }
}

/** Why loggers of another node are not told of here, in Kafka's words; null for those of this one. */
function nodeProblem(name: string, nodeId: number): string | null {
  if (name === String(nodeId)) return null
  if (name === '') return 'Broker id must not be empty'
  if (!/^-?\d+$/.test(name)) return `Broker id must be an integer, but it is: ${name}`
  return `Unexpected broker id, expected ${nodeId} but received ${name}`
}

/** What a result takes on the wire, about. */
function bytesOf({ resourceName }: Resource, configs: readonly Told[]): number {
  let bytes = RESULT_BYTES + resourceName.length
  for (const { name, value, documentation, synonyms } of configs) {
    bytes += CONFIG_BYTES + name.length + (value?.length ?? 0) + (documentation?.length ?? 0)
    for (const synonym of synonyms) bytes += SYNONYM_BYTES + synonym.name.length + (synonym.value?.length ?? 0)
  }
  return bytes
}

function documentationOf(resourceType: number, name: string): string | null {
  if (resourceType === ResourceType.BROKER_LOGGER) return ''
  if (resourceType === ResourceType.TOPIC) return topicDocumentation(name)
  return resourceType === ResourceType.BROKER ? brokerDocumentation(name) : otherDocumentation(name)
}
