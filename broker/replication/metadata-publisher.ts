import type { ServerConfig } from '../config/server-config.ts'
import { parseTopicConfig, type TopicConfig } from '../config/topic-config.ts'
import type { Clock } from '../env/clock.ts'
import { Turns } from '../lib/turns.ts'
import type { MetadataDelta } from '../metadata/delta.ts'
import { MetadataImage, type PartitionImage, ResourceType, type TopicImage } from '../metadata/image.ts'
import { ErrorCode } from '../protocol/errors.ts'
import { isTooManyFiles } from '../storage/errors.ts'
import type { PartitionLog } from '../storage/log.ts'
import type { LogManager } from '../storage/log-manager.ts'
import type { Logger } from '../telemetry/logger.ts'
import { appendRules } from './append-rules.ts'
import type { Partition } from './partition.ts'
import type { ReplicaManager } from './replica-manager.ts'

export interface MetadataPublisherDeps {
  readonly logs: LogManager
  readonly replicas: ReplicaManager
  readonly fetchers: Fetchers
  readonly throttles: readonly ConfiguredByImage[]
  readonly assignments: Assignments
  readonly mover: Mover
  readonly server: () => ServerConfig
  readonly clock: Clock
  readonly logger: Logger
  /** A partition is led from here, in this epoch. */
  readonly onLeader: (partition: Partition) => void
  /** A partition is not led from here any more. */
  readonly onResigned: (topic: string, index: number) => void
}

/** Brings in what others lead. */
export interface Fetchers {
  /** Fetches from the leader that the partition's state names, if that is another broker. */
  follow(partition: Partition): void
  stop(partition: Partition): void
}

/** Moves replicas between log dirs. */
export interface Mover {
  /** Goes on with a move that was under way when the broker stopped. */
  resume(partition: Partition): void
  /** The replica is not here any more. Resolves when nothing is left of a move that was under way. */
  abandon(partition: Partition): Promise<void>
}

/** Sees to it that the cluster knows where the replicas here are. */
export interface Assignments {
  /** The metadata log has changed a partition; `directoryId` is where the cluster believes its replica to be. */
  changed(partition: Partition, directoryId: string | undefined): void
}

/** What has its settings in the metadata log. */
export interface ConfiguredByImage {
  configure(image: MetadataImage): void
  configureTopic?(topic: string, image: MetadataImage): void
}

/** Makes the replicas hosted here follow the metadata log: what is assigned is opened and led, what is not any more is let go. */
export class MetadataPublisher {
  readonly #nodeId: number
  readonly #deps: MetadataPublisherDeps
  readonly #turns: Turns
  #isStopped = false
  /** Replicas for which no file could be opened. */
  #unopened: { readonly topicId: string; readonly index: number; readonly isNew: boolean }[] = []

  constructor(options: { readonly nodeId: number }, deps: MetadataPublisherDeps) {
    this.#nodeId = options.nodeId
    this.#deps = deps
    this.#turns = new Turns(deps)
  }

