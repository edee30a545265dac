import { setTimeout as sleep } from 'node:timers/promises'
import type { KafkaClusterStatus } from '../../../operator/api/kafkacluster.ts'
import type { TestApi } from '../../tools/kube-api.ts'
import type { Namespace } from '../cluster.ts'

const EVERY_MS = 1000
const WAIT_MS_MAX = 240_000
/** Of a cluster in which nothing is left to do. */
const WELL = ['Ready', 'UpToDate', 'ReplicasPlaced']

interface Pod {
  readonly metadata: { readonly name: string; readonly uid: string }
  readonly spec: {
    readonly nodeName: string
    readonly containers: readonly { readonly name: string; readonly image: string }[]
  }
}

interface Told {
  readonly metadata: { readonly generation: number }
  readonly status?: {
    readonly observedGeneration?: number
    readonly conditions?: readonly { readonly type: string; readonly status: string }[]
  }
}

/** The KafkaCluster `main` of `namespace` and its pods. Asks the API itself: kubectl costs a tenth of a second of CPU, which the load would see. */
export class DayTwo {
  readonly #namespace: Namespace
  readonly #api: TestApi

  constructor(namespace: Namespace, api: TestApi) {
    this.#namespace = namespace
    this.#api = api
  }

  /** Resolves when the operator has done what the spec says now. */
  settled(): Promise<void> {
    return this.#until('kafkaclusters/main', WELL)
  }

  /** The same of a KafkaTopic. */
  topicSettled(name: string): Promise<void> {
    return this.#until(`kafkatopics/${name}`, ['Ready'])
  }

  async status(): Promise<KafkaClusterStatus> {
    const { status } = await this.#kafka<{ status: KafkaClusterStatus }>('kafkaclusters/main')
    return status
  }

  /** By name. */
  async podUids(): Promise<Record<string, string>> {
    return Object.fromEntries((await this.#pods()).map(({ metadata }) => [metadata.name, metadata.uid]))
  }

  /** What the pods run, one each. */
  async images(): Promise<(string | undefined)[]> {
    return (await this.#pods()).map(({ spec }) => spec.containers.find(({ name }) => name === 'kafka')?.image)
  }

  async nodeOf(pod: string): Promise<string> {
    return (await this.#pods()).find(({ metadata }) => metadata.name === pod)?.spec.nodeName ?? ''
  }

  /** Resolves when none of these pods is there. */
  async gone(...pods: string[]): Promise<void> {
    const deadline = performance.now() + WAIT_MS_MAX
    for (let there = await this.podUids(); pods.some((pod) => pod in there); there = await this.podUids()) {
      if (performance.now() > deadline) throw new Error(`still there: ${Object.keys(there).join(', ')}`)
      await sleep(EVERY_MS)
    }
  }

  /** What a drain asks for, and no more than that: rejects where a budget is in the way. */
  async evict(pod: string): Promise<void> {
    const path = `/api/v1/namespaces/${this.#namespace.name}/pods/${pod}/eviction`
    await this.#api.request('POST', path, {
      apiVersion: 'policy/v1',
      kind: 'Eviction',
      metadata: { name: pod, namespace: this.#namespace.name },
      deleteOptions: { dryRun: ['All'] },
    })
  }

  async kubernetesNodes(): Promise<string[]> {
    const { items } = await this.#api.request<{ items: Pod[] }>('GET', '/api/v1/nodes')
    return items.map(({ metadata }) => metadata.name)
  }

  async #pods(): Promise<Pod[]> {
    const selector = encodeURIComponent('kafka.ottla.dev/cluster=main')
    const path = `/api/v1/namespaces/${this.#namespace.name}/pods?labelSelector=${selector}`
    return (await this.#api.request<{ items: Pod[] }>('GET', path)).items
  }

  #kafka<T>(path: string): Promise<T> {
    return this.#api.request('GET', `/apis/kafka.ottla.dev/v1alpha1/namespaces/${this.#namespace.name}/${path}`)
  }

  /** Resolves when `path` has all of `conditions` for the spec as it is. */
  async #until(path: string, conditions: readonly string[]): Promise<void> {
    const deadline = performance.now() + WAIT_MS_MAX
    for (;;) {
      const { metadata, status } = await this.#kafka<Told>(path)
      const isTrue = (type: string): boolean =>
        status?.conditions?.some((one) => one.type === type && one.status === 'True') === true
      if (status?.observedGeneration === metadata.generation && conditions.every(isTrue)) return
      if (performance.now() > deadline) throw new Error(`not settled: ${path}: ${JSON.stringify(status)}`)
      await sleep(EVERY_MS)
    }
  }
}
