import { type MetadataImage, ResourceType } from '../metadata/image.ts'
import type { ApiKey } from '../protocol/api-key.ts'
import type { RequestOf, ResponseInputOf } from '../protocol/apis.ts'
import { ErrorCode } from '../protocol/errors.ts'
import {
  changeConfigs,
  checkResourceType,
  type ConfigChanges,
  type ConfigOrigin,
  type ConfigResource,
} from './config-change.ts'
import type { ConfigRules } from './config-rules.ts'
import { ApiError, attempt, duplicates, type NewMetadataRecord, type Outcome } from './result.ts'

type IncrementalRequest = RequestOf<typeof ApiKey.IncrementalAlterConfigs>
type IncrementalResource = IncrementalRequest['resources'][number]
type LegacyRequest = RequestOf<typeof ApiKey.AlterConfigs>
type LegacyResource = LegacyRequest['resources'][number]
/** The answers of both APIs have the same fields. */
type Response = ResponseInputOf<typeof ApiKey.IncrementalAlterConfigs>

type ListRules = Pick<ConfigRules, 'isList' | 'defaultValue'>

const OPERATIONS = ['SET', 'DELETE', 'APPEND', 'SUBTRACT'] as const
const DELETE = OPERATIONS.indexOf('DELETE')

/** KIP-339: sets, deletes, appends to and subtracts from single keys; each resource is refused on its own. */
export function incrementalAlterConfigs(
  image: MetadataImage,
  request: IncrementalRequest,
  rules: ConfigRules,
  origin: ConfigOrigin,
): Outcome<Response> {
  return alterEach(request, (resource) => {
    checkNulls(resource.configs.filter(({ configOperation }) => configOperation !== DELETE))
    checkResourceType(resource.resourceType)
    const changes = changesOf(image, resource, rules)
    return changeConfigs(image, { type: resource.resourceType, name: resource.resourceName }, changes, rules, origin)
  })
}

/** Replaces all that a resource has set by what the request lists. */
export function alterConfigs(
  image: MetadataImage,
  request: LegacyRequest,
  rules: ConfigRules,
  origin: ConfigOrigin,
): Outcome<Response> {
  return alterEach(request, (resource) => {
    checkNulls(resource.configs)
    const { resourceType: type, resourceName: name } = resource
    return changeConfigs(image, { type, name }, replacementOf(image, resource), rules, origin)
  })
}

/** What it comes to that a resource is to have just what is listed. */
export function replacementOf(image: MetadataImage, resource: LegacyResource): ConfigChanges {
  const { resourceType: type, resourceName: name, configs } = resource
  const before = image.configsOf(type, name)
  const changes = new Map<string, string | null>()
  for (const config of configs) {
    // What is set again as it is makes no record, but on brokers, which reload files then.
    if (before.get(config.name) !== config.value || type === ResourceType.BROKER) changes.set(config.name, config.value)
  }
  const listed = new Set(configs.map((config) => config.name))
  for (const key of before.keys()) if (!listed.has(key)) changes.set(key, null)
  return changes
}

function checkNulls(configs: readonly { readonly name: string; readonly value: string | null }[]): void {
  const withoutValue = configs.filter(({ value }) => value === null).map(({ name }) => name)
  if (withoutValue.length === 0) return
  throw new ApiError(ErrorCode.INVALID_REQUEST, `Null value not supported for : ${withoutValue.join(', ')}`)
}

interface AnyRequest<R> {
  readonly resources: readonly R[]
  readonly validateOnly: boolean
}
interface AnyResource {
  readonly resourceType: number
  readonly resourceName: string
  readonly configs: readonly { readonly name: string }[]
}

function alterEach<R extends AnyResource>(
  request: AnyRequest<R>,
  alter: (resource: R) => NewMetadataRecord[],
): Outcome<Response> {
  const key = (resource: R) => `${resource.resourceType}:${resource.resourceName}`
  const twice = duplicates(request.resources.map(key))
  const records: NewMetadataRecord[] = []
  const responses = request.resources.map((resource) => {
    const altered = attempt(() => {
      if (twice.has(key(resource))) {
        throw new ApiError(ErrorCode.INVALID_REQUEST, 'Each resource must appear at most once.')
      }
      if (duplicates(resource.configs.map(({ name }) => name)).size > 0) {
        throw new ApiError(ErrorCode.INVALID_REQUEST, 'Error due to duplicate config keys')
      }
      return alter(resource)
    })
    const { resourceType, resourceName } = resource
    if (altered instanceof ApiError) {
      return { errorCode: altered.code, errorMessage: altered.text, resourceType, resourceName }
    }
    for (const record of altered) records.push(record)
    return { errorCode: ErrorCode.NONE, errorMessage: null, resourceType, resourceName }
  })
  return { records: request.validateOnly ? [] : records, response: { throttleTimeMs: 0, responses } }
}

/** What the operations come to, without those that change nothing. Throws ApiError for one that there is not. */
export function changesOf(image: MetadataImage, resource: IncrementalResource, rules: ListRules): ConfigChanges {
  const { resourceType: type, resourceName: name } = resource
  const before = image.configsOf(type, name)
  const changes = new Map<string, string | null>()
  for (const { name: key, configOperation, value } of resource.configs) {
    const current = before.get(key) ?? null
    const next = applied({ type, name }, { key, operation: configOperation, value, current }, rules)
    if (next !== current || type === ResourceType.BROKER) changes.set(key, next)
  }
  return changes
}

interface Operation {
  readonly key: string
  readonly operation: number
  readonly value: string | null
  readonly current: string | null
}

function applied({ type }: ConfigResource, { key, operation, value, current }: Operation, rules: ListRules) {
  const name = OPERATIONS[operation]
  if (name === undefined) throw new ApiError(ErrorCode.INVALID_REQUEST, `Unknown operations type ${operation}`)
  if (name === 'DELETE') return null
  if (name === 'SET' || value === null) return value
  if (!rules.isList(type, key)) {
    throw new ApiError(ErrorCode.INVALID_CONFIG, `Can't ${name} to key ${key} because its type is not LIST.`)
  }
  const items = (current ?? rules.defaultValue(type, key) ?? '').split(',').filter(Boolean)
  const others = value.split(',')
  if (name === 'APPEND') return [...items, ...others.filter((item) => !items.includes(item))].join(',')
  return items.filter((item) => !others.includes(item)).join(',')
}
