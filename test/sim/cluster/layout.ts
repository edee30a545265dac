import { parseProperties } from '../../../broker/config/properties.ts'
import { parseServerConfig } from '../../../broker/config/server-config.ts'
import type { ServerConfig } from '../../../broker/config/server-config.ts'
import { formatCommand } from '../../../broker/format-command.ts'
import { KRAFT_VERSION, METADATA_VERSION } from '../../../broker/metadata/features.ts'
import { METADATA_VERSION_LATEST } from '../../../broker/protocol/metadata-version.ts'
import type { SimMachine } from '../../fakes/env.ts'
import { SimClock } from '../../fakes/clock.ts'
import type { SimRandom } from '../../fakes/random.ts'
import { hold } from '../history.ts'
import { LOG_DIRS } from './disks.ts'

export const BROKER_PORT = 9092
const CONTROLLER_PORT = 9093
const CLUSTER_ID = 'c2ltdWxhdGlvbi1jbHVzdA'
/** The oldest that the cluster may begin with. */
const OLD_RELEASE = '4.0-IV3'

export interface NodeLayout {
  readonly id: number
  readonly name: string
  readonly isController: boolean
  readonly isBroker: boolean
}

/** What a cluster is made of: all that a seed decides before anything runs. */
export interface ClusterLayout {
  readonly nodes: readonly NodeLayout[]
  readonly hasDynamicVoters: boolean
  readonly replicationFactor: number
  readonly minInSyncReplicas: number
  /** Every append is synced before it counts: power may be lost anywhere. Otherwise on one machine at a time. */
  readonly isSynced: boolean
  readonly isOld: boolean
  /** Followers that are behind take many fetches to catch up. */
  readonly isSlow: boolean
  /** Brokers and consumers are in two racks, and consumers read in theirs. */
  readonly hasRacks: boolean
  /** Sectors of replicas go bad, and disks fill up. */
  readonly hasBadDisks: boolean
  /** Brokers have two log dirs, and replicas move from one to the other. */
  readonly hasTwoDirs: boolean
  /** Records are deleted, and segments with them. */
  readonly isTrimmed: boolean
}

export function layoutOf(random: SimRandom): ClusterLayout {
  const nodes = random.chance(0.6) ? combined(random) : separate(random)
  const brokers = nodes.filter(({ isBroker }) => isBroker).length
  const replicationFactor = Math.min(3, brokers)
  return {
    nodes,
    hasDynamicVoters: random.chance(0.5),
    replicationFactor,
    minInSyncReplicas: Math.min(2, brokers),
    isSynced: brokers < 3 || random.chance(0.5),
    isOld: random.chance(0.3),
    isSlow: random.chance(0.5),
    hasRacks: random.chance(0.3),
    hasBadDisks: brokers >= 3 && random.chance(0.3),
    hasTwoDirs: random.chance(0.3),
    isTrimmed: random.chance(0.3),
  }
}

function combined(random: SimRandom): NodeLayout[] {
  const size = random.pick([1, 2, 3, 3, 3, 4, 5])
  const voters = size < 3 ? 1 : 3
  return Array.from({ length: size }, (_, i) => node(i + 1, i < voters, true))
}

function separate(random: SimRandom): NodeLayout[] {
  const controllers = random.pick([1, 3, 3])
  const brokers = random.pick([1, 3, 3, 4])
  return [
    ...Array.from({ length: controllers }, (_, i) => node(i + 1, true, false)),
    ...Array.from({ length: brokers }, (_, i) => node(controllers + i + 1, false, true)),
  ]
}

const RACK_AWARE = 'org.apache.kafka.common.replica.RackAwareReplicaSelector'

export function rackOf(id: number): string {
  return `rack-${id % 2}`
}

function node(id: number, isController: boolean, isBroker: boolean): NodeLayout {
  return { id, name: `n${id}`, isController, isBroker }
}

function dirsOf({ hasTwoDirs }: ClusterLayout): readonly string[] {
  return hasTwoDirs ? LOG_DIRS : LOG_DIRS.slice(0, 1)
}

/** What an actor raises while the cluster runs. */
export function upgradesOf({ isOld, hasDynamicVoters }: ClusterLayout) {
  return [
    ...(isOld ? [{ feature: METADATA_VERSION, maxVersionLevel: METADATA_VERSION_LATEST }] : []),
    ...(hasDynamicVoters ? [] : [{ feature: KRAFT_VERSION, maxVersionLevel: 1 }]),
  ]
}

const configs = new Map<string, ServerConfig>()

