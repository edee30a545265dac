import { ApiKey } from '../../../broker/protocol/api-key.ts'
import type { RequestInputOf, ResponseOf } from '../../../broker/protocol/apis.ts'
import { ErrorCode } from '../../../broker/protocol/errors.ts'
import type { ActorDeps, SimTopic } from '../broker-actors.ts'
import { ClientHistory } from '../broker-history.ts'
import type { Target } from '../client.ts'
import { hold } from '../history.ts'
import { LOG_DIRS } from './disks.ts'
import { BROKER_PORT } from './layout.ts'

/** Longer than any clock jumps. */
const FIRST_RETENTION_MS = '1000000000000'

/** What must be there at the end, as far as it was acknowledged. */
export class AdminHistory {
  readonly topicIds = new Map<string, string>()
  /** Ids: a request to create that was given up may be carried out later, and makes another topic of that name. */
  readonly deleted = new Set<string>()
  /** retention.ms by topic: acknowledged last, tried after that, and what a request that was given up may set at any time. */
  readonly retentions = new Map<string, string[]>()
  readonly lingering = new Set<string>()
}

export async function createTopic(
  name: string,
  partitions: number,
  replicationFactor: number,
  deps: ActorDeps,
): Promise<SimTopic | undefined> {
  const { client, isOver } = deps
  const configs = [{ name: 'retention.ms', value: FIRST_RETENTION_MS }]
  const topic = { name, numPartitions: partitions, replicationFactor, assignments: [], configs }
  const settled: ReadonlySet<number> = new Set([ErrorCode.NONE, ErrorCode.TOPIC_ALREADY_EXISTS])
  await client.insist(
    ApiKey.CreateTopics,
    { topics: [topic], timeoutMs: 1000, validateOnly: false },
    ({ topics }) => settled.has(topics[0]?.errorCode ?? -1),
    isOver,
  )
  const asked = { topics: [{ name }], allowAutoTopicCreation: false }
  const isThere = ({ topics }: ResponseOf<typeof ApiKey.Metadata>) => topics[0]?.errorCode === ErrorCode.NONE
  const topicId = (await client.insist(ApiKey.Metadata, asked, isThere, isOver))?.topics[0]?.topicId
  if (topicId === undefined) return undefined
  deps.trace.note(`created ${name} ${topicId}`, 'admin')
  return { name, topicId, histories: Array.from({ length: partitions }, (_, i) => new ClientHistory(`${name}-${i}`)) }
}

export interface FeatureLevel {
  readonly feature: string
  readonly maxVersionLevel: number
}

export interface AdminOptions {
  readonly brokerIds: readonly number[]
  readonly replicationFactor: number
  readonly topics: readonly SimTopic[]
  /** What is finalized below what the cluster could have: raised one by one. */
  readonly upgrades: readonly FeatureLevel[]
  /** Besides what every cluster has. */
  readonly moreWork: readonly ('move' | 'trim')[]
}

/** Changes topics, their settings, leaders and replicas, one after the other. */
export async function administrate(options: AdminOptions, history: AdminHistory, deps: ActorDeps): Promise<void> {
  const { random, client, isOver } = deps
  const upgrades = [...options.upgrades]
  for (let count = 0; !isOver(); count++) {
    const work = random.pick([
      'create',
      'delete',
      'config',
      'config',
      'elect',
      'reassign',
      'reassign',
      'upgrade',
      ...options.moreWork,
    ] as const)
    if (work === 'create') await create(`made-${count}`, options, history, deps)
    if (work === 'delete') await removeOne(history, deps)
    if (work === 'config') await configure(random.pick(options.topics).name, count, history, deps)
    if (work === 'elect')
      await ask(ApiKey.ElectLeaders, { electionType: 0, topicPartitions: null, timeoutMs: 1000 }, deps)
    if (work === 'reassign') await reassign(options, deps)
    if (work === 'move') await move(options, deps)
    if (work === 'trim') await trim(options, deps)
    if (work === 'upgrade' && upgrades[0] !== undefined && (await upgrade(upgrades[0], deps))) upgrades.shift()
    await client.sleep(random.fraction() * 700)
  }
}

async function create(name: string, options: AdminOptions, history: AdminHistory, deps: ActorDeps): Promise<void> {
  const topic = await createTopic(name, deps.random.between(1, 3), options.replicationFactor, deps)
  if (topic === undefined) return
  history.topicIds.set(name, topic.topicId)
  deps.onAcknowledged()
}

async function removeOne(history: AdminHistory, deps: ActorDeps): Promise<void> {
  const [name] = history.topicIds.keys()
  if (name === undefined) return
  const topicId = history.topicIds.get(name) ?? ''
  // From here on it may be gone.
  history.topicIds.delete(name)
  const settled: ReadonlySet<number> = new Set([ErrorCode.NONE, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION])
  const gone = await deps.client.insist(
    ApiKey.DeleteTopics,
    { topics: [{ name }], topicNames: [name], timeoutMs: 1000 },
    ({ responses }) => settled.has(responses[0]?.errorCode ?? -1),
    deps.isOver,
  )
  if (gone !== undefined) {
    history.deleted.add(topicId)
    deps.onAcknowledged()
  }
  deps.trace.note(`deleted ${name}`, 'admin')
}

