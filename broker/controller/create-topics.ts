import type { Random } from '../env/random.ts'
import { randomUuid } from '../lib/uuid.ts'
import { type MetadataImage, ResourceType } from '../metadata/image.ts'
import type { ApiKey } from '../protocol/api-key.ts'
import type { RequestOf, ResponseInputOf } from '../protocol/apis.ts'
import { ErrorCode } from '../protocol/errors.ts'
import { sizeProblem } from './config-change.ts'
import type { ConfigRules } from './config-rules.ts'
import { newPartition } from './new-partition.ts'
import { checkManualAssignment, placeReplicas } from './placement.ts'
import { ApiError, attempt, duplicates, type ElementOf, type NewMetadataRecord, type Outcome } from './result.ts'
import { checkTopicName, collisionKey } from './topic-name.ts'

type Request = RequestOf<typeof ApiKey.CreateTopics>
type Response = ResponseInputOf<typeof ApiKey.CreateTopics>
type NewTopic = Request['topics'][number]
type TopicResult = ElementOf<Response['topics']>

/** Of one request, as in Kafka. */
const PARTITIONS_MAX = 10_000
const METADATA_TOPIC = '__cluster_metadata'
const USE_DEFAULT = -1

export interface TopicDefaults {
  /** num.partitions. */
  readonly numPartitions: number
  /** default.replication.factor. */
  readonly replicationFactor: number
}

export interface TopicRules {
  readonly defaults: TopicDefaults
  readonly configs: ConfigRules
  readonly random: Random
}

/** Creates topics; each is refused on its own. With `validateOnly` there are no records, and the answers are the same. */
export function createTopics(image: MetadataImage, request: Request, rules: TopicRules): Outcome<Response> {
  const twice = duplicates(request.topics.map(({ name }) => name))
  const tooMany = partitionsOf(request, rules.defaults) > PARTITIONS_MAX
  const names = new TakenNames(image)
  const effective = new EffectiveConfigs(rules.configs)
  const records: NewMetadataRecord[] = []
  const topics: TopicResult[] = []
  for (const topic of request.topics) {
    if (twice.has(topic.name)) continue
    const outcome = attempt(() => {
      if (tooMany) throw new ApiError(ErrorCode.POLICY_VIOLATION, 'Excessively large number of partitions per request.')
      names.check(topic.name)
      return createTopic(image, topic, rules, effective)
    })
    if (outcome instanceof ApiError) topics.push(refusal(topic.name, outcome))
    else {
      topics.push(outcome.response)
      for (const record of outcome.records) records.push(record)
    }
  }
  const duplicate = new ApiError(ErrorCode.INVALID_REQUEST, 'Duplicate topic name.')
  for (const name of twice) topics.push(refusal(name, duplicate))
  return { records: request.validateOnly ? [] : records, response: { throttleTimeMs: 0, topics } }
}

function refusal(name: string, error: ApiError): TopicResult {
  return {
    name,
    errorCode: error.code,
    errorMessage: error.text,
    numPartitions: -1,
    replicationFactor: -1,
    configs: [],
  }
}

function partitionsOf(request: Request, defaults: TopicDefaults): number {
  let total = 0
  for (const { assignments, numPartitions } of request.topics) {
    if (assignments.length > 0) total += assignments.length
    else total += numPartitions === USE_DEFAULT ? defaults.numPartitions : Math.max(0, numPartitions)
  }
  return total
}

/** Which names a new topic cannot have. The index of those that collide is made once a name needs it. */
class TakenNames {
  readonly #image: MetadataImage
  #collisions: Map<string, string> | undefined

  constructor(image: MetadataImage) {
    this.#image = image
  }

  /** Throws ApiError. Two new topics of one request may collide, as in Kafka. */
  check(name: string): void {
    if (name === METADATA_TOPIC) {
      throw new ApiError(ErrorCode.INVALID_REQUEST, `Creation of internal topic ${METADATA_TOPIC} is prohibited.`)
    }
    checkTopicName(name)
    if (this.#image.topic(name) !== undefined) {
      throw new ApiError(ErrorCode.TOPIC_ALREADY_EXISTS, `Topic '${name}' already exists.`)
    }
    const key = collisionKey(name)
    const other = key === null ? undefined : this.#index().get(key)
    if (other === undefined) return
    throw new ApiError(ErrorCode.INVALID_TOPIC_EXCEPTION, `Topic '${name}' collides with existing topic: ${other}`)
  }

  #index(): Map<string, string> {
    if (this.#collisions !== undefined) return this.#collisions
    this.#collisions = new Map()
    for (const name of this.#image.topics.byName.keys()) {
      const key = collisionKey(name)
      if (key !== null) this.#collisions.set(key, name)
    }
    return this.#collisions
  }
}

