/** What may speak on a listener. */
export type SecurityProtocol = 'PLAINTEXT' | 'SSL' | 'SASL_PLAINTEXT' | 'SASL_SSL'

/** One entry of `listeners` or `advertised.listeners`. An empty host binds every interface, and advertises the machine's name. */
export interface Endpoint {
  /** The listener's name, in upper case. */
  readonly name: string
  readonly host: string
  readonly port: number
  readonly protocol: SecurityProtocol
}

/** A voter of the static quorum: `id@host:port` in controller.quorum.voters. */
export interface QuorumVoter {
  readonly id: number
  readonly host: string
  readonly port: number
}

export interface HostPort {
  readonly host: string
  readonly port: number
}

const ENDPOINT = /^([^:/]+):\/\/(?:\[([0-9a-fA-F:%.]+)\]|([^:[\]]*)):(-?\d+)$/
const HOST_PORT = /^(?:\[([0-9a-fA-F:%.]+)\]|([^:[\]]+)):(\d+)$/
const PORT_MAX = 65_535

/** `NAME://host:port`; undefined where it is not that. */
export function parseEndpoint(text: string): Omit<Endpoint, 'protocol'> | undefined {
  const match = ENDPOINT.exec(text)
  const port = Number(match?.[4])
  if (match === null || port < 0 || port > PORT_MAX) return undefined
  return { name: (match[1] ?? '').toUpperCase(), host: match[2] ?? match[3] ?? '', port }
}

/** `host:port`; undefined where it is not that. */
export function parseHostPort(text: string): HostPort | undefined {
  const match = HOST_PORT.exec(text)
  const port = Number(match?.[3])
  if (match === null || port > PORT_MAX) return undefined
  return { host: match[1] ?? match[2] ?? '', port }
}

/** `id@host:port`, or what is wrong with it. */
export function parseVoter(text: string): QuorumVoter | string {
  const form = 'Each entry should be in the form `{id}@{host}:{port}`.'
  const at = text.indexOf('@')
  if (at < 0) return `Invalid configuration value for controller.quorum.voters. ${form}`
  const id = text.slice(0, at)
  if (!/^\d+$/.test(id)) return `Failed to parse voter ID as an integer from ${id}`
  const address = parseHostPort(text.slice(at + 1))
  if (address === undefined) {
    return `Failed to parse host name from entry ${text} for the configuration controller.quorum.voters. ${form}`
  }
  if (address.host === '0.0.0.0') return `Host string (${address.host}) is not routeable`
  return { id: Number(id), ...address }
}

/** `NAME:PROTOCOL,…`, or what is wrong with it. */
export function parseProtocolMap(text: string): ReadonlyMap<string, SecurityProtocol> | string {
  const map = new Map<string, SecurityProtocol>()
  for (const entry of text.split(',').map((part) => part.trim())) {
    if (entry === '') continue
    const colon = entry.lastIndexOf(':')
    if (colon < 0)
      return `Error parsing configuration property 'listener.security.protocol.map': ${entry} is not NAME:PROTOCOL`
    const protocol = entry
      .slice(colon + 1)
      .trim()
      .toUpperCase()
    if (!isSecurityProtocol(protocol))
      return `Invalid security protocol \`${protocol}\` defined in listener.security.protocol.map`
    map.set(entry.slice(0, colon).trim().toUpperCase(), protocol)
  }
  return map
}

function isSecurityProtocol(text: string): text is SecurityProtocol {
  return text === 'PLAINTEXT' || text === 'SSL' || text === 'SASL_PLAINTEXT' || text === 'SASL_SSL'
}
