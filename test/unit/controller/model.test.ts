import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import { incrementalAlterConfigs } from '../../../broker/controller/alter-configs.ts'
import { alterPartition } from '../../../broker/controller/alter-partition.ts'
import { assignReplicasToDirs } from '../../../broker/controller/assign-replicas-to-dirs.ts'
import { registerBroker } from '../../../broker/controller/brokers.ts'
import { type Cluster, isReadable } from '../../../broker/controller/cluster.ts'
import { electLeaders } from '../../../broker/controller/elect-leaders.ts'
import { brokerDirectories, brokerHeartbeat, fenceBroker } from '../../../broker/controller/heartbeats.ts'
import { balanceLeaders, electUncleanLeaders } from '../../../broker/controller/leader-balance.ts'
import { alterPartitionReassignments } from '../../../broker/controller/reassign-partitions.ts'
import { ApiError, type NewMetadataRecord } from '../../../broker/controller/result.ts'
import { isElrEnabled } from '../../../broker/metadata/features.ts'
import { type MetadataImage, NO_LEADER, type PartitionImage, ResourceType } from '../../../broker/metadata/image.ts'
import { uuid } from '../metadata/records.ts'
import { applied, clusterOf, ELR, of, RULES, topicWith } from './cluster.ts'

/** Registered all the time; directories are `uuid(id)` and `uuid(id + 50)`. */
const BROKERS = [1, 2, 3, 4] as const
const PARTITIONS = [0, 1] as const

interface Event {
  readonly type:
    | 'register'
    | 'registerClean'
    | 'fence'
    | 'unfence'
    | 'shutDown'
    | 'isr'
    | 'reassign'
    | 'cancel'
    | 'preferred'
    | 'unclean'
    | 'balance'
    | 'uncleanTask'
    | 'minIsr'
    | 'allowUnclean'
    | 'failDirectory'
    | 'assign'
  readonly broker: number
  readonly partition: number
  readonly ids: readonly number[]
  readonly number: number
}

const TYPES: readonly Event['type'][] = [
  'register',
  'registerClean',
  'fence',
  'unfence',
  'unfence',
  'shutDown',
  'isr',
  'isr',
  'reassign',
  'cancel',
  'preferred',
  'unclean',
  'balance',
  'uncleanTask',
  'minIsr',
  'allowUnclean',
  'failDirectory',
  'assign',
]

const EVENT: fc.Arbitrary<Event> = fc.record({
  type: fc.constantFrom(...TYPES),
  broker: fc.constantFrom(...BROKERS),
  partition: fc.constantFrom(...PARTITIONS),
  ids: fc.shuffledSubarray([...BROKERS], { minLength: 1 }),
  number: fc.nat(3),
})

function recordsOf(cluster: Cluster, event: Event, offset: number): readonly NewMetadataRecord[] {
  const { image } = cluster
  const registered = image.brokers.get(event.broker)
  const partition = image.partition(uuid(9), event.partition)
  if (registered === undefined || partition === undefined) throw new Error('they are always there')
  switch (event.type) {
    case 'register':
    case 'registerClean': {
      const previous = event.type === 'register' ? -1 : registered.epoch
      const logDirs = [uuid(event.broker), uuid(event.broker + 50)]
      return registered.isFenced ? register(cluster, event.broker, { offset, previous, logDirs }) : []
    }
    case 'fence':
      return fenceBroker(cluster, event.broker)
    case 'unfence':
      return heartbeat(cluster, event.broker, false)
    case 'shutDown':
      return heartbeat(cluster, event.broker, true)
    case 'isr':
      return askForIsr(cluster, partition, event.ids)
    case 'reassign':
      return reassign(cluster, event.partition, event.ids)
    case 'cancel':
      return reassign(cluster, event.partition, null)
    case 'preferred':
      return electLeaders(cluster, { electionType: 0, topicPartitions: null, timeoutMs: 0 }).records
    case 'unclean':
      return electLeaders(cluster, { electionType: 1, topicPartitions: null, timeoutMs: 0 }).records
    case 'balance':
      return balanceLeaders(cluster).records
    case 'uncleanTask':
      return electUncleanLeaders(cluster).records
    case 'minIsr':
      return configure(image, 'min.insync.replicas', String(event.number + 1))
    case 'allowUnclean':
      return configure(image, 'unclean.leader.election.enable', String(event.number === 0))
    case 'failDirectory': {
      if (registered.logDirs.length < 2) return []
      return brokerDirectories(cluster, beat(registered, { offlineLogDirs: registered.logDirs.slice(0, 1) })).records
    }
    default:
      return assign(cluster, registered, event.partition, uuid(event.number === 0 ? 99 : event.broker))
  }
}

function beat(broker: { readonly id: number; readonly epoch: number }, more: object = {}) {
  return {
    brokerId: broker.id,
    brokerEpoch: BigInt(broker.epoch),
    currentMetadataOffset: 1_000_000n,
    wantFence: false,
    wantShutDown: false,
    offlineLogDirs: [],
    cordonedLogDirs: null,
    ...more,
  }
}

function heartbeat(cluster: Cluster, id: number, wantShutDown: boolean): readonly NewMetadataRecord[] {
  const broker = cluster.image.brokers.get(id)
  if (broker === undefined) return []
  const context = { shutdownOffset: undefined, lowestActiveOffset: Infinity }
  return brokerHeartbeat(cluster, beat(broker, { wantShutDown }), context).records
}