  /** `image` is what `delta` leads to. Calls must not overlap. */
  async apply(delta: MetadataDelta, image: MetadataImage): Promise<void> {
    await this.#configureThrottles(delta, image)
    for (const topic of delta.topics.deleted.values()) await this.#delete(topic)
    for (const { topicId, partitions } of delta.topics.changed()) {
      const topic = image.topicById(topicId)
      if (topic !== undefined) await this.#change(topic, partitions, delta.image, image)
    }
    for (const { type, name } of delta.configs.changed()) {
      if (this.#turns.isOver) await this.#turns.next()
      if (type === ResourceType.TOPIC) this.#configure(name, image)
    }
    await this.#openMissing(image)
    // Nobody waits any more for a follower that has been fenced.
    if (delta.cluster.changedBrokers.size > 0)
      for (const partition of this.#deps.replicas.partitions()) partition.reconsider()
  }

  /** No more replicas are opened: an image that is being applied stays so, in part. */
  stop(): void {
    this.#isStopped = true
  }

  /** `strays`, logs of earlier topics or of none, have been set aside: replicas whose place they held are opened. Calls overlap with no `apply`. */
  async replaceStrays(strays: readonly PartitionLog[], image: MetadataImage): Promise<void> {
    for (const { topic, partition: index } of strays) {
      const topicId = image.topic(topic)?.id
      if (topicId !== undefined) this.#unopened.push({ topicId, index, isNew: false })
    }
    await this.#openMissing(image)
  }

  /** Tries again what failed since the process had too many files open: there is something to apply about twice a second. */
  async #openMissing(image: MetadataImage): Promise<void> {
    const missing = this.#unopened
    this.#unopened = []
    for (const each of missing) {
      // While one fails, so do the others.
      if (this.#unopened.length > 0) {
        this.#unopened.push(each)
        continue
      }
      const { topicId, index, isNew } = each
      const topic = image.topicById(topicId)
      const state = topic?.partitions[index]
      if (topic === undefined || state === undefined || this.#deps.replicas.get(topic.name, index) !== undefined)
        continue
      if (state.replicas.includes(this.#nodeId))
        await this.#host(topic, state, this.#configOf(topic.name, image), isNew)
    }
  }

  async #configureThrottles(delta: MetadataDelta, image: MetadataImage): Promise<void> {
    const changed = [...delta.configs.changed()]
    const { throttles } = this.#deps
    if (changed.some(({ type }) => type === ResourceType.BROKER))
      for (const throttle of throttles) throttle.configure(image)
    for (const { type, name } of changed) {
      if (this.#turns.isOver) await this.#turns.next()
      if (type === ResourceType.TOPIC) for (const throttle of throttles) throttle.configureTopic?.(name, image)
    }
  }

  /** The broker's own settings have changed, and with them the defaults of every topic. */
  reconfigure(image: MetadataImage): void {
    for (const topic of image.topics.byName.keys()) this.#configure(topic, image)
  }

  async #delete(topic: TopicImage): Promise<void> {
    const { replicas } = this.#deps
    const here = topic.partitions.filter(({ index }) => replicas.get(topic.name, index)?.topicId === topic.id)
    for (const { index } of here) {
      // Heartbeats do not wait for thousands of replicas, each of which makes the disk wait a little.
      if (this.#turns.isOver) await this.#turns.next()
      await this.#letGo(topic.name, index, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
    }
    await this.#deps.logs.delete(topic.name, ...here.map(({ index }) => index))
  }

  async #letGo(topic: string, index: number, error: ErrorCode): Promise<void> {
    const partition = this.#deps.replicas.get(topic, index)
    if (partition === undefined) return
    this.#deps.fetchers.stop(partition)
    const abandoned = this.#deps.mover.abandon(partition)
    this.#deps.replicas.drop(topic, index, error)
    this.#deps.onResigned(topic, index)
    await abandoned
    await partition.settled()
  }

  async #change(
    topic: TopicImage,
    changed: ReadonlySet<number>,
    before: MetadataImage,
    image: MetadataImage,
  ): Promise<void> {
    const config = this.#configOf(topic.name, image)
    const isReplay = before === MetadataImage.EMPTY
    for (const index of changed) {
      const partition = topic.partitions[index]
      if (partition === undefined) continue
      // Heartbeats do not wait for thousands of replicas, each of which makes the disk wait a little.
      if (this.#turns.isOver) await this.#turns.next()
      if (this.#isStopped) return
      if (partition.replicas.includes(this.#nodeId))
        await this.#host(topic, partition, config, !isReplay && !isHostedIn(before, topic.id, index, this.#nodeId))
      else if (this.#deps.replicas.get(topic.name, index) !== undefined) {
        await this.#letGo(topic.name, index, ErrorCode.NOT_LEADER_OR_FOLLOWER)
        await this.#deps.logs.delete(topic.name, index)
      }
    }
  }

  async #host(topic: TopicImage, state: PartitionImage, config: TopicConfig, isNew: boolean): Promise<void> {
    const hosted = this.#deps.replicas.get(topic.name, state.index)
    const before = hosted?.isLeader === true ? hosted.state.leaderEpoch : undefined
    if (hosted !== undefined) await this.#update(hosted, state)
    const partition = hosted ?? (await this.#open(topic, state, config, isNew))
    if (partition === undefined) return
    if (hosted === undefined) this.#deps.mover.resume(partition)
    this.#deps.fetchers.follow(partition)
    this.#deps.assignments.changed(partition, this.#directoryIn(state))
    if (before !== undefined && !partition.isLeader) this.#deps.onResigned(topic.name, state.index)
    if (partition.isLeader && before !== state.leaderEpoch) this.#deps.onLeader(partition)
  }

  /** Undefined where the cluster leaves the choice to this broker, or names what it does not have. */
  #onlineDirectoryIn(state: PartitionImage): string | undefined {
    const assigned = this.#directoryIn(state)
    const isHere = this.#deps.logs.directories().some(({ id, online }) => online && id === assigned)
    return isHere ? assigned : undefined
  }

  #directoryIn({ replicas, directories }: PartitionImage): string | undefined {
    return directories[replicas.indexOf(this.#nodeId)]
  }

  /** Nobody leads, or follows another, with a log that is being cut as the last leader wanted it. */
  async #update(hosted: Partition, state: PartitionImage): Promise<void> {
    while (hosted.isBusy) await hosted.settled()
    hosted.update(state)
  }

  /** A replica that is not new is not made while a log dir is offline: it may be there. Undefined where no log dir can hold it: the replica is offline, the broker goes on. */
  async #open(
    topic: TopicImage,
    state: PartitionImage,
    config: TopicConfig,
    isNew: boolean,
  ): Promise<Partition | undefined> {
    try {
      const log = await this.#deps.logs.getOrCreate(
        topic.name,
        state.index,
        topic.id,
        config,
        isNew,
        this.#onlineDirectoryIn(state),
      )
      return this.#deps.replicas.host({ topicId: topic.id, log, state, rules: appendRules(config) })
    } catch (error) {
      if (isTooManyFiles(error)) {
        this.#unopened.push({ topicId: topic.id, index: state.index, isNew })
      }
      this.#deps.logger.error(
        { topic: topic.name, partition: state.index, err: error },
        'a replica is offline: its log cannot be opened',
      )
      return undefined
    }
  }

  #configOf(topic: string, image: MetadataImage): TopicConfig {
    return parseTopicConfig(Object.fromEntries(image.configsOf(ResourceType.TOPIC, topic)), this.#deps.server())
  }

  #configure(topic: string, image: MetadataImage): void {
    const config = this.#configOf(topic, image)
    for (const { index } of image.topic(topic)?.partitions ?? []) {
      const partition = this.#deps.replicas.get(topic, index)
      partition?.configure(appendRules(config))
      partition?.log.updateConfig(config)
    }
  }
}

function isHostedIn(image: MetadataImage, topicId: string, index: number, nodeId: number): boolean {
  return image.partition(topicId, index)?.replicas.includes(nodeId) === true
}
