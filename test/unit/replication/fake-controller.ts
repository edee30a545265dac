import { LOST_DIRECTORY } from '../../../broker/metadata/directory-id.ts'
import { MetadataDelta } from '../../../broker/metadata/delta.ts'
import { MetadataImage, type PartitionImage } from '../../../broker/metadata/image.ts'
import type { ApiKey } from '../../../broker/protocol/api-key.ts'
import type { RequestOf, ResponseInputOf } from '../../../broker/protocol/apis.ts'
import { ErrorCode } from '../../../broker/protocol/errors.ts'
import type { MetadataRecord } from '../../../broker/protocol/metadata-record.ts'
import { record, uuid } from '../metadata/records.ts'

export const TOPIC = 'orders'
export const TOPIC_ID = uuid(7)

/** Whoever says that a replica is lost does not lead any more. */
function lostTo(partition: PartitionImage, brokerId: number): object {
  const isr = partition.isr.filter((id) => id !== brokerId)
  return partition.leader === brokerId ? { isr, leader: isr[0] ?? -1 } : { isr }
}

/** The metadata log of a cluster under test, written by the test and by what leaders ask for. */
export class FakeController {
  image = MetadataImage.EMPTY
  /** Answers that leaders get to AlterPartition instead of what they ask for. */
  readonly refusals: ErrorCode[] = []
  readonly asked: RequestOf<typeof ApiKey.AlterPartition>[] = []
  readonly #brokers = new Map<number, (image: MetadataImage) => void>()

  subscribe(id: number, follow: (image: MetadataImage) => void): void {
    this.#brokers.set(id, follow)
    follow(this.image)
  }

  unsubscribe(id: number): void {
    this.#brokers.delete(id)
  }

  write(...records: MetadataRecord[]): void {
    const delta = new MetadataDelta(this.image)
    for (const each of records) delta.replay(each)
    const offset = this.image.provenance.offset + records.length
    this.image = delta.finish({ offset, epoch: 1, timestampMs: 0 })
    for (const follow of this.#brokers.values()) follow(this.image)
  }

  change(change: object, index = 0): void {
    this.write(record('PartitionChangeRecord', { topicId: TOPIC_ID, partitionId: index, ...change }, 2))
  }

  partition(index = 0): PartitionImage {
    const partition = this.image.partition(TOPIC_ID, index)
    if (partition === undefined) throw new Error(`no partition ${index}`)
    return partition
  }

  assignReplicasToDirs(
    request: RequestOf<typeof ApiKey.AssignReplicasToDirs>,
  ): ResponseInputOf<typeof ApiKey.AssignReplicasToDirs> {
    const { brokerId } = request
    const directories = request.directories.map(({ id, topics }) => ({
      id,
      topics: topics.map(({ topicId, partitions }) => ({
        topicId,
        partitions: partitions.map(({ partitionIndex }) => {
          const before = this.partition(partitionIndex)
          const places = before.directories.map((place, at) => (before.replicas[at] === brokerId ? id : place))
          const lost = id === LOST_DIRECTORY ? lostTo(before, brokerId) : {}
          this.change({ directories: places, ...lost }, partitionIndex)
          return { partitionIndex, errorCode: ErrorCode.NONE }
        }),
      })),
    }))
    return { errorCode: ErrorCode.NONE, directories }
  }

  alterPartition(request: RequestOf<typeof ApiKey.AlterPartition>): ResponseInputOf<typeof ApiKey.AlterPartition> {
    this.asked.push(request)
    const topics = request.topics.map(({ topicId, partitions }) => ({
      topicId,
      partitions: partitions.map((asked) => {
        const { leader, leaderEpoch, partitionEpoch } = this.partition(asked.partitionIndex)
        const stale = asked.leaderEpoch !== leaderEpoch || asked.partitionEpoch !== partitionEpoch
        const errorCode = this.refusals.shift() ?? (stale ? ErrorCode.INVALID_UPDATE_VERSION : ErrorCode.NONE)
        if (errorCode !== ErrorCode.NONE)
          return {
            partitionIndex: asked.partitionIndex,
            errorCode,
            leaderId: leader,
            leaderEpoch,
            isr: [],
            partitionEpoch,
          }
        const isr = asked.newIsrWithEpochs.map(({ brokerId }) => brokerId)
        this.change({ isr }, asked.partitionIndex)
        return {
          partitionIndex: asked.partitionIndex,
          errorCode,
          leaderId: leader,
          leaderEpoch,
          isr,
          partitionEpoch: partitionEpoch + 1,
        }
      }),
    }))
    return { errorCode: ErrorCode.NONE, topics }
  }
}
