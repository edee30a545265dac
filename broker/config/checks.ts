import { invalidValue } from './config-error.ts'
import { parseProtocolMap } from './endpoint.ts'
import type { ServerConfig } from './server-config.ts'
import { withoutEffect } from './without-effect.ts'

type Report = (key: string, message: string) => void

/** The highest id of a codec in `offsets.topic.compression.codec`: zstd. */
const CODEC_ID_MAX = 4
const MIB = 1_048_576

/** Reports where values contradict each other, as KafkaConfig does, and where they ask for what is not there yet. */
export function collectProblems(config: ServerConfig, report: Report, warnings: string[]): void {
  checkIdentity(config, report)
  checkQuorum(config, report)
  checkAutoJoin(config, report)
  checkControllerListeners(config, report)
  checkRoutable(config, report)
  if (config.isBroker) checkAdvertised(config, report)
  checkRelations(config, report)
  checkConnections(config, report)
  checkGroupTimeouts(config, report)
  checkAvailable(config, report)
  checkHeartbeat(config, warnings)
  warnings.push(...withoutEffect(config))
}

function checkIdentity(config: ServerConfig, report: Report): void {
  if (config.brokerId !== config.nodeId) {
    report('node.id', 'You must set `node.id` to the same value as `broker.id`.')
  }
}

function checkQuorum(config: ServerConfig, report: Report): void {
  const key = 'controller.quorum.voters'
  const voters = config.controllerQuorumVoters
  if (voters.length === 0 && config.controllerQuorumBootstrapServers.length === 0) {
    const bootstrap = 'controller.quorum.bootstrap.servers must contain the set of bootstrap controllers'
    report(key, `If using process.roles, either ${bootstrap} or ${key} must contain a parseable set of controllers.`)
    return
  }
  if (voters.length === 0) return
  const set = `${key}=Set(${voters.map(({ id }) => id).join(', ')})`
  const isVoter = voters.some(({ id }) => id === config.nodeId)
  if (config.isController && !isVoter) {
    report(
      key,
      `If process.roles contains the 'controller' role, the node id ${config.nodeId} must be included in the set of voters ${set}`,
    )
  } else if (!config.isController && isVoter) {
    report(
      key,
      `If process.roles contains just the 'broker' role, the node id ${config.nodeId} must not be included in the set of voters ${set}`,
    )
  }
}

/** Who is no controller has nothing to join the quorum with. */
function checkAutoJoin(config: ServerConfig, report: Report): void {
  if (!config.controllerQuorumAutoJoinEnable || config.isController) return
  const key = 'controller.quorum.auto.join.enable'
  report(key, `${key} is only supported when process.roles contains the 'controller' role.`)
}

function checkControllerListeners(config: ServerConfig, report: Report): void {
  const key = 'controller.listener.names'
  const names = new Set(config.controllerListenerNames.map((name) => name.toUpperCase()))
  const found = config.listeners.filter(({ name }) => names.has(name)).length
  if (!config.isController && found > 0) {
    report(
      key,
      `${key} must not contain a value appearing in the 'listeners' configuration when running KRaft with just the broker role`,
    )
  } else if (!config.isBroker && found < config.listeners.length) {
    report(
      'listeners',
      `The listeners config must only contain KRaft controller listeners from ${key} when process.roles=controller`,
    )
  } else if (config.isController && found === 0) {
    report(
      key,
      `${key} must contain at least one value appearing in the 'listeners' configuration when running the KRaft controller role`,
    )
  } else if (config.isController && config.controllerListenerNames.some((name) => !bound(config).has(name))) {
    report(
      key,
      `${key} must only contain values appearing in the 'listeners' configuration when running the KRaft controller role`,
    )
  }
}

function bound({ listeners }: ServerConfig): ReadonlySet<string> {
  return new Set(listeners.map(({ name }) => name))
}

function checkRoutable(config: ServerConfig, report: Report): void {
  const key = 'advertised.listeners'
  const advertised = [...(config.isBroker ? config.advertisedListeners : []), ...config.advertisedControllerListeners]
  if (advertised.some(({ host }) => host === '0.0.0.0')) {
    report(key, `${key} cannot use the nonroutable meta-address 0.0.0.0. Use a routable IP address.`)
  }
}

function checkAdvertised(config: ServerConfig, report: Report): void {
  const key = 'advertised.listeners'
  const names = config.advertisedListeners.map(({ name }) => name)
  if (!names.includes(config.interBrokerListenerName)) {
    report(
      'inter.broker.listener.name',
      `inter.broker.listener.name must be a listener name defined in ${key}. The valid options based on currently configured listeners are ${names.join(',')}`,
    )
  }
  for (const name of names) {
    if (!bound(config).has(name)) report(key, `${key} contains the listener ${name}, which is not in listeners.`)
  }
}

