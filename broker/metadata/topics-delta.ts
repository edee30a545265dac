import type { MetadataRecord, MetadataRecordOf } from '../protocol/metadata-record.ts'
import type { CowMapEditor } from './cow-map.ts'
import { type MetadataImage, type PartitionImage, type TopicImage, type TopicsImage } from './image.ts'
import { directoriesOf, partitionAfter } from './partition-after.ts'

interface EditedTopic {
  name: string
  id: string
  partitions: PartitionImage[]
  readonly changed: Set<number>
}

/** The topics that a run of records creates, deletes and changes. */
export class TopicsDelta {
  readonly #image: MetadataImage
  readonly #edited = new Map<string, EditedTopic>()
  readonly #deleted = new Map<string, TopicImage>()
  #byId: CowMapEditor<string, TopicImage> | undefined
  #byName: CowMapEditor<string, TopicImage> | undefined

  constructor(image: MetadataImage) {
    this.#image = image
  }

  /** Topics that are new or have changed partitions: their ids, and which partitions. */
  *changed(): Generator<{ readonly topicId: string; readonly name: string; readonly partitions: ReadonlySet<number> }> {
    for (const { id, name, changed } of this.#edited.values()) yield { topicId: id, name, partitions: changed }
  }

  /** Topics of the image before that are gone, by id. */
  get deleted(): ReadonlyMap<string, TopicImage> {
    return this.#deleted
  }

  get isEmpty(): boolean {
    return this.#edited.size === 0 && this.#deleted.size === 0
  }

  nameOfDeleted(topicId: string): string | undefined {
    return this.#deleted.get(topicId)?.name
  }

  /** False for a record that is not about topics. */
  replay(record: MetadataRecord): boolean {
    switch (record.type) {
      case 'TopicRecord':
        this.#create(record.value.topicId, record.value.name)
        return true
      case 'PartitionRecord':
        this.#setPartition(record.value)
        return true
      case 'PartitionChangeRecord':
        this.#changePartition(record.value)
        return true
      case 'RemoveTopicRecord':
        this.#remove(record.value.topicId)
        return true
      case 'ClearElrRecord':
        this.#clearElr(record.value.topicName)
        return true
      default:
        return false
    }
  }

  #create(id: string, name: string): void {
    this.#edited.set(id, { name, id, partitions: [], changed: new Set() })
  }

  #edit(id: string): EditedTopic {
    const edited = this.#edited.get(id)
    if (edited !== undefined) return edited
    const topic = this.#deleted.has(id) ? undefined : this.#image.topicById(id)
    if (topic === undefined) throw new Error(`no topic has id ${id}`)
    const copy = { name: topic.name, id, partitions: [...topic.partitions], changed: new Set<number>() }
    this.#edited.set(id, copy)
    return copy
  }

  #setPartition(record: MetadataRecordOf<'PartitionRecord'>): void {
    const topic = this.#edit(record.topicId)
    const { partitionId: index } = record
    if (index < 0 || index > topic.partitions.length) throw new Error(`partition ${topic.name}-${index} leaves a gap`)
    topic.changed.add(index)
    topic.partitions[index] = {
      index,
      replicas: record.replicas,
      directories: directoriesOf(record.replicas, record.directories),
      isr: record.isr,
      removingReplicas: record.removingReplicas,
      addingReplicas: record.addingReplicas,
      leader: record.leader,
      leaderEpoch: record.leaderEpoch,
      partitionEpoch: record.partitionEpoch,
      leaderRecoveryState: record.leaderRecoveryState,
      eligibleLeaderReplicas: record.eligibleLeaderReplicas ?? [],
      lastKnownElr: record.lastKnownElr ?? [],
    }
  }

  #changePartition(record: MetadataRecordOf<'PartitionChangeRecord'>): void {
    const topic = this.#edit(record.topicId)
    const before = topic.partitions[record.partitionId]
    if (before === undefined) throw new Error(`there is no partition ${topic.name}-${record.partitionId}`)
    topic.changed.add(record.partitionId)
    topic.partitions[record.partitionId] = partitionAfter(before, record)
  }

  #remove(id: string): void {
    const edited = this.#edited.get(id)
    const before = this.#image.topicById(id)
    if (edited === undefined && before === undefined) throw new Error(`no topic has id ${id}`)
    this.#edited.delete(id)
    const topic = before ?? edited
    if (topic !== undefined) this.#deleted.set(id, topic)
  }

  /** An empty name is every topic. */
  #clearElr(topicName: string): void {
    const ids = topicName === '' ? [...this.#ids()] : [this.#idOf(topicName)]
    for (const id of ids) {
      const partitions = this.#edited.get(id)?.partitions ?? this.#image.topicById(id)?.partitions ?? []
      for (const partition of partitions.filter(hasElr)) {
        const topic = this.#edit(id)
        topic.changed.add(partition.index)
        const cleared = { topicId: id, partitionId: partition.index, eligibleLeaderReplicas: [], lastKnownElr: [] }
        topic.partitions[partition.index] = partitionAfter(partition, cleared)
      }
    }
  }

  *#ids(): Generator<string> {
    for (const id of this.#image.topics.byId.keys()) if (!this.#deleted.has(id)) yield id
    for (const id of this.#edited.keys()) if (!this.#image.topics.byId.has(id)) yield id
  }

  #idOf(name: string): string {
    for (const topic of this.#edited.values()) if (topic.name === name) return topic.id
    const topic = this.#image.topic(name)
    if (topic === undefined) throw new Error(`there is no topic ${name}`)
    return topic.id
  }

  finish(): TopicsImage {
    if (this.isEmpty) return this.#image.topics
    this.#byId ??= this.#image.topics.byId.edit()
    this.#byName ??= this.#image.topics.byName.edit()
    for (const { id, name } of this.#deleted.values()) {
      this.#byId.delete(id)
      if (this.#byName.get(name)?.id === id) this.#byName.delete(name)
    }
    for (const { id, name, partitions } of this.#edited.values()) {
      const topic: TopicImage = { id, name, partitions }
      this.#byId.set(id, topic)
      this.#byName.set(name, topic)
    }
    return { byId: this.#byId.finish(), byName: this.#byName.finish() }
  }
}

function hasElr({ eligibleLeaderReplicas, lastKnownElr }: PartitionImage): boolean {
  return eligibleLeaderReplicas.length + lastKnownElr.length > 0
}
