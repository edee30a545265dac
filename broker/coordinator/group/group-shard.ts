import type { Clock } from '../../env/clock.ts'
import type { CodecName, Compute } from '../../env/compute.ts'
import { ErrorCode } from '../../protocol/errors.ts'
import type { Appender, GroupLogger } from './appender.ts'
import type { GroupRules } from './classic-group.ts'
import { GroupOffsets } from './group-offsets.ts'
import type { GroupRecord } from './group-records.ts'
import { GroupRegistry } from './group-registry.ts'
import { type LoadTarget, loadPartition } from './loader.ts'
import { RecordWriter } from './record-writer.ts'

export interface ShardOptions {
  readonly rules: GroupRules
  readonly retentionMs: number
  readonly codec: CodecName
}

export interface ShardDeps {
  readonly appender: Appender
  readonly clock: Clock
  readonly compute: Compute
  readonly logger: GroupLogger
}

/**
 * Most loads take some milliseconds, a second where the machine is busy: who asks meanwhile waits for so long at most. Being told of it costs clients
 * more: kafkajs gives up its rejoin, and goes on with the coordinator before this one. Well below the time-outs of requests, 30 s.
 */
const PATIENCE_MS = 5000

/** One partition of `__consumer_offsets` while this broker leads it in one epoch: its groups and their offsets. */
export class GroupShard implements LoadTarget {
  readonly partition: number
  readonly leaderEpoch: number
  readonly groups: GroupRegistry
  readonly offsets: GroupOffsets
  readonly #writer: RecordWriter
  readonly #deps: ShardDeps
  readonly #unknownTypes = new Set<number>()
  readonly #loadedSoon = Promise.withResolvers<void>()
  #state: 'loading' | 'active' | 'closed' = 'loading'

  constructor(options: ShardOptions & { readonly partition: number; readonly leaderEpoch: number }, deps: ShardDeps) {
    const { clock } = deps
    this.partition = options.partition
    this.leaderEpoch = options.leaderEpoch
    this.#deps = deps
    this.#writer = new RecordWriter(options, deps)
    const onForgotten = (groupId: string): void => this.offsets.keepGroup(groupId)
    this.groups = new GroupRegistry(options, { clock, writer: this.#writer, onForgotten })
    this.offsets = new GroupOffsets(options, { groups: this.groups, writer: this.#writer, clock })
  }

  /** NONE, COORDINATOR_LOAD_IN_PROGRESS or NOT_COORDINATOR. */
  get availability(): ErrorCode {
    if (this.#state === 'active') return ErrorCode.NONE
    return this.#state === 'loading' ? ErrorCode.COORDINATOR_LOAD_IN_PROGRESS : ErrorCode.NOT_COORDINATOR
  }

  /** Resolves when it is known whether this is available, and at the latest when that takes long. */
  get loadedSoon(): Promise<void> {
    return this.#loadedSoon.promise
  }

  get isCancelled(): boolean {
    return this.#state === 'closed'
  }

  /** Reads the partition. One that cannot be read closes the shard: its groups are not served rather than served without history. */
  async load(): Promise<void> {
    const { clock, logger } = this.#deps
    const startMs = clock.monotonicMs()
    const patience = clock.setTimer(PATIENCE_MS, () => this.#loadedSoon.resolve())
    const { partition } = this
    try {
      const { records } = await loadPartition(partition, this, this.#deps)
      if (this.isCancelled) return
      await this.offsets.onLoaded()
      await this.groups.onLoaded()
      if (this.isCancelled) return
      this.#state = 'active'
      const ms = Math.round(clock.monotonicMs() - startMs)
      logger.info({ partition, groups: this.groups.count, records, ms }, 'group partition loaded')
      void this.offsets.forgetDeletedTopics()
    } catch (error) {
      if (this.isCancelled) return
      logger.error({ partition, err: error }, 'group partition cannot be loaded')
      this.close()
    } finally {
      patience.cancel()
      this.#loadedSoon.resolve()
    }
  }

  onRecord(record: GroupRecord, producerId: number): void {
    if (record.kind === 'unknown') return this.#skip(record.type)
    if (record.kind === 'group') return this.groups.replay(record.groupId, record.value)
    const { offsets } = this.offsets
    const { groupId, place, value } = record
    if (value === null) return offsets.delete(groupId, place)
    this.groups.getOrCreate(groupId)
    if (producerId === -1) offsets.commit(groupId, place, value)
    else offsets.commitInTransaction(producerId, groupId, place, value)
  }

  onEndTransaction(producerId: number, isCommit: boolean): void {
    this.offsets.offsets.endTransaction(producerId, isCommit)
  }

  /** Forgets the offsets of a topic that was deleted, once all of them are known. */
  topicDeleted(name: string, topicId: string): void {
    this.offsets.topicDeleted(name, topicId)
    if (this.#state === 'active') void this.offsets.forgetDeletedTopics()
  }

  #skip(type: number): void {
    if (this.#unknownTypes.has(type)) return
    this.#unknownTypes.add(type)
    this.#deps.logger.warn({ partition: this.partition, type }, 'group records of an unknown type are skipped')
  }

  /** Resolves when what was committed so far is in the log, whatever comes behind it: a busy partition is never without writes. */
  async settled(): Promise<void> {
    if (!this.#writer.isIdle && !this.isCancelled) await this.#writer.drained()
  }

  /** Gives up the partition: whoever waits is sent to its next coordinator. */
  close(): void {
    if (this.#state === 'closed') return
    this.#state = 'closed'
    this.#loadedSoon.resolve()
    void this.groups.unload()
    this.#writer.close(ErrorCode.NOT_COORDINATOR)
  }
}