/** What topics run with. The topics of one request mostly have the same configs: each set of them is looked at once. */
class EffectiveConfigs {
  readonly #rules: ConfigRules
  readonly #known = new Map<string, NonNullable<TopicResult['configs']>>()

  constructor(rules: ConfigRules) {
    this.#rules = rules
  }

  of(configs: ReadonlyMap<string, string>): NonNullable<TopicResult['configs']> {
    const key = JSON.stringify([...configs])
    const known = this.#known.get(key) ?? this.#rules.effectiveTopicConfigs(configs).map((config) => ({ ...config }))
    this.#known.set(key, known)
    return known
  }
}

function createTopic(
  image: MetadataImage,
  topic: NewTopic,
  rules: TopicRules,
  effective: EffectiveConfigs,
): Outcome<TopicResult> {
  const { name } = topic
  const configs = checkConfigs(topic, rules.configs)
  const topicId = randomUuid(rules.random)
  const replicas = topic.assignments.length > 0 ? manualReplicas(image, topic) : placedReplicas(image, topic, rules)
  const records: NewMetadataRecord[] = [{ type: 'TopicRecord', version: 0, value: { name, topicId } }]
  for (const [key, value] of configs) {
    const config = { resourceType: ResourceType.TOPIC, resourceName: name, name: key, value }
    records.push({ type: 'ConfigRecord', version: 0, value: config })
  }
  for (const [index, of] of replicas.entries()) records.push(newPartition(image, topicId, index, of))
  const response: TopicResult = {
    name,
    topicId,
    errorCode: ErrorCode.NONE,
    errorMessage: null,
    numPartitions: replicas.length,
    replicationFactor: replicas[0]?.length ?? -1,
    configs: effective.of(configs),
  }
  return { records, response }
}

function checkConfigs(topic: NewTopic, rules: ConfigRules): Map<string, string> {
  const configs = new Map<string, string>()
  const withoutValue = topic.configs.filter(({ value }) => value === null).map(({ name }) => name)
  if (withoutValue.length > 0) {
    const which = withoutValue.join(',')
    throw new ApiError(ErrorCode.INVALID_CONFIG, `Null value not supported for topic configs: ${which}`)
  }
  for (const { name, value } of topic.configs) configs.set(name, value ?? '')
  const problem =
    sizeProblem(configs.values()) ??
    rules.validate(ResourceType.TOPIC, topic.name, configs, configs.keys())?.message ??
    null
  if (problem !== null) throw new ApiError(ErrorCode.INVALID_CONFIG, problem)
  return configs
}

function unwanted(what: string): ApiError {
  return new ApiError(
    ErrorCode.INVALID_REQUEST,
    `A manual partition assignment was specified, but ${what} was not set to -1.`,
  )
}

function manualReplicas(image: MetadataImage, topic: NewTopic): number[][] {
  if (topic.replicationFactor !== USE_DEFAULT) throw unwanted('replication factor')
  if (topic.numPartitions !== USE_DEFAULT) throw unwanted('numPartitions')
  const byIndex = new Map<number, number[]>()
  let replicationFactor: number | undefined
  for (const { partitionIndex, brokerIds } of topic.assignments) {
    if (byIndex.has(partitionIndex)) {
      const which = `Found multiple manual partition assignments for partition ${partitionIndex}`
      throw new ApiError(ErrorCode.INVALID_REPLICA_ASSIGNMENT, which)
    }
    checkManualAssignment(image, brokerIds, replicationFactor)
    replicationFactor = brokerIds.length
    byIndex.set(partitionIndex, brokerIds)
  }
  return Array.from({ length: byIndex.size }, (_, index) => {
    const replicas = byIndex.get(index)
    if (replicas !== undefined) return replicas
    throw new ApiError(
      ErrorCode.INVALID_REPLICA_ASSIGNMENT,
      'partitions should be a consecutive 0-based integer sequence',
    )
  })
}

function placedReplicas(image: MetadataImage, topic: NewTopic, rules: TopicRules): number[][] {
  if (topic.replicationFactor < USE_DEFAULT || topic.replicationFactor === 0) {
    throw new ApiError(
      ErrorCode.INVALID_REPLICATION_FACTOR,
      'Replication factor must be larger than 0, or -1 to use the default value.',
    )
  }
  if (topic.numPartitions < USE_DEFAULT || topic.numPartitions === 0) {
    throw new ApiError(ErrorCode.INVALID_PARTITIONS, 'Number of partitions was set to an invalid non-positive value.')
  }
  const { defaults } = rules
  const count = topic.numPartitions === USE_DEFAULT ? defaults.numPartitions : topic.numPartitions
  const replicationFactor =
    topic.replicationFactor === USE_DEFAULT ? defaults.replicationFactor : topic.replicationFactor
  return placeReplicas(image, { count, replicationFactor }, rules.random)
}
