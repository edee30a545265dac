import { brokerKey, withoutListener } from './broker-keys.ts'
import type { ServerConfig } from './server-config.ts'
import { parseIpAddress } from '../lib/ip-address.ts'
import { parseValue } from './value.ts'

/** Keys of Apache Kafka that are read and change nothing here, though what they are about is there. */
const WITHOUT_EFFECT: ReadonlySet<string> = new Set([
  'alter.config.policy.class.name',
  'client.quota.callback.class',
  'connections.max.reauth.ms',
  'controller.quorum.append.linger.ms',
  'controller.socket.timeout.ms',
  'create.topic.policy.class.name',
  'early.start.listeners',
  'group.coordinator.append.linger.ms',
  'initial.broker.registration.timeout.ms',
  'kafka.metrics.reporters',
  'max.connection.creation.rate',
  'num.replica.alter.log.dirs.threads',
  'queued.max.request.bytes',
  'queued.max.requests',
  'replica.socket.receive.buffer.bytes',
  'socket.connection.setup.timeout.max.ms',
  'socket.connection.setup.timeout.ms',
  'socket.receive.buffer.bytes',
  'socket.send.buffer.bytes',
])

/** Whether a key of server.properties, maybe one of a listener, changes nothing here. */
export function isWithoutEffect(name: string): boolean {
  return WITHOUT_EFFECT.has(withoutListener(name) ?? name)
}

/** Keys that brokers of Apache Kafka take on while they run, and those here only from server.properties. */
const TAKEN_AT_START: ReadonlySet<string> = new Set(['num.recovery.threads.per.data.dir'])

/** Whether a key changes nothing where it is set in the metadata log. */
export function isTakenAtStart(name: string): boolean {
  return TAKEN_AT_START.has(name)
}

/** What somebody has set and may count on, but changes nothing. What is set to its default says nothing: properties are copied around. */
export function withoutEffect({ compressionLz4Level, maxConnectionsPerIpOverrides, layers }: ServerConfig): string[] {
  const warnings: string[] = []
  if (layers.static.has('compression.lz4.level')) {
    warnings.push(`compression.lz4.level=${compressionLz4Level} has no effect: the LZ4 codec has one level.`)
  }
  for (const [name, text] of layers.static) {
    if (isWithoutEffect(name) && !isDefault(name, text)) warnings.push(`${name}=${text} has no effect in this version.`)
  }
  const names = [...maxConnectionsPerIpOverrides.keys()].filter((host) => parseIpAddress(host) === null)
  if (names.length > 0) {
    const what = `max.connections.per.ip.overrides for ${names.join(', ')}`
    warnings.push(`${what} has no effect: connections are told apart by their addresses, and names are not looked up.`)
  }
  return warnings
}

function isDefault(name: string, text: string): boolean {
  const key = brokerKey(name)
  if (key === undefined || typeof key.default !== 'string') return false
  const parsed = parseValue(key, text)
  const standard = parseValue(key, key.default)
  return 'text' in parsed && 'text' in standard && parsed.text === standard.text
}
