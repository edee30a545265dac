import type { MetadataRecord } from '../protocol/metadata-record.ts'
import { ClusterDelta } from './cluster-delta.ts'
import { ConfigsDelta } from './configs-delta.ts'
import { MetadataImage, type Provenance } from './image.ts'
import { SecurityDelta } from './security-delta.ts'
import { TopicsDelta } from './topics-delta.ts'

/**
 * What a run of records changes in an image: replay them, ask what changed, then `finish` for the image with the changes. The parts
 * tell which topics, partitions, brokers and configs are concerned, so that a publisher looks at nothing else.
 */
export class MetadataDelta {
  readonly image: MetadataImage
  readonly topics: TopicsDelta
  readonly cluster: ClusterDelta
  readonly configs: ConfigsDelta
  readonly security: SecurityDelta

  constructor(image: MetadataImage) {
    this.image = image
    this.topics = new TopicsDelta(image)
    this.cluster = new ClusterDelta(image)
    this.configs = new ConfigsDelta(image)
    this.security = new SecurityDelta(image)
  }

  /** Throws an Error where the record does not go with the image: the log is corrupt, or we replay it wrongly. */
  replay(record: MetadataRecord): void {
    if (this.topics.replay(record)) {
      if (record.type === 'RemoveTopicRecord') this.configs.forgetTopic(this.topics.nameOfDeleted(record.value.topicId))
      return
    }
    if (this.cluster.replay(record) || this.configs.replay(record) || this.security.replay(record)) return
    // NoOpRecord changes nothing, and the loader deals with the three transaction records.
  }

  finish(provenance: Provenance): MetadataImage {
    return new MetadataImage({
      provenance,
      topics: this.topics.finish(),
      ...this.cluster.finish(),
      ...this.configs.finish(),
      ...this.security.finish(),
    })
  }
}
