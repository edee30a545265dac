import { KafkaError } from '../../broker/client/kafka-error.ts'
import { brokerKey } from '../../broker/config/broker-keys.ts'
import { configDiff, describeDiff } from '../../operator/api/config-diff.ts'
import type { Configured } from '../../operator/cluster/reconcile.ts'
import type { KafkaState, PartitionState, QuorumReplica, Unreachable } from '../../operator/kafka/state.ts'
import type { ScalingAdmin } from '../../operator/scaling/admin.ts'
import type { Voter } from '../../operator/scaling/quorum-plan.ts'
import { FakeTopics } from '../fakes/operator.ts'
import { FakeReassignments } from '../fakes/reassignment.ts'

/** One that runs. */
export interface Node {
  readonly id: number
  readonly isBroker: boolean
  readonly isController: boolean
  readonly clusterId: string
  readonly directoryId: string
  /** It was formatted to begin a quorum. */
  readonly isInitial: boolean
}

/** One Kafka cluster, by what outlives its processes, and those that run. */
export class FakeCluster implements ScalingAdmin {
  readonly topics = new FakeTopics()
  readonly reassignments = new FakeReassignments([])
  #config: ReadonlyMap<string, string> = new Map()
  #metadataVersion = 30
  #clusterId = ''
  /** Directory ids by node id; none before the quorum has been formed. */
  readonly #voters = new Map<number, string>()
  /** Brokers that have ever been there. */
  readonly #registered = new Set<number>()
  readonly #cordoned = new Set<number>()
  #nodes: readonly Node[] = []

