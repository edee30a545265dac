import type { Logger } from 'pino'
import type { ExtraCondition, Health } from '../api/conditions.ts'
import { firstOf } from '../api/first-of.ts'
import type { KafkaClusterStatus } from '../api/kafkacluster.ts'
import { POD, SERVICE } from '../api/resource.ts'
import type { KafkaCluster, Key } from '../api/resource.ts'
import type { ClusterStep, ClusterView, FoundCluster, StepResult } from '../cluster/step.ts'
import { isAnother, isNotFound, isRefusal } from '../kube/api.ts'
import type { KubeApi } from '../kube/api.ts'
import { externalListeners, externalServices } from '../specs/external-services.ts'
import { bootstrapServers } from '../specs/nodes.ts'
import { bootstrapAddress } from './addresses.ts'
import type { Located } from './addresses.ts'
import type { Authorities } from './authorities.ts'
import { bringObjects, knownObjects } from './objects.ts'
import { placementOf, untoldOf } from './place.ts'
import type { PlacedPod, Placement } from './place.ts'
import { readNodes } from './seen.ts'
import type { Seen, Service } from './seen.ts'

interface Deps {
  readonly api: KubeApi
  readonly authorities: Pick<Authorities, 'of' | 'forget'>
  readonly logger: Logger
}

/** How many refusals, or waits, a message names. */
const NAMED_MAX = 10
/** Labels of Kubernetes nodes are not watched. */
const WAIT_MS = 10_000

/** Services of listeners that are reached from outside of Kubernetes, and what brokers and clients have to know of them. */
export class PlacementStep implements ClusterStep {
  readonly #deps: Deps

  constructor(deps: Deps) {
    this.#deps = deps
  }

  async run(view: ClusterView): Promise<StepResult> {
    const { cluster, observed } = view
    const known = await knownObjects<Service>(this.#deps.api, SERVICE, cluster)
    const refused = await bringObjects(this.#deps.api, SERVICE, view, externalServices(cluster), known)
    const pods: readonly PlacedPod[] = observed.pods
    const seen = { services: known, nodes: await this.#nodes(cluster, pods, refused) }
    const placement = placementOf(cluster, pods, seen)
    await this.#tell(placement)
    const located = startsOf(cluster, seen, placement)
    const listeners = listenersOf(cluster, located, await this.#deps.authorities.of(cluster))
    return resultOf({ cluster, located, placement, refused, status: { listeners } })
  }

  /** A pod that Kubernetes has made anew waits to be told: it gets that, and nothing else is changed. */
  async tell({ cluster, observed }: FoundCluster): Promise<StepResult> {
    const pods = untoldOf(cluster, observed.pods)
    if (pods.length === 0) return {}
    const services = await knownObjects<Service>(this.#deps.api, SERVICE, cluster)
    await this.#tell(placementOf(cluster, pods, { services, nodes: await this.#nodes(cluster, pods, []) }))
    return {}
  }

  forget(key: Key): void {
    this.#deps.authorities.forget(key)
  }

  /** Adds to `refused` where the operator may not read them. */
  async #nodes(cluster: KafkaCluster, pods: readonly PlacedPod[], refused: string[]): Promise<Seen['nodes']> {
    const isNeeded =
      cluster.spec.rack !== undefined || externalListeners(cluster).some(({ type }) => type === 'nodeport')
    const names = isNeeded ? pods.flatMap(({ spec }) => spec?.nodeName ?? []) : []
    try {
      return await readNodes(this.#deps.api, new Set(names))
    } catch (error) {
      if (!isRefusal(error)) throw error
      refused.push(`the operator may not read Kubernetes nodes, set rbac.nodes of its chart: ${error.message}`)
      return new Map()
    }
  }

  async #tell({ changes }: Placement): Promise<void> {
    for (const { pod, annotations } of changes) {
      const { namespace = '', name, uid } = pod.metadata
      try {
        await this.#deps.api.patch(POD, namespace, name, { metadata: { uid, annotations } })
        this.#deps.logger.info({ pod: name, annotations }, `pod ${name} is told its place`)
      } catch (error) {
        // Another pod of this name, or none: it will be told in its turn.
        if (!isAnother(error) && !isNotFound(error)) throw error
      }
    }
  }
}

/** Where clients outside of Kubernetes begin, by listener. */
function startsOf(cluster: KafkaCluster, seen: Seen, { brokers }: Placement): Map<string, Located> {
  const listeners = externalListeners(cluster)
  return new Map(
    listeners.map((one) => [one.name, bootstrapAddress(cluster, one, seen, brokers.get(one.name) ?? [])] as const),
  )
}

interface Found {
  readonly cluster: KafkaCluster
  readonly located: ReadonlyMap<string, Located>
  readonly placement: Placement
  readonly refused: readonly string[]
  readonly status: Pick<KafkaClusterStatus, 'listeners'>
}

function resultOf({ cluster, located, placement, refused, status }: Found): StepResult {
  if (externalListeners(cluster).length === 0 && cluster.spec.rack === undefined) return { status }
  if (refused.length > 0) {
    const message = firstOf(refused, NAMED_MAX)
    return { status, ...bad({ state: 'stalled', reason: 'RefusedByKubernetes', message }), requeueAfterMs: WAIT_MS }
  }
  const starts = [...located].flatMap(([name, one]) => ('address' in one ? [] : [`listener ${name}: ${one.waitsFor}`]))
  const waits = [...new Set([...placement.waits.map(({ what, waitsFor }) => `${what}: ${waitsFor}`), ...starts])]
  if (waits.length > 0) {
    const message = `not known yet; ${firstOf(waits, NAMED_MAX)}`
    return { status, ...bad({ state: 'progressing', reason: 'PlacePending', message }), requeueAfterMs: WAIT_MS }
  }
  return {
    status,
    conditions: [{ type: CONDITION, status: 'True', reason: 'Known', message: 'brokers know where they are' }],
  }
}

/** Whether every broker has been told its rack and its addresses. */
const CONDITION = 'PlacesKnown'

function bad(health: Health): { health: Health; conditions: ExtraCondition[] } {
  const { reason, message } = health
  return { health, conditions: [{ type: CONDITION, status: 'False', reason, message }] }
}

function listenersOf(
  cluster: KafkaCluster,
  external: ReadonlyMap<string, Located>,
  authorities: ReadonlyMap<string, string>,
): NonNullable<KafkaClusterStatus['listeners']> {
  return cluster.spec.listeners.flatMap(({ name, port, type }) => {
    const authority = authorities.get(name)
    const certificate = authority === undefined ? {} : { certificate: authority }
    if (type === 'internal') return [{ name, bootstrapServers: bootstrapServers(cluster, port), ...certificate }]
    const located = external.get(name)
    if (located === undefined || !('address' in located)) return []
    return [{ name, bootstrapServers: located.address, ...certificate }]
  })
}
