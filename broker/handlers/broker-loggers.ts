import { ConfigSource, type DescribedConfig } from '../config/describe.ts'
import { ApiError, attempt, duplicates } from '../controller/result.ts'
import { ResourceType } from '../metadata/image.ts'
import { ErrorCode } from '../protocol/errors.ts'
import { LEVEL_NAMES, type LogThreshold } from '../telemetry/log-threshold.ts'

/** There is one logger: its level is that of everything that the node says. */
const ROOT = 'root'
/** Of IncrementalAlterConfigs. */
const OPERATIONS = ['SET', 'DELETE', 'APPEND', 'SUBTRACT'] as const
const UNKNOWN_TYPE = 0

export interface LoggerDeps {
  readonly nodeId: number
  readonly logThreshold: LogThreshold
}

/** A change of one logger, in an IncrementalAlterConfigs request. */
interface LoggerChange {
  readonly name: string
  readonly configOperation: number
  readonly value: string | null
}

interface Resource {
  readonly resourceType: number
  readonly resourceName: string
  readonly configs: readonly LoggerChange[]
}

interface AlterRequest<R> {
  readonly resources: readonly R[]
  readonly validateOnly: boolean
}

/** The settings of the resource BROKER_LOGGER (KIP-412). */
export function describeLoggers(threshold: LogThreshold): DescribedConfig[] {
  return [
    {
      name: ROOT,
      value: threshold.name,
      source: ConfigSource.DYNAMIC_BROKER_LOGGER,
      isDefault: false,
      readOnly: false,
      isSensitive: false,
      type: UNKNOWN_TYPE,
      synonyms: [],
    },
  ]
}

/** Sets the levels of this node's loggers until the process ends; gives the outcome of each resource that is about loggers, null where it went well. */
export function alterLoggers<R extends Resource>(
  { resources, validateOnly }: AlterRequest<R>,
  deps: LoggerDeps,
): ReadonlyMap<R, ApiError | null> {
  const loggers = resources.filter(({ resourceType }) => resourceType === ResourceType.BROKER_LOGGER)
  const twice = duplicates(loggers.map(({ resourceName }) => resourceName))
  const outcomes = loggers.map((resource): [R, ApiError | null] => {
    const outcome = attempt(() => {
      if (twice.has(resource.resourceName)) throw invalid('Each resource must appear at most once.')
      checkNode(resource.resourceName, deps.nodeId)
      if (duplicates(resource.configs.map(({ name }) => name)).size > 0) {
        throw invalid('Error due to duplicate config keys')
      }
      for (const change of resource.configs) checkChange(change)
    })
    if (outcome instanceof ApiError) return [resource, outcome]
    if (!validateOnly) for (const { value } of resource.configs) deps.logThreshold.set(value ?? '')
    return [resource, null]
  })
  return new Map(outcomes)
}

function invalid(message: string): ApiError {
  return new ApiError(ErrorCode.INVALID_REQUEST, message)
}

function checkNode(resourceName: string, nodeId: number): void {
  if (resourceName === String(nodeId)) return
  if (!/^-?\d+$/.test(resourceName)) throw invalid(`Node id must be an integer, but it is: ${resourceName}`)
  throw invalid(`Unexpected node id. Expected ${nodeId}, but received ${resourceName}`)
}

/** Throws ApiError, in Kafka's words. */
function checkChange({ name, configOperation, value }: LoggerChange): void {
  const operation = OPERATIONS[configOperation]
  if (operation === undefined) throw invalid(`Unknown operations type ${configOperation}`)
  if (operation === 'APPEND' || operation === 'SUBTRACT') {
    throw invalid(`${operation} operation is not allowed for the BROKER_LOGGER resource`)
  }
  if (operation === 'SET' && value === null) throw invalid(`Null value not supported for : ${name}`)
  if (name !== ROOT) throw new ApiError(ErrorCode.INVALID_CONFIG, `Logger ${name} does not exist!`)
  if (operation === 'DELETE') throw invalid('Removing the log level of the root logger is not allowed')
  if (LEVEL_NAMES.includes(value ?? '')) return
  const problem = `Cannot set the log level of ${name} to ${value} as it is not a supported log level.`
  throw new ApiError(ErrorCode.INVALID_CONFIG, `${problem} Valid log levels are ${LEVEL_NAMES.join(', ')}`)
}