  copy(): FakeCluster {
    const copy = new FakeCluster()
    for (const [name, topic] of this.topics.topics)
      copy.topics.topics.set(name, { ...topic, config: new Map(topic.config) })
    for (const [key, partition] of this.reassignments.partitions)
      copy.reassignments.partitions.set(key, { ...partition })
    for (const topic of this.reassignments.throttled) copy.reassignments.throttled.add(topic)
    copy.reassignments.rate = this.reassignments.rate
    for (const [id, directoryId] of this.#voters) copy.#voters.set(id, directoryId)
    for (const id of this.#registered) copy.#registered.add(id)
    for (const id of this.#cordoned) copy.#cordoned.add(id)
    copy.#config = this.#config
    copy.#metadataVersion = this.#metadataVersion
    copy.#clusterId = this.#clusterId
    return copy
  }

  /** `nodes` are those that run now. */
  run(nodes: readonly Node[]): void {
    this.#nodes = nodes
    for (const { id, isBroker } of nodes) if (isBroker) this.#registered.add(id)
    if (this.#clusterId === '') this.#clusterId = nodes[0]?.clusterId ?? ''
    // The controllers that come first are the voters.
    if (this.#voters.size === 0)
      for (const { id, isController, isInitial, directoryId } of nodes)
        if (isController && isInitial) this.#voters.set(id, directoryId)
    this.#place()
  }

  copyReplicas(): void {
    this.reassignments.copied()
    for (const [name, topic] of this.topics.topics)
      topic.replicas = Math.min(...this.reassignments.replicas(name).map(({ length }) => length), 99)
  }

  state(): KafkaState | Unreachable {
    const brokers = this.#brokers()
    if (brokers.length === 0) return { error: 'no broker is there' }
    const observers = this.#nodes.filter(({ id }) => !this.#voters.has(id))
    return {
      clusterId: this.#clusterId,
      brokers: new Map(brokers.map((id) => [id, { rack: null }])),
      quorum: {
        leaderId: this.#leaderId(),
        voters: [...this.#voters].map(([id, directoryId]) => this.#replica(id, directoryId)),
        observers: observers.map(({ id, directoryId }) => this.#replica(id, directoryId)),
      },
      partitions: [...this.reassignments.partitions.values()].map((one) => this.#partition(one, brokers)),
      metadataVersion: { finalized: this.#metadataVersion, min: 7, max: 30 },
    }
  }

  /** What has to be changed for `wanted`, in words. */
  changesFor(wanted: ReadonlyMap<string, string>): string {
    return describeDiff(configDiff(wanted, this.#config, brokerKey))
  }

  async configure(wanted: ReadonlyMap<string, string>): Promise<Configured> {
    if (this.#brokers().length === 0) return { error: 'nobody is there' }
    const changes = this.changesFor(wanted)
    this.#config = new Map(wanted)
    return { changes }
  }

  async setMetadataVersion(level: number): Promise<Configured> {
    this.#metadataVersion = level
    return { changes: 'some' }
  }

  async resetMinIsr(topics: readonly string[]): Promise<string[]> {
    for (const topic of topics) this.topics.topics.get(topic)?.config.delete('min.insync.replicas')
    return [...topics]
  }

  async addVoter(_: string, { id, directoryId }: Voter): Promise<void> {
    const node = this.#nodes.find((one) => one.id === id)
    if (this.#leaderId() < 0 || node?.directoryId !== directoryId) throw KafkaError.network('not caught up')
    if (this.#voters.has(id)) throw new KafkaError('DUPLICATE_VOTER', String(id), { isRetriable: false })
    this.#voters.set(id, directoryId)
  }

  async removeVoter(_: string, { id, directoryId }: Voter): Promise<void> {
    if (this.#voters.get(id) !== directoryId)
      throw new KafkaError('VOTER_NOT_FOUND', String(id), { isRetriable: false })
    this.#voters.delete(id)
  }

  async registered(): Promise<{ id: number; isFenced: boolean }[]> {
    return [...this.#registered].map((id) => ({ id, isFenced: !this.#brokers().includes(id) }))
  }

  async unregister(brokerId: number): Promise<void> {
    this.#registered.delete(brokerId)
  }

  async isCordoned(brokerId: number): Promise<boolean> {
    return this.#cordoned.has(brokerId)
  }

  async cordon(brokerId: number, isOn: boolean): Promise<boolean> {
    if (isOn) this.#cordoned.add(brokerId)
    else this.#cordoned.delete(brokerId)
    return true
  }

  async replicasOn(brokerId: number): Promise<number> {
    return [...this.reassignments.partitions.values()].filter(({ replicas }) => replicas.includes(brokerId)).length
  }

  /** Which broker leads what may differ from run to run; how much there is of everything may not. */
  dump(): object {
    const topics = [...this.topics.topics].toSorted(([a], [b]) => (a < b ? -1 : 1))
    const partitions = [...this.reassignments.partitions.values()]
    const on = (id: number): number => partitions.filter(({ replicas }) => replicas.includes(id)).length
    return {
      config: Object.fromEntries(this.#config),
      metadataVersion: this.#metadataVersion,
      voters: [...this.#voters.keys()].sort((a, b) => a - b),
      registered: [...this.#registered].sort((a, b) => a - b),
      cordoned: [...this.#cordoned].sort((a, b) => a - b),
      throttle: [this.reassignments.rate, ...this.reassignments.throttled],
      underWay: partitions.filter(({ adding, removing }) => adding.length + removing.length > 0).length,
      replicas: Object.fromEntries([...this.#registered].map((id) => [id, on(id)])),
      topics: topics.map(([name, topic]) => ({ name, ...topic, config: Object.fromEntries(topic.config) })),
    }
  }

  #brokers(): number[] {
    return this.#leaderId() < 0 ? [] : this.#nodes.filter(({ isBroker }) => isBroker).map(({ id }) => id)
  }

  #leaderId(): number {
    const up = this.#nodes.filter(({ id }) => this.#voters.has(id)).map(({ id }) => id)
    return up.length > this.#voters.size / 2 ? Math.min(...up) : -1
  }

  #replica(id: number, directoryId: string): QuorumReplica {
    const isUp = this.#nodes.some((node) => node.id === id && node.directoryId === directoryId)
    return { id, directoryId, logEndOffset: 100, lagMs: isUp ? 0 : 60_000 }
  }

  #partition(one: PartitionState, brokers: readonly number[]): PartitionState {
    const isr = one.isr.filter((id) => brokers.includes(id))
    const minIsr = Number(
      this.topics.topics.get(one.topic)?.config.get('min.insync.replicas') ??
        this.#config.get('min.insync.replicas') ??
        1,
    )
    return { ...one, isr, leader: isr[0] ?? null, minIsr: Math.min(minIsr, one.replicas.length) }
  }

  /** What has been created or grown gets replicas, and what was deleted has none. */
  #place(): void {
    const all = this.reassignments.partitions
    for (const [key, { topic }] of all) if (!this.topics.topics.has(topic)) all.delete(key)
    const brokers = this.#brokers().filter((id) => !this.#cordoned.has(id))
    for (const id of this.#registered) this.reassignments.brokers.add(id)
    if (brokers.length === 0) return
    for (const [name, { partitions, replicas }] of this.topics.topics) {
      const placed = this.reassignments.replicas(name)
      if (placed.length >= partitions) continue
      const more = Array.from({ length: partitions - placed.length }, (_, index) =>
        Array.from(
          { length: Math.min(replicas, brokers.length) },
          (__, replica) => brokers[(placed.length + index + replica) % brokers.length] ?? 0,
        ),
      )
      this.reassignments.topic(name, ...placed, ...more)
    }
  }
}
