import { ANNOTATION_RESTART, GROUP } from '../api/resource.ts'
import type { KafkaCluster, Resource } from '../api/resource.ts'
import { podConfig } from '../specs/config-map.ts'
import { externalListeners } from '../specs/external-services.ts'
import { isBroker, nodesOf } from '../specs/nodes.ts'
import type { Node } from '../specs/nodes.ts'
import { ANNOTATION_ADVERTISED, ANNOTATION_RACK, MOVED, placeAnnotations } from '../specs/place.ts'
import { advertisedListeners, brokerAddress } from './addresses.ts'
import type { Located } from './addresses.ts'
import type { Seen } from './seen.ts'

export interface PlacedPod extends Resource {
  spec?: { nodeName?: string }
}

/** What is known of where the brokers are. */
export interface Placement {
  /** Annotations to set on pods; null takes one off. */
  readonly changes: readonly { readonly pod: PlacedPod; readonly annotations: Record<string, string | null> }[]
  /** What pods wait for, in words, by listener or `rack`. */
  readonly waits: readonly { readonly what: string; readonly waitsFor: string }[]
  /** Of each listener that is reached from outside, by name: its brokers. */
  readonly brokers: ReadonlyMap<string, readonly Located[]>
}

/**
 * What the pods of a cluster have to be told about where they are. A pod is told once: what it was started with stays in its annotations, and
 * a pod of which something else is true now is marked to be restarted. Pure.
 */
export function placementOf(cluster: KafkaCluster, pods: readonly PlacedPod[], seen: Seen): Placement {
  const changes: { pod: PlacedPod; annotations: Record<string, string | null> }[] = []
  const waits: { what: string; waitsFor: string }[] = []
  const brokers = new Map<string, Located[]>(externalListeners(cluster).map(({ name }) => [name, []]))
  for (const node of nodesOf(cluster).filter(({ pool }) => isBroker(pool))) {
    const pod = pods.find(({ metadata }) => metadata.name === node.podName)
    const nodeName = pod?.spec?.nodeName
    if (pod === undefined || nodeName === undefined || pod.metadata.deletionTimestamp !== undefined) continue
    const place = placeOf(cluster, node, nodeName, seen)
    for (const [name, located] of place.located) brokers.get(name)?.push(located)
    waits.push(...place.waits)
    const wanted = place.waits.length === 0 ? place.annotations : null
    const annotations = wanted === null ? {} : changesOf(pod, placeAnnotations(cluster, node.pool), wanted)
    if (Object.keys(annotations).length > 0) changes.push({ pod, annotations })
  }
  return { changes, waits, brokers }
}

/** The pods that have been told nothing yet. Pure. */
export function untoldOf(cluster: KafkaCluster, pods: readonly PlacedPod[]): PlacedPod[] {
  const keys = new Map(nodesOf(cluster).map(({ podName, pool }) => [podName, placeAnnotations(cluster, pool)]))
  return pods.filter(({ metadata }) => {
    const waitsFor = keys.get(metadata.name) ?? []
    return waitsFor.length > 0 && waitsFor.every((key) => metadata.annotations?.[key] === undefined)
  })
}

interface Place {
  readonly annotations: Record<string, string>
  readonly located: readonly (readonly [string, Located])[]
  readonly waits: readonly { what: string; waitsFor: string }[]
}

function placeOf(cluster: KafkaCluster, node: Node, nodeName: string, seen: Seen): Place {
  const annotations: Record<string, string> = {}
  const waits: { what: string; waitsFor: string }[] = []
  const located = externalListeners(cluster).map(
    (listener) => [listener.name, brokerAddress(cluster, listener, node, nodeName, seen)] as const,
  )
  const external = new Map<string, string>()
  for (const [name, one] of located) {
    if ('address' in one) external.set(name, one.address)
    else waits.push({ what: `listener ${name}`, waitsFor: one.waitsFor })
  }
  const configured = podConfig(cluster, node).get('advertised.listeners') ?? ''
  if (external.size > 0) annotations[ANNOTATION_ADVERTISED] = advertisedListeners(cluster, configured, external)
  const label = cluster.spec.rack?.topologyKey
  const rack = label === undefined ? undefined : seen.nodes.get(nodeName)?.metadata.labels?.[label]
  if (rack !== undefined && rack !== '') annotations[ANNOTATION_RACK] = rack
  else if (label !== undefined) {
    waits.push({
      what: 'rack',
      waitsFor: `Kubernetes node ${nodeName} has no label ${label}, which spec.rack asks for`,
    })
  }
  return { annotations, located, waits }
}

/** A pod that waits is told; one that runs keeps what it was told, and is marked where that is not true any more. */
function changesOf(
  { metadata }: PlacedPod,
  keys: readonly string[],
  wanted: Record<string, string>,
): Record<string, string | null> {
  const current = metadata.annotations ?? {}
  const unset = keys.filter((key) => current[key] === undefined)
  const told = Object.fromEntries(unset.flatMap((key) => (wanted[key] === undefined ? [] : [[key, wanted[key]]])))
  const moved = keys
    .filter((key) => current[key] !== undefined && current[key] !== wanted[key])
    .map((key) => `${key.slice(GROUP.length + 1)} ${current[key]} -> ${wanted[key]}`)
  const reason = moved.length === 0 ? null : MOVED + moved.join(', ')
  const marked = current[ANNOTATION_RESTART] ?? null
  const isOurs = marked === null || marked.startsWith(MOVED)
  return isOurs && reason !== marked ? { ...told, [ANNOTATION_RESTART]: reason } : told
}
