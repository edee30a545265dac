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

  isLive(broker: number): boolean {
    return this.#image.brokers.get(broker)?.isFenced === false
  }

  endpoint(broker: number, listener: string): NodeView | undefined {
    const node = this.#image.brokers.get(broker)
    return node === undefined || node.isFenced ? undefined : nodeView(node, listener)
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
