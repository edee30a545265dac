import { LOST_DIRECTORY, MIGRATING_DIRECTORY } from '../metadata/directory-id.ts'
import type { LogManager } from '../storage/log-manager.ts'
import type { Logger } from '../telemetry/logger.ts'
import type { DirectoryAssignments } from './directory-assignments.ts'
import type { Fetchers } from './metadata-publisher.ts'
import type { Partition } from './partition.ts'

export interface ReplicaRepairDeps {
  readonly logs: Pick<LogManager, 'directories'>
  readonly fetchers: Fetchers
  readonly assignments: Pick<DirectoryAssignments, 'assign'>
  readonly logger: Logger
}

const NO_LEADER = -1

/**
 * Where the cluster believes the replicas here to be, and what becomes of one whose log is damaged: the cluster is told that it is lost,
 * so that it leads no more, leaves the ISR, and is not eligible to lead; then the damage is cut off, fetched again from the leader, and the
 * cluster hears that the replica is there. A replica that no other can stand in for is left as it is, and is there again if the others went
 * when it was told to be lost: else nobody would lead, for ever where they come back without all that they acknowledged.
 */
export class ReplicaRepair {
  readonly #nodeId: number
  readonly #deps: ReplicaRepairDeps
  /** Where the damage begins. Of one that goes from here nobody tells: it is forgotten by itself. */
  readonly #damaged = new WeakMap<Partition, number>()

  constructor(options: { readonly nodeId: number }, deps: ReplicaRepairDeps) {
    this.#nodeId = options.nodeId
    this.#deps = deps
  }

  /** From `offset` on the log is not what was written. */
  damaged(partition: Partition, offset: number): void {
    const known = this.#damaged.get(partition)
    this.#damaged.set(partition, Math.min(offset, known ?? offset))
    if (known !== undefined) return
    const { topic, partition: index } = partition.log
    this.#deps.logger.error({ topic, partition: index, offset }, 'a log is damaged')
    this.#proceed(partition, undefined)
  }

  /** The metadata log has changed a partition; `directoryId` is where the cluster believes its replica to be. */
  changed(partition: Partition, directoryId: string | undefined): void {
    if (partition.isOffline) this.#damaged.delete(partition)
    else if (this.#damaged.has(partition)) this.#proceed(partition, directoryId)
    else if (this.#directoryOf(partition) !== directoryId) this.#tell(partition)
  }

  /** The cluster hears where the replica is (KIP-858). */
  #tell(partition: Partition): void {
    const directoryId = this.#directoryOf(partition)
    if (directoryId === undefined) return
    const { topicId, log } = partition
    this.#deps.assignments.assign({ topicId, partition: log.partition, directoryId })
  }

  #directoryOf({ log }: Partition): string | undefined {
    return this.#deps.logs.directories().find(({ path }) => path === log.parentDirectory)?.id ?? undefined
  }

  /**
   * `directoryId` as in `changed`; undefined where that is not known. As long as the cluster does not believe that the replica is lost, its
   * leader may have it put into the ISR, and whoever is cut then could be elected without what it acknowledged.
   */
  #proceed(partition: Partition, directoryId: string | undefined): void {
    const { isr, eligibleLeaderReplicas = [], leader } = partition.state
    const { topicId, log } = partition
    const mayLead = isr.includes(this.#nodeId) || eligibleLeaderReplicas.includes(this.#nodeId)
    if (!mayLead && isLost(directoryId)) {
      if (leader === this.#nodeId || leader === NO_LEADER) return
      if (partition.isBusy) void partition.settled().then(() => this.changed(partition, directoryId))
      else void this.#cut(partition)
    } else if (leader === NO_LEADER && directoryId === LOST_DIRECTORY) this.#tell(partition)
    else if (isr.some((id) => id !== this.#nodeId))
      this.#deps.assignments.assign({ topicId, partition: log.partition, directoryId: LOST_DIRECTORY })
  }

  async #cut(partition: Partition): Promise<void> {
    const { log } = partition
    const { topic, partition: index } = log
    const offset = this.#damaged.get(partition) ?? log.logEndOffset
    this.#deps.fetchers.stop(partition)
    try {
      await partition.truncate(() => log.truncateTo(offset))
      this.#damaged.delete(partition)
      this.#deps.logger.warn({ topic, partition: index, offset }, 'the damage is cut off, to be fetched again')
      this.#tell(partition)
    } catch (error) {
      this.#deps.logger.error({ topic, partition: index, offset, err: error }, 'the damage could not be cut off')
    }
    this.#deps.fetchers.follow(partition)
  }
}

/** Before metadata.version 3.7 the cluster knows of no directories: it cannot be told more than the ISR says. */
function isLost(directoryId: string | undefined): boolean {
  return directoryId === LOST_DIRECTORY || directoryId === MIGRATING_DIRECTORY
}
