import { reconfigurationProblem } from '../config/dynamic-config.ts'
import type { ServerConfig } from '../config/server-config.ts'
import { changesOf, replacementOf } from '../controller/alter-configs.ts'
import { checkValues, type ConfigChanges, withChanges } from '../controller/config-change.ts'
import type { ConfigRules } from '../controller/config-rules.ts'
import { ApiError, attempt, duplicates } from '../controller/result.ts'
import { type MetadataImage, ResourceType } from '../metadata/image.ts'
import { ApiKey } from '../protocol/api-key.ts'
import { APIS, type RequestInputOf, type RequestOf } from '../protocol/apis.ts'
import { ErrorCode } from '../protocol/errors.ts'
import { decodeRequest, encodeRequest } from '../protocol/frame.ts'
import { inOwnMemory, type Received, type RequestContext } from '../security/request-context.ts'
import { alterLoggers, type LoggerDeps } from './broker-loggers.ts'
import { type Answer, type Handler, handler } from './handler.ts'

export interface BrokerConfigChecksDeps extends LoggerDeps {
  readonly server: () => ServerConfig
  readonly image: () => MetadataImage
  /** Those that the controller has too. */
  readonly rules: ConfigRules
}

type AlterKey = typeof ApiKey.AlterConfigs | typeof ApiKey.IncrementalAlterConfigs
/** The answers of both APIs have the same fields. */
type AlterAnswer = Answer<AlterKey>

/** Sends a request on to the active controller, as `context.received` has it. */
type Send = <K extends AlterKey>(key: K, request: RequestOf<K>, context: RequestContext) => Promise<Answer<K>>

interface Resource {
  readonly resourceType: number
  readonly resourceName: string
  readonly configs: readonly {
    readonly name: string
    readonly value: string | null
    readonly configOperation?: number
  }[]
}

interface AlterRequest<R> {
  readonly resources: R[]
  readonly validateOnly: boolean
}

const LENGTH_BYTES = 4
const DELETE = 1
const NOTHING = { throttleTimeMs: 0, responses: [] }

/**
 * AlterConfigs (33) and IncrementalAlterConfigs (44) of a broker: sent on, but for the changes of brokers that this one could not follow. Only
 * a broker knows its server.properties, its log dirs and what it runs with. So, as in Apache Kafka, its own settings are changed through
 * itself, and those of all brokers through any.
 */
export function alterConfigsHandlers(send: Send, deps: BrokerConfigChecksDeps): Handler<ApiKey>[] {
  const { image, rules } = deps
  return [
    handler(ApiKey.AlterConfigs, (request, context) => {
      const refused = refusals(request.resources, (resource) => replacementOf(image(), resource), deps)
      return sendOthers(request, refused, (left) => {
        const received = left === request ? context.received : receivedOf(ApiKey.AlterConfigs, left, context)
        return send(ApiKey.AlterConfigs, left, { ...context, received })
      })
    }),
    handler(ApiKey.IncrementalAlterConfigs, (request, context) => {
      const loggers = alterLoggers(request, deps)
      const refused = refusals(request.resources, (resource) => changesOf(image(), resource, rules), deps)
      return sendOthers(request, new Map([...loggers, ...refused]), (left) => {
        const received = left === request ? context.received : receivedOf(ApiKey.IncrementalAlterConfigs, left, context)
        return send(ApiKey.IncrementalAlterConfigs, left, { ...context, received })
      })
    }),
  ]
}

function refusals<R extends Resource>(
  resources: readonly R[],
  changes: (resource: R) => ConfigChanges,
  deps: BrokerConfigChecksDeps,
): ReadonlyMap<R, ApiError> {
  const refused = new Map<R, ApiError>()
  const brokers = resources.filter(({ resourceType }) => resourceType === ResourceType.BROKER)
  const twice = duplicates(brokers.map(({ resourceName }) => resourceName))
  for (const resource of brokers) {
    // What is wrong with the request itself the controller tells, and of two that contradict each other it takes neither.
    if (twice.has(resource.resourceName) || !isComplete(resource)) continue
    const outcome = attempt(() => checkBroker(resource.resourceName, changes(resource), deps))
    if (outcome instanceof ApiError) refused.set(resource, outcome)
  }
  return refused
}

function isComplete({ configs }: Resource): boolean {
  if (duplicates(configs.map(({ name }) => name)).size > 0) return false
  return configs.every(({ value, configOperation }) => value !== null || configOperation === DELETE)
}

/** Throws ApiError where this broker could not follow. */
function checkBroker(name: string, changes: ConfigChanges, deps: BrokerConfigChecksDeps): void {
  const { nodeId, server, image, rules } = deps
  if (name !== '' && name !== String(nodeId) && /^-?\d+$/.test(name)) {
    throw new ApiError(ErrorCode.INVALID_REQUEST, `Unexpected broker id, expected ${nodeId}, but received ${name}`)
  }
  const perBroker = image().configsOf(ResourceType.BROKER, String(nodeId))
  const clusterWide = image().configsOf(ResourceType.BROKER, '')
  const after = withChanges(name === '' ? clusterWide : perBroker, changes)
  checkValues(rules, { type: ResourceType.BROKER, name }, after, changes)
  const to = name === '' ? { perBroker, clusterWide: after } : { perBroker: after, clusterWide }
  const problem = reconfigurationProblem(server(), { perBroker, clusterWide }, to)
  if (problem !== null) throw new ApiError(ErrorCode.INVALID_REQUEST, problem)
}

/** What is not done, or refused, here is sent on, and the answers are put together in the order of the request. `done` has null for what went well. */
export async function sendOthers<R extends Resource>(
  request: AlterRequest<R>,
  done: ReadonlyMap<R, ApiError | null>,
  send: (left: AlterRequest<R>) => Promise<AlterAnswer>,
): Promise<AlterAnswer> {
  if (done.size === 0) return send(request)
  const resources = request.resources.filter((resource) => !done.has(resource))
  const answer = resources.length === 0 ? NOTHING : await send({ ...request, resources })
  if (typeof answer === 'string') return answer
  const answers = [...(answer.responses ?? [])]
  const responses = request.resources.flatMap((resource) => {
    const outcome = done.get(resource)
    if (outcome === undefined) return answers.splice(0, 1)
    const { resourceType, resourceName } = resource
    const errorCode = outcome?.code ?? ErrorCode.NONE
    return [{ errorCode, errorMessage: outcome?.text ?? null, resourceType, resourceName }]
  })
  return { ...answer, responses }
}

/** The client's request with less in it. */
function receivedOf<K extends AlterKey>(key: K, body: RequestInputOf<K>, { received }: RequestContext): Received {
  const { requestApiVersion, correlationId, clientId } = decodeRequest(received.frame).header
  const chunks = encodeRequest(APIS[key], requestApiVersion, correlationId, clientId, body)
  return inOwnMemory(Buffer.concat(chunks).subarray(LENGTH_BYTES))
}