async function configure(name: string, count: number, history: AdminHistory, deps: ActorDeps): Promise<void> {
  const value = String(1_000_000_000_001 + count)
  const tried = history.retentions.get(name) ?? [FIRST_RETENTION_MS]
  history.retentions.set(name, [...tried, value])
  const configs = [{ name: 'retention.ms', configOperation: 0, value }]
  let attempts = 0
  const body = () => {
    if (++attempts > 1) history.lingering.add(value)
    return { resources: [{ resourceType: 2, resourceName: name, configs }], validateOnly: false }
  }
  const isDone = ({ responses }: ResponseOf<typeof ApiKey.IncrementalAlterConfigs>) =>
    responses[0]?.errorCode === ErrorCode.NONE
  const done = await deps.client.insist(ApiKey.IncrementalAlterConfigs, body, isDone, deps.isOver)
  if (done !== undefined) {
    history.retentions.set(name, [value])
    deps.onAcknowledged()
  }
  deps.trace.note(`retention.ms of ${name} is ${value}`, 'admin')
}

async function reassign({ topics, brokerIds, replicationFactor }: AdminOptions, deps: ActorDeps): Promise<void> {
  const { random } = deps
  const topic = random.pick(topics)
  const partitionIndex = random.below(topic.histories.length)
  const ids = brokerIds.map((id) => ({ id, key: random.uint32() })).toSorted((a, b) => a.key - b.key)
  const replicas = random.chance(0.2) ? null : ids.slice(0, replicationFactor).map(({ id }) => id)
  const body = { timeoutMs: 1000, topics: [{ name: topic.name, partitions: [{ partitionIndex, replicas }] }] }
  deps.trace.note(`reassigns ${topic.name}-${partitionIndex} to ${replicas?.join() ?? 'what it was'}`, 'admin')
  await ask(ApiKey.AlterPartitionReassignments, body, deps)
}

/** Has a broker keep a replica in one of its log dirs: where it is, the other one, or where it is on its way to. */
async function move({ topics, brokerIds }: AdminOptions, deps: ActorDeps): Promise<void> {
  const { random, client } = deps
  const topic = random.pick(topics)
  const partition = random.below(topic.histories.length)
  const path = random.pick(LOG_DIRS)
  const host = `n${random.pick(brokerIds)}`
  const target = { type: 'at', address: { host, port: BROKER_PORT } } as const
  const body = { dirs: [{ path, topics: [{ name: topic.name, partitions: [partition] }] }] }
  const answer = await client.tryOnce(ApiKey.AlterReplicaLogDirs, body, target)
  const errorCode = answer?.results[0]?.partitions[0]?.errorCode
  deps.trace.note(`moves ${topic.name}-${partition} on ${host} to ${path}: ${errorCode}`, 'admin')
}

/** Deletes the first records of a partition, those in the midst of a batch too. */
async function trim({ topics }: AdminOptions, deps: ActorDeps): Promise<void> {
  const { random, client } = deps
  const topic = random.pick(topics)
  const partitionIndex = random.below(topic.histories.length)
  const history = topic.histories[partitionIndex] as ClientHistory
  const offset = random.below(history.acknowledgedEnd + 1)
  history.trimming(offset)
  const body = {
    timeoutMs: 1000,
    topics: [{ name: topic.name, partitions: [{ partitionIndex, offset: BigInt(offset) }] }],
  }
  const target = { type: 'leader', topic: topic.name, partition: partitionIndex } as const
  const answer = await client.tryOnce(ApiKey.DeleteRecords, body, target)
  const errorCode = answer?.topics[0]?.partitions[0]?.errorCode
  deps.trace.note(`deletes ${topic.name}-${partitionIndex} up to ${offset}: ${errorCode}`, 'admin')
}

async function upgrade(level: FeatureLevel, deps: ActorDeps): Promise<boolean> {
  const body = { timeoutMs: 1000, featureUpdates: [{ ...level, upgradeType: 1 }], validateOnly: false }
  const answer = await ask(ApiKey.UpdateFeatures, body, deps)
  const { feature, maxVersionLevel } = level
  deps.trace.note(`${feature} ${maxVersionLevel}: ${answer?.errorCode} ${answer?.errorMessage}`, 'admin')
  return answer?.errorCode === ErrorCode.NONE
}

/** Asks until there is an answer, whatever it is: these may be refused. */
function ask<K extends ApiKey>(
  key: K,
  body: RequestInputOf<K>,
  { client, isOver }: ActorDeps,
): Promise<ResponseOf<K> | undefined> {
  return client.insist(key, body, () => true, isOver)
}

/** What a broker says at the end has all that was acknowledged. */
export async function checkAdmin(history: AdminHistory, target: Target, deps: ActorDeps): Promise<void> {
  const { client, isOver } = deps
  const body = { topics: null, allowAutoTopicCreation: false }
  const found = await client.insist(ApiKey.Metadata, body, () => true, isOver, target)
  const ids = new Map(found?.topics.map(({ name, topicId }) => [name, topicId]))
  const known = new Set(ids.values())
  for (const [name, topicId] of history.topicIds) {
    hold(ids.get(name) === topicId, `topic ${name} is ${ids.get(name)}, was made as ${topicId}`)
  }
  for (const topicId of history.deleted) hold(!known.has(topicId), `topic ${topicId} was deleted, and is there`)
  for (const [name, possible] of history.retentions) {
    const resources = [{ resourceType: 2, resourceName: name, configurationKeys: ['retention.ms'] }]
    const answer = await client.insist(ApiKey.DescribeConfigs, { resources }, () => true, isOver, target)
    const value = answer?.results[0]?.configs[0]?.value ?? ''
    const isPossible = possible.includes(value) || history.lingering.has(value)
    hold(isPossible, `retention.ms of ${name} is ${value}, must be one of ${possible.join()}`)
  }
}