function checkRelations(config: ServerConfig, report: Report): void {
  const require = (isRight: boolean, key: string, message: string) => {
    if (!isRight) report(key, message)
  }
  require(config.logRollMs >= 1, 'log.roll.ms', 'log.roll.ms must be greater than or equal to 1')
  require(config.logRollJitterMs >= 0, 'log.roll.jitter.ms', 'log.roll.jitter.ms must be greater than or equal to 0')
  require(Math.floor(config.logCleanerDedupeBufferSize / config.logCleanerThreads) >
    MIB, 'log.cleaner.dedupe.buffer.size', 'log.cleaner.dedupe.buffer.size must be at least 1MB per cleaner thread.')
  require(config.logRetentionMs !==
    0, 'log.retention.ms', 'log.retention.ms must be unlimited (-1) or, greater than or equal to 1')
  require(config.replicaFetchWaitMaxMs <=
    config.replicaSocketTimeoutMs, 'replica.socket.timeout.ms', 'replica.socket.timeout.ms should always be at least replica.fetch.wait.max.ms to prevent unnecessary socket timeouts')
  require(config.replicaFetchWaitMaxMs <=
    config.replicaLagTimeMaxMs, 'replica.fetch.wait.max.ms', 'replica.fetch.wait.max.ms should always be less than or equal to replica.lag.time.max.ms to prevent frequent changes in ISR')
  require(config.queuedMaxRequestBytes <= 0 ||
    config.queuedMaxRequestBytes >=
      config.socketRequestMaxBytes, 'queued.max.request.bytes', 'queued.max.request.bytes must be larger or equal to socket.request.max.bytes')
  require(config.offsetsTopicCompressionCodec >= 0 &&
    config.offsetsTopicCompressionCodec <=
      CODEC_ID_MAX, 'offsets.topic.compression.codec', `Unknown compression type id: ${config.offsetsTopicCompressionCodec}`)
  const missing = config.cordonedLogDirs.filter((dir) => dir !== '*' && !config.logDirs.includes(dir))
  require(missing.length ===
    0, 'cordoned.log.dirs', `All entries in cordoned.log.dirs must be present in log.dirs or log.dir. Missing entries : ${missing.join(',')}`)
}

/** A letter that no host's name or address has. */
const NO_HOST = /[^0-9a-zA-Z\-%._:]/

function checkConnections(config: ServerConfig, report: Report): void {
  const overrides = config.maxConnectionsPerIpOverrides
  if (config.maxConnectionsPerIp === 0 && overrides.size === 0) {
    const key = 'max.connections.per.ip'
    report(key, `${key} can be set to zero only if max.connections.per.ip.overrides property is set.`)
  }
  const invalid = [...overrides.keys()].filter((host) => NO_HOST.test(host))
  if (invalid.length > 0) {
    const key = 'max.connections.per.ip.overrides'
    report(key, `${key} contains invalid addresses : ${invalid.join(',')}`)
  }
  const { connectionsMaxIdleMs: idleMs, connectionFailedAuthenticationDelayMs: delayMs } = config
  if (idleMs >= 0 && delayMs >= idleMs) {
    const why = 'to prevent failed authentication responses from timing out'
    const key = 'connection.failed.authentication.delay.ms'
    report(key, `${key}=${delayMs} should always be less than connections.max.idle.ms=${idleMs} ${why}`)
  }
}

function checkGroupTimeouts(config: ServerConfig, report: Report): void {
  const within = (key: string, value: number, least: number, most: number, minKey: string, maxKey: string) => {
    if (value < least) report(key, `${key} must be greater than or equal to ${minKey}`)
    if (value > most) report(key, `${key} must be less than or equal to ${maxKey}`)
  }
  within(
    'group.consumer.session.timeout.ms',
    config.groupConsumerSessionTimeoutMs,
    config.groupConsumerMinSessionTimeoutMs,
    config.groupConsumerMaxSessionTimeoutMs,
    'group.consumer.min.session.timeout.ms',
    'group.consumer.max.session.timeout.ms',
  )
  within(
    'group.consumer.heartbeat.interval.ms',
    config.groupConsumerHeartbeatIntervalMs,
    config.groupConsumerMinHeartbeatIntervalMs,
    config.groupConsumerMaxHeartbeatIntervalMs,
    'group.consumer.min.heartbeat.interval.ms',
    'group.consumer.max.heartbeat.interval.ms',
  )
}

/** To ignore what guards data, or where it goes, would be worse than not to start. */
function checkAvailable(config: ServerConfig, report: Report): void {
  const refuse = (key: string, value: string, allowed: string) => {
    report(key, invalidValue(key, value, `not available in this version; allowed: ${allowed}`))
  }
  const between = new Set([...config.controllerListenerNames, config.interBrokerListenerName])
  for (const { name, protocol } of [...config.listeners, ...remoteControllers(config)]) {
    const allowed = between.has(name) ? ['PLAINTEXT'] : ['PLAINTEXT', 'SSL']
    if (allowed.includes(protocol)) continue
    const nodes = between.has(name) ? ' for listeners between nodes' : ''
    refuse('listener.security.protocol.map', `${name}:${protocol}`, `${allowed.join(', ')}${nodes}`)
  }
  if (config.authorizerClassName !== '') refuse('authorizer.class.name', config.authorizerClassName, 'nothing')
  if (config.remoteLogStorageSystemEnable) refuse('remote.log.storage.system.enable', 'true', 'false')
}

/** How a node that has no controller listener itself is told to speak to those of others. */
function remoteControllers({ listeners, controllerListenerNames, listenerSecurityProtocolMap }: ServerConfig) {
  const map = parseProtocolMap(listenerSecurityProtocolMap)
  if (typeof map === 'string') return []
  const others = controllerListenerNames.filter((name) => listeners.every((listener) => listener.name !== name))
  return others.map((name) => ({ name, protocol: map.get(name.toUpperCase()) ?? 'PLAINTEXT' }))
}

function checkHeartbeat(config: ServerConfig, warnings: string[]): void {
  const { brokerHeartbeatIntervalMs: interval, brokerSessionTimeoutMs: timeout } = config
  if (interval * 2 <= timeout) return
  warnings.push(
    `broker.heartbeat.interval.ms (${interval} ms) must be less than or equal to half of the broker.session.timeout.ms (${timeout} ms).`,
  )
}
