import { parseProperties } from '../../broker/config/properties.ts'
import { ANNOTATION_IMAGE, ANNOTATION_PARTS, ANNOTATION_RESTART, ANNOTATION_RESTARTED_FOR } from '../api/resource.ts'
import type { ConfigMap, PersistentVolumeClaim, Pod, PodTemplate } from '../cluster/kubernetes.ts'
import { propertiesKey } from '../specs/nodes.ts'
import { differingParts } from '../specs/template-parts.ts'

/** What `kubectl rollout restart` writes into the template of a StatefulSet; nobody else does. */
const ANNOTATION_KUBECTL = 'kubectl.kubernetes.io/restartedAt'
/**
 * Only where a node that is there begins: it knows the quorum from its own metadata log, so a change of it is no reason to restart once there
 * is one.
 */
const BEGINNERS_KEYS: ReadonlySet<string> = new Set(['controller.quorum.bootstrap.servers'])
/** How long an online resize may take; a volume that still waits then is one whose driver cannot grow it while it is in use, in ms. */
const ONLINE_RESIZE_MS = 300_000

export interface Wanted {
  /** As the operator has applied it. */
  readonly template: PodTemplate
  /** As it is in the StatefulSet now: with what others have added. */
  readonly live: PodTemplate
  /** By name: those that are there, and the one that is wanted. */
  readonly configMaps: ReadonlyMap<string, ConfigMap>
  readonly claims: readonly PersistentVolumeClaim[]
  /** Whether the quorum has ever had a leader. */
  readonly isFormed: boolean
}

/** Why `pod` has to start anew, in words; none: it is as it would be made now. Pure. */
export function restartReasons(pod: Pod, wanted: Wanted, nowMs: number): string[] {
  return [
    ...manual(pod, wanted),
    ...image(pod, wanted.template),
    ...parts(pod, wanted.template),
    ...config(pod, wanted),
    ...wanted.claims.filter((claim) => waitsForRestart(claim, nowMs)).map(volumeReason),
  ]
}

/** Whether `pod` asks for a quorum where there will never be one: controllers that never began have given way to others. */
export function isMisled(pod: Pod, wanted: Wanted): boolean {
  return !wanted.isFormed && (differingKeys(pod, wanted) ?? []).some((key) => BEGINNERS_KEYS.has(key))
}

/** Why `pod` must not be restarted now: a volume that is growing would be unmounted in the middle of it. Null: it may be. */
export function restartHold(claims: readonly PersistentVolumeClaim[], nowMs: number): string | null {
  const growing = claims.find((claim) => isResizing(claim) && !waitsForRestart(claim, nowMs))
  return growing === undefined ? null : `volume claim ${growing.metadata.name} is being resized`
}

/** What of the StatefulSet decides on restarts, so that it can be seen whether Kubernetes would make new pods of it. */
export function revisionOf(template: PodTemplate | undefined): string {
  const annotations = template?.metadata?.annotations ?? {}
  return [
    imageOf(template),
    configMapOf(template),
    annotations[ANNOTATION_PARTS],
    annotations[ANNOTATION_RESTARTED_FOR],
  ]
    .map((part) => part ?? '')
    .join(' ')
}

/**
 * The image that was asked for. The one in the spec may have been rewritten by a webhook; it counts only where nothing else is written down, in
 * pods of operators of before: for the annotation alone none is restarted.
 */
export function imageOf(template: PodTemplate | undefined): string | undefined {
  const asked = template?.metadata?.annotations?.[ANNOTATION_IMAGE]
  return asked ?? template?.spec?.containers?.find(({ name }) => name === 'kafka')?.image
}

/** The name of the ConfigMap that a pod has. */
export function configMapOf(template: PodTemplate | undefined): string | undefined {
  return template?.spec?.volumes?.find(({ name }) => name === 'config')?.configMap?.name
}

function manual(pod: Pod, { template: { metadata }, live }: Wanted): string[] {
  const own = pod.metadata.annotations ?? {}
  const asked = metadata?.annotations?.[ANNOTATION_RESTARTED_FOR]
  const rollout = live.metadata?.annotations?.[ANNOTATION_KUBECTL]
  const reasons: string[] = []
  const byPod = own[ANNOTATION_RESTART]
  if (byPod !== undefined) reasons.push(`asked for at the pod: ${byPod}`)
  if (asked !== undefined && own[ANNOTATION_RESTARTED_FOR] !== asked) reasons.push(`asked for: ${asked}`)
  if (rollout !== undefined && own[ANNOTATION_KUBECTL] !== rollout)
    reasons.push(`kubectl rollout restart at ${rollout}`)
  return reasons
}

function image(pod: Pod, wanted: PodTemplate): string[] {
  const [before, after] = [imageOf(pod), imageOf(wanted)]
  return before === after ? [] : [`image ${before ?? 'unknown'} -> ${after ?? 'unknown'}`]
}

function parts(pod: Pod, wanted: PodTemplate): string[] {
  const after = wanted.metadata?.annotations?.[ANNOTATION_PARTS] ?? ''
  const differing = differingParts(pod.metadata.annotations?.[ANNOTATION_PARTS], after)
  return differing.length === 0 ? [] : [`pod template: ${differing.join(', ')}`]
}

function config(pod: Pod, wanted: Wanted): string[] {
  const keys = differingKeys(pod, wanted)
  if (keys === null) return [`config: ConfigMap ${configMapOf(pod) ?? ''} is gone`]
  const counting = wanted.isFormed ? keys.filter((key) => !BEGINNERS_KEYS.has(key)) : keys
  return counting.length === 0 ? [] : [`config: ${counting.join(', ')}`]
}

/** In which the server.properties of `pod` is not as it is wanted; null: what it has is not known any more. */
function differingKeys(pod: Pod, { template: wanted, configMaps }: Wanted): string[] | null {
  const [before, after] = [configMapOf(pod) ?? '', configMapOf(wanted) ?? '']
  const key = propertiesKey(pod.metadata.name)
  const now = configMaps.get(after)?.data?.[key]
  if (before === after || now === undefined) return []
  const old = configMaps.get(before)?.data?.[key]
  if (old === undefined) return null
  const [has, is] = [parseProperties(old), parseProperties(now)]
  return [...new Set([...has.keys(), ...is.keys()])].filter((name) => has.get(name) !== is.get(name)).toSorted()
}

function volumeReason({ metadata }: PersistentVolumeClaim): string {
  return `volume claim ${metadata.name} can only grow while it is not in use`
}

/** Kubernetes has grown the volume, and its file system not, for longer than that takes while the volume is in use. */
function waitsForRestart({ status }: PersistentVolumeClaim, nowMs: number): boolean {
  const pending = status?.conditions?.find(({ type }) => type === 'FileSystemResizePending')
  if (pending?.status !== 'True') return false
  return nowMs - Date.parse(pending.lastTransitionTime ?? '') > ONLINE_RESIZE_MS
}

/** One whose growth has failed is not: it may never come. */
function isResizing({ status }: PersistentVolumeClaim): boolean {
  if (Object.values(status?.allocatedResourceStatuses ?? {}).some((state) => state.endsWith('Infeasible'))) return false
  const types = ['Resizing', 'FileSystemResizePending']
  return (status?.conditions ?? []).some(({ type, status: holds }) => types.includes(type) && holds === 'True')
}