function register(
  cluster: Cluster,
  brokerId: number,
  { offset, previous, logDirs }: { offset: number; previous: number; logDirs: string[] },
) {
  const feature = (name: string, max: number) => ({ name, minSupportedVersion: 0, maxSupportedVersion: max })
  const request = {
    brokerId,
    clusterId: 'cluster',
    incarnationId: uuid(offset),
    listeners: [],
    features: [feature('metadata.version', 30), feature('eligible.leader.replicas.version', 1)],
    rack: null,
    isMigratingZkBroker: false,
    logDirs,
    previousBrokerEpoch: BigInt(previous),
  }
  const context = { clusterId: 'cluster', nextOffset: offset, kraftVersion: 0, hasSession: false, isConnected: false }
  return registerBroker(cluster, request, context).records
}

function askForIsr(cluster: Cluster, partition: PartitionImage, ids: readonly number[]) {
  const leader = cluster.image.brokers.get(partition.leader)
  if (leader === undefined) return []
  const { index: partitionIndex, leaderEpoch, partitionEpoch, leaderRecoveryState } = partition
  const newIsr = [...new Set([leader.id, ...ids])]
  const asked = { partitionIndex, leaderEpoch, partitionEpoch, newIsrWithEpochs: [], newIsr }
  const recovered = { ...asked, leaderRecoveryState: newIsr.length > 1 ? 0 : leaderRecoveryState }
  const topics = [{ topicId: uuid(9), partitions: [recovered] }]
  return alterPartition(cluster, { brokerId: leader.id, brokerEpoch: BigInt(leader.epoch), topics }).records
}

function reassign(cluster: Cluster, partitionIndex: number, ids: readonly number[] | null) {
  const replicas = ids === null ? null : [...ids]
  const topics = [{ name: 'topic-9', partitions: [{ partitionIndex, replicas }] }]
  return alterPartitionReassignments(cluster, { timeoutMs: 0, allowReplicationFactorChange: true, topics }).records
}

function configure(image: MetadataImage, name: string, value: string) {
  const configs = [{ name, configOperation: 0, value }]
  const resources = [{ resourceType: ResourceType.TOPIC, resourceName: 'topic-9', configs }]
  return incrementalAlterConfigs(image, { resources, validateOnly: false }, RULES, 'broker').records
}

function assign(cluster: Cluster, broker: { id: number; epoch: number }, partitionIndex: number, directory: string) {
  const directories = [{ id: directory, topics: [{ topicId: uuid(9), partitions: [{ partitionIndex }] }] }]
  const request = { brokerId: broker.id, brokerEpoch: BigInt(broker.epoch), directories }
  return assignReplicasToDirs(cluster, request).records
}

/** What holds in every image, whatever came before. */
function check(image: MetadataImage, before: MetadataImage, event: Event): void {
  for (const index of PARTITIONS) {
    const partition = image.partition(uuid(9), index)
    const earlier = before.partition(uuid(9), index)
    if (partition === undefined || earlier === undefined) throw new Error('they are always there')
    const { leader, isr, replicas, eligibleLeaderReplicas: elr, directories } = partition
    const facts = {
      leads: leader === NO_LEADER || (isr.includes(leader) && image.brokers.get(leader)?.isFenced === false),
      isrOfReplicas: isr.every((id) => replicas.includes(id)) && new Set(isr).size === isr.length,
      elrOfReplicas: elr.every((id) => replicas.includes(id) && !isr.includes(id)),
      replicasOnce: new Set(replicas).size === replicas.length && replicas.length === directories.length,
      neverEmpty: isr.length > 0 || isElrEnabled(image),
      leaderEpoch:
        partition.leaderEpoch >= earlier.leaderEpoch &&
        (leader === earlier.leader || partition.leaderEpoch > earlier.leaderEpoch),
      partitionEpoch: partition === earlier || partition.partitionEpoch > earlier.partitionEpoch,
      isrUnfenced: leader === NO_LEADER || isr.every((id) => image.brokers.get(id)?.isFenced === false),
      readable: leader === NO_LEADER || isReadable(image, partition, leader),
      // The ISR that a leader asks for is its own knowledge: whoever is in it may lead.
      clean: event.type === 'isr' || leader === earlier.leader || leader === NO_LEADER || isClean(earlier, partition),
    }
    expect({ event, partition, facts }).toEqual({ event, partition, facts: allTrue(facts) })
  }
}

/** A leader that was neither in sync nor eligible has to recover. */
function isClean({ isr, eligibleLeaderReplicas }: PartitionImage, { leader, leaderRecoveryState }: PartitionImage) {
  return isr.includes(leader) || eligibleLeaderReplicas.includes(leader) || leaderRecoveryState === 1
}

function allTrue<T extends object>(facts: T): Record<string, boolean> {
  return Object.fromEntries(Object.keys(facts).map((name) => [name, true]))
}

test.each([
  ['without eligible leader replicas', []],
  ['with eligible leader replicas', [ELR]],
])('whatever happens, partitions stay sound: %s', (_what, features) => {
  const start = clusterOf(
    [...BROKERS],
    [],
    [...features, ...topicWith(9, { replicas: [1, 2, 3] }, { replicas: [3, 4] })],
  )
  fc.assert(
    fc.property(fc.array(EVENT, { maxLength: 40 }), (events) => {
      let image = start
      for (const [index, event] of events.entries()) {
        const next = applied(image, step(image, event, 1000 + 100 * index))
        check(next, image, event)
        image = next
      }
    }),
    { numRuns: 150 },
  )
})

function step(image: MetadataImage, event: Event, offset: number): readonly NewMetadataRecord[] {
  try {
    return recordsOf(of(image), event, offset)
  } catch (error) {
    if (error instanceof ApiError) return []
    throw error
  }
}
