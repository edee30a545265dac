import { isPodReady, podTrouble } from '../cluster/kubernetes.ts'
import type { ContainerStatus, Pod } from '../cluster/kubernetes.ts'

/** What a container waits for that does not come by itself. */
const FAILING: ReadonlySet<string> = new Set([
  'ErrImagePull',
  'ImagePullBackOff',
  'ErrImageNeverPull',
  'InvalidImageName',
  'CreateContainerConfigError',
  'CreateContainerError',
  'RunContainerError',
])

/** Once may be a hiccup: a name that was not known yet, a machine that was busy. */
const CRASHES_MIN = 3
/**
 * The kubelet waits for up to five minutes between two attempts, and forgets about those before once a container has run for ten, in ms. What
 * has run for longer has not crashed when it started; what is up for longer may be recovering its log.
 */
const LOOP_MS = 600_000

/**
 * Why a pod is down and does not get up, or null. A crash loop is one also while it makes another attempt, and in the same words: what looks
 * at it now and then must not see it come and go. Pure.
 */
export function failureOf(pod: Pod, nowMs: number): string | null {
  if (isPodReady(pod) || pod.metadata.deletionTimestamp !== undefined) return null
  const statuses = [...(pod.status?.initContainerStatuses ?? []), ...(pod.status?.containerStatuses ?? [])]
  const looping = statuses.find((status) => isLooping(status, nowMs))
  if (looping !== undefined) return loopWords(looping)
  return statuses.some(({ state }) => FAILING.has(state?.waiting?.reason ?? '')) ? podTrouble(pod) : null
}

function isLooping(status: ContainerStatus, nowMs: number): boolean {
  const { ready = false, restartCount = 0, state } = status
  if (ready || restartCount < CRASHES_MIN) return false
  const { startedAt = '', finishedAt = '' } = lastEnd(status) ?? {}
  const endedMs = Date.parse(finishedAt)
  if (endedMs - Date.parse(startedAt) >= LOOP_MS) return false
  return state?.waiting?.reason === 'CrashLoopBackOff' || nowMs - endedMs < LOOP_MS
}

function lastEnd({ state, lastState }: ContainerStatus) {
  return state?.terminated ?? lastState?.terminated
}

function loopWords(status: ContainerStatus): string {
  const end = lastEnd(status)
  const exit =
    end === undefined ? '' : `; it ended with exit code ${end.exitCode ?? '?'} (${end.reason ?? 'no reason'})`
  return `container ${status.name}: CrashLoopBackOff${exit}`
}
