import { listItems } from '../config/value.ts'
import { isElrEnabled } from '../metadata/features.ts'
import { type MetadataImage, ResourceType } from '../metadata/image.ts'
import { ErrorCode } from '../protocol/errors.ts'
import { MIN_ISR } from './cluster.ts'
import type { ConfigRules } from './config-rules.ts'
import { supportsCordonedLogDirs } from '../metadata/record-versions.ts'
import { ApiError, type NewMetadataRecord } from './result.ts'
import { checkTopicName } from './topic-name.ts'

export interface ConfigResource {
  readonly type: number
  readonly name: string
}

/** New values by key; null takes the key back to its default. */
export type ConfigChanges = ReadonlyMap<string, string | null>

const VALUE_BYTES_MAX = 32_767
const CORDONED_LOG_DIRS = 'cordoned.log.dirs'
const RESOURCE_TYPES: ReadonlySet<number> = new Set([
  ResourceType.TOPIC,
  ResourceType.BROKER,
  ResourceType.CLIENT_METRICS,
  ResourceType.GROUP,
])

/** Why one of `values` cannot be stored; null where all can. A record takes no more, and bytes that were no UTF-8 have grown since. */
export function sizeProblem(values: Iterable<string | null>): string | null {
  for (const value of values) {
    if (Buffer.byteLength(value ?? '') > VALUE_BYTES_MAX) {
      const limit = `it exceeds the maximum value size of ${VALUE_BYTES_MAX} bytes.`
      return `The configuration value cannot be added because ${limit}`
    }
  }
  return null
}

/** Who asks: a broker, for its client, or a client of the controller's own listener. */
export type ConfigOrigin = 'broker' | 'client'

/** The records of a change; throws ApiError where the resource would not be right afterwards. */
export function changeConfigs(
  image: MetadataImage,
  resource: ConfigResource,
  changes: ConfigChanges,
  rules: ConfigRules,
  origin: ConfigOrigin,
): NewMetadataRecord[] {
  const { type, name } = resource
  const problem = elrProblem(image, resource, changes) ?? cordonProblem(image, resource, changes, origin)
  const after = withChanges(image.configsOf(type, name), changes)
  checkResource(image, resource)
  // As in Apache Kafka, what is wrong with the values is told before that there is no such topic.
  if (type === ResourceType.TOPIC && image.topic(name) === undefined) {
    checkValues(rules, resource, after, changes)
    throw new ApiError(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, `The topic '${name}' does not exist.`)
  }
  const why = problem ?? sizeProblem(changes.values())
  if (why !== null) throw new ApiError(ErrorCode.INVALID_CONFIG, why)
  checkValues(rules, resource, after, changes)
  const records: NewMetadataRecord[] = [...changes].map(([key, value]) => ({
    type: 'ConfigRecord',
    version: 0,
    value: { resourceType: type, resourceName: name, name: key, value },
  }))
  // Another minimum of in-sync replicas makes other replicas eligible (KIP-966).
  if (isElrEnabled(image) && changes.has(MIN_ISR)) {
    const topicName = type === ResourceType.TOPIC ? name : ''
    records.push({ type: 'ClearElrRecord', version: 0, value: { topicName } })
  }
  return records
}

/** All that a resource has set when `changes` are made. */
export function withChanges(before: ReadonlyMap<string, string>, changes: ConfigChanges): ReadonlyMap<string, string> {
  const after = new Map(before)
  for (const [key, value] of changes) {
    if (value === null) after.delete(key)
    else after.set(key, value)
  }
  return after
}

/** Throws ApiError where `values`, all that the resource would then have set, cannot be. */
export function checkValues(
  rules: ConfigRules,
  { type, name }: ConfigResource,
  values: ReadonlyMap<string, string>,
  changes: ConfigChanges,
): void {
  const set = [...changes.keys()].filter((key) => values.has(key))
  const refusal = rules.validate(type, name, values, set)
  if (refusal !== null) throw new ApiError(ErrorCode[refusal.error], refusal.message)
}

function elrProblem(image: MetadataImage, { type, name }: ConfigResource, changes: ConfigChanges): string | null {
  if (type !== ResourceType.BROKER || !isElrEnabled(image) || !changes.has(MIN_ISR)) return null
  if (name !== '') return `Broker-level ${MIN_ISR} cannot be altered while ELR is enabled.`
  return changes.get(MIN_ISR) === null ? `Cluster-level ${MIN_ISR} cannot be removed while ELR is enabled.` : null
}

/** Only a broker knows its log dirs: who asks the controller itself can take some off the list, and add none. */
function cordonProblem(
  image: MetadataImage,
  { type, name }: ConfigResource,
  changes: ConfigChanges,
  origin: ConfigOrigin,
): string | null {
  if (type !== ResourceType.BROKER || !changes.has(CORDONED_LOG_DIRS)) return null
  if (!supportsCordonedLogDirs(image.metadataVersion)) {
    const needed = 'it requires metadata.version >= 4.3-IV0'
    return `The ${CORDONED_LOG_DIRS} configuration value cannot be set because ${needed}`
  }
  const before = listItems(image.configsOf(type, name).get(CORDONED_LOG_DIRS) ?? '')
  const after = listItems(changes.get(CORDONED_LOG_DIRS) ?? '')
  if (origin === 'broker' || after.every((path) => before.includes(path))) return null
  return `When updating ${CORDONED_LOG_DIRS} via controllers,  the new value must be a subset of the current configuration value.`
}

function invalid(message: string): ApiError {
  return new ApiError(ErrorCode.INVALID_REQUEST, message)
}

/** Throws ApiError INVALID_REQUEST for what has no configuration. */
export function checkResourceType(type: number): void {
  if (!RESOURCE_TYPES.has(type)) throw invalid(`Unknown resource type ${type}`)
}

function checkResource(image: MetadataImage, { type, name }: ConfigResource): void {
  checkResourceType(type)
  if (type === ResourceType.BROKER) checkBroker(image, name)
  else if (type === ResourceType.TOPIC) {
    if (name === '') throw invalid('Default topic resources are not allowed.')
    checkTopicName(name)
  } else if (name === '') {
    throw invalid(
      type === ResourceType.GROUP ? 'Default group resources are not allowed.' : "Subscription name can't be empty",
    )
  }
}

function checkBroker(image: MetadataImage, name: string): void {
  if (name === '') return
  if (!/^-?\d+$/.test(name)) {
    throw new ApiError(ErrorCode.INVALID_REQUEST, 'Unable to parse broker name as a base 10 number.')
  }
  const id = Number(name)
  if (id < 0) throw new ApiError(ErrorCode.INVALID_REQUEST, 'Invalid negative broker ID.')
  if (!image.brokers.has(id) && !image.controllers.has(id)) {
    throw new ApiError(ErrorCode.BROKER_ID_NOT_REGISTERED, `No node with id ${id} found.`)
  }
}
