import type { BrokerValues } from './broker-keys.ts'
import { parseEndpoint, parseProtocolMap } from './endpoint.ts'
import type { Endpoint, QuorumVoter, SecurityProtocol } from './endpoint.ts'
import type { ConfigLayers } from './layers.ts'
import { setText } from './layers.ts'

export interface Listeners {
  readonly listeners: readonly Endpoint[]
  /** For clients and other brokers; controller listeners are not among them. */
  readonly advertisedListeners: readonly Endpoint[]
  /** Of each controller listener that is served, what other nodes reach it by. */
  readonly advertisedControllerListeners: readonly Endpoint[]
  readonly interBrokerListenerName: string
}

/** Reads the listener keys together with the static voters; `report` gets each problem, in Kafka's words. */
export function resolveListeners(
  values: BrokerValues,
  layers: ConfigLayers,
  voters: readonly QuorumVoter[],
  report: (key: string, message: string) => void,
): Listeners {
  const isMapSet = setText(layers, 'listener.security.protocol.map') !== undefined
  const protocols = protocolMap(values, isMapSet, report)
  const endpoints = (key: string, texts: readonly string[], unique: boolean) =>
    resolveEndpoints(key, texts, protocols, unique, report)
  const listeners = endpoints('listeners', values.listeners, true)
  const controllers = new Set(values.controllerListenerNames.map((name) => name.toUpperCase()))
  const explicit =
    values.advertisedListeners === null ? [] : endpoints('advertised.listeners', values.advertisedListeners, false)
  const advertised = values.advertisedListeners === null ? listeners : explicit
  return {
    listeners,
    advertisedListeners: advertised.filter(({ name }) => !controllers.has(name)),
    advertisedControllerListeners: listeners
      .filter(({ name }) => controllers.has(name))
      .map((listener) => explicit.find(({ name }) => name === listener.name) ?? unadvertised(listener, values, voters)),
    interBrokerListenerName: interBrokerName(values, layers, protocols, report),
  }
}

const ANY_ADDRESS: ReadonlySet<string> = new Set(['0.0.0.0', '::'])

/**
 * What a controller tells of a listener that is not in `advertised.listeners`. Others believe it rather than their own list of voters, so it
 * has to be what they find it by: the entry there of the first controller listener (KAFKA-20380), or the machine's name (KAFKA-18281).
 */
function unadvertised(
  listener: Endpoint,
  { nodeId, controllerListenerNames }: BrokerValues,
  voters: readonly QuorumVoter[],
): Endpoint {
  const own = voters.find(({ id }) => id === nodeId)
  if (own !== undefined && controllerListenerNames[0]?.toUpperCase() === listener.name) {
    return { ...listener, host: own.host, port: own.port }
  }
  return ANY_ADDRESS.has(listener.host) ? { ...listener, host: '' } : listener
}

function protocolMap(
  values: BrokerValues,
  isSet: boolean,
  report: (key: string, message: string) => void,
): ReadonlyMap<string, SecurityProtocol> {
  const parsed = parseProtocolMap(values.listenerSecurityProtocolMap)
  if (typeof parsed === 'string') {
    report('listener.security.protocol.map', parsed)
    return new Map()
  }
  if (isSet) return parsed
  // KIP-902's default: controller listeners without an explicit map speak PLAINTEXT.
  const names = values.controllerListenerNames.map((name): [string, SecurityProtocol] => [
    name.toUpperCase(),
    'PLAINTEXT',
  ])
  return new Map([...names, ...parsed])
}

function resolveEndpoints(
  key: string,
  texts: readonly string[],
  protocols: ReadonlyMap<string, SecurityProtocol>,
  arePortsUnique: boolean,
  report: (key: string, message: string) => void,
): Endpoint[] {
  const list = `[${texts.join(', ')}]`
  const problem = (why: string) => report(key, `Error creating broker listeners from '${list}': ${why}`)
  const endpoints: Endpoint[] = []
  for (const text of texts) {
    const parsed = parseEndpoint(text)
    const protocol = protocols.get(parsed?.name ?? '')
    if (parsed === undefined) problem(`Unable to parse ${text} to a broker endpoint`)
    else if (protocol === undefined) problem(`No security protocol defined for listener ${parsed.name}`)
    else endpoints.push({ ...parsed, protocol })
  }
  if (hasRepetition(endpoints.map(({ name }) => name))) {
    problem(`Each listener must have a different name, listeners: ${list}`)
  }
  const ports = endpoints.filter(({ port }) => port !== 0).map(({ host, port }) => portKey(host, port))
  if (arePortsUnique && hasRepetition(ports)) problem(`Each listener must have a different port, listeners: ${list}`)
  return endpoints
}

/** KIP-797: an IPv4 and an IPv6 listener may share a port. */
function portKey(host: string, port: number): string {
  return host.includes(':') ? `6:${port}` : String(port)
}

function hasRepetition(items: readonly string[]): boolean {
  return new Set(items).size < items.length
}

function interBrokerName(
  values: BrokerValues,
  layers: ConfigLayers,
  protocols: ReadonlyMap<string, SecurityProtocol>,
  report: (key: string, message: string) => void,
): string {
  const key = 'inter.broker.listener.name'
  const name = values.interBrokerListenerName?.toUpperCase()
  if (name === undefined) return values.securityInterBrokerProtocol
  if (setText(layers, 'security.inter.broker.protocol') !== undefined) {
    report(key, `Only one of ${key} and security.inter.broker.protocol should be set.`)
  } else if (!protocols.has(name)) {
    report(key, `Listener with name ${name} defined in ${key} not found in listener.security.protocol.map.`)
  }
  return name
}