/** The node's configuration, as its server.properties say it. */
export function configOf(layout: ClusterLayout, of: NodeLayout): ServerConfig {
  const text = propertiesOf(layout, of)
  const known = configs.get(text)
  if (known !== undefined) return known
  const { config } = parseServerConfig(parseProperties(text))
  configs.set(text, config)
  return config
}

function propertiesOf(layout: ClusterLayout, { id, name, isController, isBroker }: NodeLayout): string {
  const roles = [isBroker ? 'broker' : '', isController ? 'controller' : ''].filter(Boolean)
  const listeners = [
    isBroker ? `PLAINTEXT://${name}:${BROKER_PORT}` : '',
    isController ? `CONTROLLER://${name}:${CONTROLLER_PORT}` : '',
  ].filter(Boolean)
  const controllers = layout.nodes.filter((other) => other.isController)
  const quorum = layout.hasDynamicVoters
    ? `controller.quorum.bootstrap.servers=${controllers.map((other) => `${other.name}:${CONTROLLER_PORT}`).join()}`
    : `controller.quorum.voters=${controllers.map((other) => `${other.id}@${other.name}:${CONTROLLER_PORT}`).join()}`
  return `
process.roles=${roles.join()}
node.id=${id}
listeners=${listeners.join()}
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAINTEXT
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
${quorum}
log.dirs=${dirsOf(layout).join()}
${layout.isTrimmed ? 'log.retention.check.interval.ms=2000\n' : ''}${layout.hasRacks ? `broker.rack=${rackOf(id)}\nreplica.selector.class=${RACK_AWARE}` : ''}
min.insync.replicas=${layout.minInSyncReplicas}
default.replication.factor=${layout.replicationFactor}
offsets.topic.num.partitions=2
offsets.topic.replication.factor=${layout.replicationFactor}
${layout.isSlow ? 'replica.fetch.max.bytes=300\n' : ''}log.flush.interval.messages=${layout.isSynced ? '1' : '9223372036854775807'}
${TIMING}`
}

export const REPLICA_LAG_MAX_MS = 2000

/** Time-outs that fit a run of half a minute, and sizes at which boundaries are crossed in it. */
const TIMING = `
auto.create.topics.enable=false
log.segment.bytes=1048576
log.roll.ms=1000
log.index.size.max.bytes=4096
metadata.log.segment.bytes=8388608
metadata.log.max.record.bytes.between.snapshots=8000
metadata.max.retention.bytes=60000
group.initial.rebalance.delay.ms=0
broker.session.timeout.ms=2000
broker.heartbeat.interval.ms=400
controller.quorum.election.timeout.ms=400
controller.quorum.fetch.timeout.ms=800
controller.quorum.election.backoff.max.ms=300
controller.quorum.request.timeout.ms=600
replica.lag.time.max.ms=${REPLICA_LAG_MAX_MS}
replica.fetch.wait.max.ms=400
replica.fetch.backoff.ms=100
replica.socket.timeout.ms=2000
controller.socket.timeout.ms=2000
replica.high.watermark.checkpoint.interval.ms=1000
log.message.timestamp.after.max.ms=9223372036854775807
producer.id.expiration.ms=2000000000
leader.imbalance.check.interval.seconds=10
`

/** Formats the node's disk with the command that users have. */
export function format(layout: ClusterLayout, of: NodeLayout, machine: SimMachine, random: SimRandom): void {
  const { disk } = machine
  disk.makeDirectory('/disk')
  disk.replaceFile('/server.properties', new TextEncoder().encode(propertiesOf(layout, of)))
  const controllers = layout.nodes.filter(({ isController }) => isController)
  const voters = controllers.map(({ id, name }) => `${id}@${name}:${CONTROLLER_PORT}:${directoryId(id)}`)
  const words = ['format', '-t', CLUSTER_ID, '-c', '/server.properties']
  if (layout.isOld) words.push('--release-version', OLD_RELEASE)
  words.push('--feature', 'eligible.leader.replicas.version=1')
  if (layout.hasDynamicVoters) {
    words.push(...(of.isController ? ['--initial-controllers', voters.join()] : ['--no-initial-controllers']))
  }
  const said: string[] = []
  const say = (line: string): void => {
    said.push(line)
  }
  const code = formatCommand(words, { disk, clock: new SimClock(), random, out: say, error: say })
  hold(code === 0, `format failed: ${said.join(' ')}`)
  for (const path of ['/', '/disk', ...dirsOf(layout)]) disk.syncDirectory(path)
}

function directoryId(id: number): string {
  return Buffer.from(`directory-of-n-${id}`).toString('base64url')
}
