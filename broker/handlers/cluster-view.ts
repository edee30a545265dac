import { isOnlineDirectory } from '../metadata/directory-id.ts'
import type { BrokerImage, EndpointImage, MetadataImage, PartitionImage, TopicImage } from '../metadata/image.ts'

/** A node as clients reach it on one listener. */
export interface NodeView {
  readonly id: number
  readonly host: string
  readonly port: number
  readonly rack: string | null
  readonly isFenced: boolean
}

export interface TopicView extends TopicImage {
  readonly isInternal: boolean
}
export type PartitionView = PartitionImage

const INTERNAL_TOPICS = new Set(['__consumer_offsets', '__transaction_state', '__share_group_state'])

/** Whether brokers keep a topic of this name for themselves. */
export function isInternalTopic(name: string): boolean {
  return INTERNAL_TOPICS.has(name)
}

/** The cluster as the metadata log has it at one offset, seen through what clients ask. */
export class ClusterView {
  readonly clusterId: string
  /** -1: none known. With KRaft any live broker will do: it forwards. */
  readonly controllerId: number
  readonly #image: MetadataImage

  constructor(image: MetadataImage, options: { readonly clusterId: string; readonly controllerId: number }) {
    this.clusterId = options.clusterId
    this.controllerId = options.controllerId
    this.#image = image
  }

  /** Registered brokers with an endpoint on `listener`; those that are fenced only `withFenced`. */
  brokers(listener: string, withFenced = false): NodeView[] {
    return [...this.#image.brokers.values()].flatMap((broker) => {
      const view = withFenced || !broker.isFenced ? nodeView(broker, listener) : undefined
      return view === undefined ? [] : [view]
    })
  }

  controllers(listener: string): NodeView[] {
    return [...this.#image.controllers.values()].flatMap(
      (node) => nodeView({ ...node, rack: null, isFenced: false }, listener) ?? [],
    )
  }

  isRegistered(broker: number): boolean {
    return this.#image.brokers.has(broker)
  }

  /** Where a broker is reached, fenced or not; undefined where it does not have the listener. */
  endpoint(broker: number, listener: string): NodeView | undefined {
    const node = this.#image.brokers.get(broker)
    return node === undefined ? undefined : nodeView(node, listener)
  }

  /** Whether clients of `listener` cannot use the replica: its broker is fenced or not there for them, or its log dir has failed. */
  isOffline({ replicas, directories }: PartitionView, replica: number, listener: string): boolean {
    const broker = this.#image.brokers.get(replica)
    if (broker === undefined || broker.isFenced || nodeView(broker, listener) === undefined) return true
    const directory = directories[replicas.indexOf(replica)]
    return directory !== undefined && !isOnlineDirectory(directory, broker.logDirs)
  }

  /** In the order of their names. */
  topics(): TopicView[] {
    return [...this.#image.topics.byName.values()].sort((a, b) => (a.name < b.name ? -1 : 1)).map(topicView)
  }

  topic(name: string): TopicView | undefined {
    const topic = this.#image.topic(name)
    return topic === undefined ? undefined : topicView(topic)
  }

  topicById(id: string): TopicView | undefined {
    const topic = this.#image.topicById(id)
    return topic === undefined ? undefined : topicView(topic)
  }
}

function topicView(topic: TopicImage): TopicView {
  return { ...topic, isInternal: isInternalTopic(topic.name) }
}

function nodeView(
  node: Pick<BrokerImage, 'id' | 'rack' | 'isFenced'> & { readonly endpoints: readonly EndpointImage[] },
  listener: string,
): NodeView | undefined {
  const endpoint = node.endpoints.find(({ name }) => name === listener)
  if (endpoint === undefined) return undefined
  return { id: node.id, host: endpoint.host, port: endpoint.port, rack: node.rack, isFenced: node.isFenced }
}
