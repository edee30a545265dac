import type { Manifest, Resource } from '../api/resource.ts'

/** The fields of Kubernetes' own objects that the operator reads. */
export interface StatefulSet extends Resource {
  spec: { replicas?: number; volumeClaimTemplates?: Manifest[]; template?: PodTemplate }
  status?: {
    observedGeneration?: number
    replicas?: number
    readyReplicas?: number
    updatedReplicas?: number
    currentRevision?: string
    updateRevision?: string
  }
}

/** What makes a pod; a pod itself is one too. */
export interface PodTemplate {
  metadata?: { labels?: Record<string, string>; annotations?: Record<string, string> }
  spec?: {
    containers?: { name: string; image?: string }[]
    volumes?: { name: string; configMap?: { name?: string } }[]
  }
}

export interface ConfigMap extends Resource {
  data?: Record<string, string>
}

export interface ContainerStatus {
  name: string
  ready?: boolean
  restartCount?: number
  state?: {
    running?: { startedAt?: string }
    waiting?: { reason?: string; message?: string }
    terminated?: Terminated & { message?: string }
  }
  lastState?: { terminated?: Terminated }
}

interface Terminated {
  reason?: string
  exitCode?: number
  startedAt?: string
  finishedAt?: string
}

export interface Pod extends Resource {
  spec?: NonNullable<PodTemplate['spec']> & { nodeName?: string }
  status?: {
    phase?: string
    conditions?: { type: string; status: string; reason?: string; message?: string; lastTransitionTime?: string }[]
    initContainerStatuses?: ContainerStatus[]
    containerStatuses?: ContainerStatus[]
  }
}

export interface PersistentVolumeClaim extends Resource {
  spec?: { resources?: { requests?: { storage?: string } } }
  status?: {
    phase?: string
    conditions?: { type: string; status: string; lastTransitionTime?: string }[]
    /** By resource: ControllerResizeInProgress, NodeResizeInfeasible, … */
    allocatedResourceStatuses?: Record<string, string>
  }
}

export function isPodReady(pod: Pod): boolean {
  const ready = pod.status?.conditions?.find(({ type }) => type === 'Ready')
  return ready?.status === 'True' && pod.metadata.deletionTimestamp === undefined
}

/** Why a pod is not ready, in Kubernetes' words as far as it says. */
export function podTrouble(pod: Pod): string {
  if (pod.metadata.deletionTimestamp !== undefined) return 'terminating'
  const statuses = [...(pod.status?.initContainerStatuses ?? []), ...(pod.status?.containerStatuses ?? [])]
  for (const { name, ready, state, lastState } of statuses) {
    const waiting = state?.waiting
    if (waiting?.reason !== undefined && waiting.reason !== 'PodInitializing') {
      const last = lastState?.terminated
      const exit =
        last === undefined ? '' : `; it ended with exit code ${last.exitCode ?? '?'} (${last.reason ?? 'no reason'})`
      return `container ${name}: ${waiting.reason}${waiting.message === undefined ? '' : `: ${waiting.message}`}${exit}`
    }
    const ended = state?.terminated
    if (ended !== undefined && ended.exitCode !== 0) {
      return `container ${name} ended with exit code ${ended.exitCode ?? '?'} (${ended.reason ?? 'no reason'})`
    }
    if (ready === false && state?.waiting === undefined && ended === undefined)
      return `container ${name} is not ready yet`
  }
  const scheduled = pod.status?.conditions?.find(({ type }) => type === 'PodScheduled')
  if (scheduled?.status === 'False') return `not scheduled: ${scheduled.message ?? scheduled.reason ?? 'no reason'}`
  return (pod.status?.phase ?? 'Pending').toLowerCase()
}
