import { isOnlineDirectory, MIGRATING_DIRECTORY, UNASSIGNED_DIRECTORY } from '../metadata/directory-id.ts'
import { type MetadataImage, type PartitionImage, ResourceType, type TopicImage } from '../metadata/image.ts'

/** What this controller's server.properties say of topics, for where the metadata sets nothing. */
export interface StaticSettings {
  readonly nodeId: number
  /** min.insync.replicas. */
  readonly minInSyncReplicas: number
  /** unclean.leader.election.enable. */
  readonly uncleanLeaderElectionEnable: boolean
}

/** What leaders are chosen by. */
export interface Cluster {
  readonly image: MetadataImage
  readonly settings: StaticSettings
}

/** One partition, and the topic that it is of. */
export interface TopicPartition {
  readonly topic: TopicImage
  readonly partition: PartitionImage
}

export const MIN_ISR = 'min.insync.replicas'
export const UNCLEAN = 'unclean.leader.election.enable'

/** Brokers that may lead. */
export function isActive(image: MetadataImage, id: number): boolean {
  const broker = image.brokers.get(id)
  return broker !== undefined && !broker.isFenced && !broker.isInControlledShutdown
}

/** The directory for a new replica: the only one that the broker has, or its own choice where it has several. */
export function directoryOn(image: MetadataImage, id: number): string {
  const broker = image.brokers.get(id)
  if (broker === undefined) return UNASSIGNED_DIRECTORY
  const [first = MIGRATING_DIRECTORY] = broker.logDirs
  return broker.logDirs.length > 1 ? UNASSIGNED_DIRECTORY : first
}

/** Whether the replica on `id` is in a directory that has not failed; false where there is none. */
export function isReadable(image: MetadataImage, { replicas, directories }: PartitionImage, id: number): boolean {
  const directory = directories[replicas.indexOf(id)]
  return directory !== undefined && isOnlineDirectory(directory, image.brokers.get(id)?.logDirs ?? [])
}

/** A setting of a topic: its own, else that of this node, else the cluster's; undefined where the metadata has none. */
function setting({ image, settings }: Cluster, topic: string, key: string): string | undefined {
  return (
    image.configsOf(ResourceType.TOPIC, topic).get(key) ??
    image.configsOf(ResourceType.BROKER, String(settings.nodeId)).get(key) ??
    image.configsOf(ResourceType.BROKER, '').get(key)
  )
}

/** min.insync.replicas, at most as many as the topic has replicas. */
export function minIsrOf(cluster: Cluster, topic: TopicImage): number {
  const wanted = Number(setting(cluster, topic.name, MIN_ISR) ?? cluster.settings.minInSyncReplicas)
  return Math.min(wanted, topic.partitions[0]?.replicas.length ?? wanted)
}

export function allowsUnclean(cluster: Cluster, topic: string): boolean {
  const wanted = setting(cluster, topic, UNCLEAN)
  return wanted === undefined ? cluster.settings.uncleanLeaderElectionEnable : wanted === 'true'
}

/** The partitions that `holds` is true of, topic by topic. */
export function* partitionsWhere(
  image: MetadataImage,
  holds: (partition: PartitionImage) => boolean,
): Generator<TopicPartition> {
  for (const topic of image.topics.byId.values()) {
    for (const partition of topic.partitions) if (holds(partition)) yield { topic, partition }
  }
}
