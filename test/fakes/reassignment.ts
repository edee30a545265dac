import { KafkaError } from '../../broker/client/kafka-error.ts'
import type { KafkaState, PartitionState } from '../../operator/kafka/state.ts'
import { replicaKey } from '../../operator/reassignment/admin.ts'
import type { BrokerDisks, ReassignmentAdmin, Target } from '../../operator/reassignment/admin.ts'
import { kafkaState, quorumReplica } from './operator.ts'

type Mutable = { -readonly [K in keyof PartitionState]: PartitionState[K] }

/** Partitions on brokers in memory: reassignments take until `copied` is called. */
export class FakeReassignments implements ReassignmentAdmin {
  readonly partitions = new Map<string, Mutable>()
  readonly brokers = new Set<number>()
  readonly calls: string[] = []
  readonly throttled = new Set<string>()
  rate: number | null = null
  /** The most replicas that were copied to one broker at a time. */
  copiesMax = 0
  roomBytes: number | null = null
  /** Called before each call; what it throws is what the call rejects with. */
  intercept: () => void = () => {}
  readonly #bytes: number

  constructor(brokers: readonly number[], bytes = 100) {
    for (const id of brokers) this.brokers.add(id)
    this.#bytes = bytes
  }

  topic(topic: string, ...replicas: readonly number[][]): this {
    for (const [partition, ids] of replicas.entries()) {
      const leader = ids[0] ?? null
      const state = {
        topic,
        topicId: topic,
        partition,
        leader,
        replicas: ids,
        isr: ids,
        adding: [],
        removing: [],
        minIsr: 1,
      }
      this.partitions.set(replicaKey(topic, partition), state)
    }
    return this
  }

  replicas(topic: string): number[][] {
    return [...this.partitions.values()].filter((one) => one.topic === topic).map((one) => [...one.replicas])
  }

  get state(): KafkaState {
    return kafkaState({
      brokers: new Map([...this.brokers].map((id) => [id, { rack: null }])),
      quorum: { leaderId: 0, voters: [quorumReplica(0)], observers: [] },
      partitions: [...this.partitions.values()].map((one) => ({ ...one })),
    })
  }

  /** Every reassignment under way is done. */
  copied(): void {
    for (const one of this.partitions.values()) {
      one.replicas = one.replicas.filter((id) => !one.removing.includes(id))
      one.isr = one.replicas
      if (!one.replicas.includes(one.leader ?? -1)) one.leader = one.replicas[0] ?? null
      one.adding = []
      one.removing = []
    }
  }

  async disks(brokerIds: readonly number[]): Promise<ReadonlyMap<number, BrokerDisks>> {
    this.intercept()
    const on = (id: number) =>
      [...this.partitions].filter(([, { isr }]) => isr.includes(id)).map(([key]) => [key, this.#bytes] as const)
    return new Map(brokerIds.map((id) => [id, { roomBytes: this.roomBytes, replicas: new Map(on(id)) }]))
  }

  async reassign(targets: readonly Target[]): Promise<readonly string[]> {
    this.intercept()
    for (const { topic, partition, replicas } of targets) {
      const one = this.partitions.get(replicaKey(topic, partition))
      if (one === undefined) throw new KafkaError('UNKNOWN_TOPIC_OR_PARTITION', topic, { isRetriable: false })
      this.calls.push(`${topic}-${partition} -> ${replicas === null ? 'cancel' : replicas.join()}`)
      const before = one.replicas.filter((id) => !one.adding.includes(id))
      const target = replicas ?? before
      one.adding = target.filter((id) => !before.includes(id))
      one.removing = before.filter((id) => !target.includes(id))
      one.replicas = [...target, ...one.removing]
      if (replicas === null || one.adding.length === 0) this.#settle(one, target)
    }
    for (const id of this.brokers) this.copiesMax = Math.max(this.copiesMax, this.#copiesTo(id))
    return []
  }

  async electPreferred(): Promise<void> {
    this.intercept()
    for (const one of this.partitions.values()) {
      const [preferred = -1] = one.replicas
      if (one.isr.includes(preferred)) one.leader = preferred
    }
  }

  async limit(): Promise<number | null> {
    this.intercept()
    return this.rate
  }

  async setLimit(bytesPerSecond: number | null): Promise<void> {
    this.intercept()
    this.rate = bytesPerSecond
  }

  async throttledTopics(): Promise<readonly string[]> {
    this.intercept()
    return [...this.throttled]
  }

  async setThrottled(topics: readonly string[], isThrottled: boolean): Promise<void> {
    this.intercept()
    for (const topic of topics) {
      if (isThrottled) this.throttled.add(topic)
      else this.throttled.delete(topic)
    }
  }

  #settle(one: Mutable, target: readonly number[]): void {
    one.replicas = [...target]
    one.isr = one.isr.filter((id) => target.includes(id))
    one.adding = []
    one.removing = []
    if (!target.includes(one.leader ?? -1)) one.leader = target[0] ?? null
  }

  #copiesTo(id: number): number {
    return [...this.partitions.values()].filter(({ adding }) => adding.includes(id)).length
  }
}
