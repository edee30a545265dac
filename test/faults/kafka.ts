import { CONFIG_MAP, keyOf, PERSISTENT_VOLUME_CLAIM, POD } from '../../operator/api/resource.ts'
import type { KafkaCluster, Key } from '../../operator/api/resource.ts'
import type { ConfigMap, Pod } from '../../operator/cluster/kubernetes.ts'
import { isPodReady } from '../../operator/cluster/kubernetes.ts'
import type { FakeKube } from '../fakes/kube.ts'
import { type Node, FakeCluster } from './kafka-cluster.ts'

/**
 * The Kafka clusters that run in the pods of a FakeKube: a node is there while its pod is ready, and goes by the ConfigMap and the arguments
 * that its pod was started with. What a cluster has outlives its pods, as volumes do.
 */
export class FakeKafka {
  readonly #api: FakeKube
  readonly #clusters = new Map<Key, FakeCluster>()

  constructor(deps: { api: FakeKube }) {
    this.#api = deps.api
  }

  /** The same clusters in the pods of `api`. */
  copy(deps: { api: FakeKube }): FakeKafka {
    const copy = new FakeKafka(deps)
    for (const [key, cluster] of this.#clusters) copy.#clusters.set(key, cluster.copy())
    return copy
  }

  /** The one that runs in the pods of `resource` now. */
  clusterOf(resource: KafkaCluster): FakeCluster {
    const key = keyOf(resource)
    const cluster = this.#clusters.get(key) ?? new FakeCluster()
    this.#clusters.set(key, cluster)
    cluster.run(this.#running(key))
    return cluster
  }

  /** Brokers copy what is being moved. */
  tick(): void {
    for (const [key, cluster] of this.#clusters) {
      cluster.run(this.#running(key))
      cluster.copyReplicas()
    }
  }

  /** What there is of every cluster, as plain data. */
  dump(): object {
    return Object.fromEntries([...this.#clusters].map(([key, cluster]) => [key, cluster.dump()]))
  }

  #running(key: Key): Node[] {
    const [namespace = '', name = ''] = key.split('/')
    return (this.#api.all(POD) as Pod[])
      .filter(({ metadata }) => metadata.namespace === namespace && metadata.name.startsWith(`${name}-`))
      .filter(isPodReady)
      .map((pod) => this.#nodeIn(pod))
      .sort((a, b) => a.id - b.id)
  }

  #nodeIn(pod: Pod): Node {
    const { namespace = '', name } = pod.metadata
    const configMap = pod.spec?.volumes?.find((volume) => volume.name === 'config')?.configMap?.name ?? ''
    const found: ConfigMap | null = this.#api.find(CONFIG_MAP, namespace, configMap)
    const text = found?.data?.[`${name}.properties`] ?? ''
    const property = (key: string): string => new RegExp(`^${key}=(.*)$`, 'm').exec(text)?.[1] ?? ''
    const args = formatArgs(pod)
    const claim = this.#api.find(PERSISTENT_VOLUME_CLAIM, namespace, `data-0-${name}`)
    if (text === '') throw new Error(`pod ${name} has no configuration: there is no ConfigMap ${configMap}`)
    return {
      id: Number(property('node\\.id')),
      isBroker: property('process\\.roles').includes('broker'),
      isController: property('process\\.roles').includes('controller'),
      clusterId: args[args.indexOf('-t') + 1] ?? '',
      // A volume that is there already is not formatted again.
      directoryId: `directory of ${claim?.metadata.uid}`,
      isInitial: !args.includes('--no-initial-controllers'),
    }
  }
}

/** Of the init container that formats the log directories; others may wait for something before. */
function formatArgs({ spec }: Pod): string[] {
  const { initContainers = [] } = spec as { initContainers?: { name: string; args?: string[] }[] }
  return initContainers.find(({ name }) => name === 'format')?.args ?? []
}
