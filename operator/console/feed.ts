import type { Clock, Timer } from '../../broker/env/clock.ts'
import type { KafkaCluster, KafkaTopic, Key } from '../api/resource.ts'
import { keyOf } from '../api/resource.ts'
import type { GroupState } from '../kafka/group-state.ts'
import type { KafkaState, Unreachable } from '../kafka/state.ts'
import { detailOf, partitionsOf, summaryOf } from './model.ts'
import type { ClusterDetail, ClusterSummary, PartitionRow } from './model.ts'

/** Where the console reads. Nothing here changes anything. */
export interface ConsoleSource {
  clusters(): Promise<readonly KafkaCluster[]>
  topics(): Promise<readonly KafkaTopic[]>
  /** Never rejects. */
  look(cluster: KafkaCluster): Promise<KafkaState | Unreachable>
  /** Never rejects. */
  groups(cluster: KafkaCluster, kafka: KafkaState): Promise<readonly GroupState[]>
}

/** What one viewer looks at. */
export interface View {
  /** Null: the list of clusters only. */
  readonly cluster: Key | null
  readonly topic: string | null
}

/** What a viewer is sent, by the name of the server-sent event. */
export interface Messages {
  readonly clusters: readonly ClusterSummary[]
  /** Null: there is no such cluster. */
  readonly cluster: ClusterDetail | null
  readonly partitions: readonly PartitionRow[]
  readonly trouble: { readonly message: string }
  /** The trouble that was told of is over. */
  readonly recovered: Readonly<Record<string, never>>
}

export type Send = (event: keyof Messages, json: string) => void

/** How often what is looked at is read again, in ms. */
const REFRESH_MS = 2000

interface Viewer {
  readonly view: View
  readonly send: Send
  /** What it was sent last, by event: the same is not sent again. */
  readonly sent: Map<string, string>
}

/** Reads while somebody looks, once for all who look, and tells each viewer what has changed. */
export class Feed {
  readonly #source: ConsoleSource
  readonly #clock: Clock
  readonly #viewers = new Set<Viewer>()
  #isReading = false
  /** Somebody came while it was being read: that is not for them. */
  #isAskedAgain = false
  #next: Timer | undefined

  constructor(source: ConsoleSource, clock: Clock) {
    this.#source = source
    this.#clock = clock
  }

  /** Sends what there is, and every change, until what it returns is called. */
  subscribe(view: View, send: Send): () => void {
    const viewer: Viewer = { view, send, sent: new Map() }
    this.#viewers.add(viewer)
    if (this.#isReading) this.#isAskedAgain = true
    else void this.#readOn()
    return () => {
      this.#viewers.delete(viewer)
      if (this.#viewers.size === 0) this.#next?.cancel()
    }
  }

  async #readOn(): Promise<void> {
    this.#next?.cancel()
    this.#isReading = true
    do {
      this.#isAskedAgain = false
      await this.#read()
    } while (this.#isAskedAgain)
    this.#isReading = false
    if (this.#viewers.size > 0) this.#next = this.#clock.setTimer(REFRESH_MS, () => void this.#readOn())
  }

  async #read(): Promise<void> {
    try {
      const [clusters, topics] = await Promise.all([this.#source.clusters(), this.#source.topics()])
      for (const viewer of this.#viewers) {
        recover(viewer)
        tell(viewer, 'clusters', clusters.map(summaryOf))
      }
      const watched = Map.groupBy(this.#viewers, ({ view }) => view.cluster)
      watched.delete(null)
      await Promise.all([...watched].map(([key, viewers]) => this.#readCluster(key, viewers, clusters, topics)))
    } catch (error) {
      const message = `Kubernetes does not answer: ${error instanceof Error ? error.message : String(error)}`
      for (const viewer of this.#viewers) tell(viewer, 'trouble', { message })
    }
  }

  async #readCluster(
    key: Key | null,
    viewers: readonly Viewer[],
    clusters: readonly KafkaCluster[],
    topics: readonly KafkaTopic[],
  ): Promise<void> {
    const cluster = clusters.find((candidate) => keyOf(candidate) === key)
    if (cluster === undefined) {
      for (const viewer of viewers) tell(viewer, 'cluster', null)
      return
    }
    const kafka = await this.#source.look(cluster)
    const groups = 'error' in kafka ? [] : await this.#source.groups(cluster, kafka)
    const detail = detailOf(cluster, kafka, groups, topics)
    for (const viewer of viewers) {
      tell(viewer, 'cluster', detail)
      if (viewer.view.topic !== null) tell(viewer, 'partitions', partitionsOf(kafka, viewer.view.topic))
    }
  }
}

/** The same trouble is news again when it comes back. */
function recover(viewer: Viewer): void {
  if (viewer.sent.delete('trouble')) viewer.send('recovered', '{}')
}

function tell<E extends keyof Messages>(viewer: Viewer, event: E, message: Messages[E]): void {
  const json = JSON.stringify(message)
  if (viewer.sent.get(event) === json) return
  viewer.sent.set(event, json)
  viewer.send(event, json)
}
