/** A metav1.Condition. */
export interface Condition {
  type: string
  status: 'True' | 'False' | 'Unknown'
  observedGeneration?: number
  /** RFC 3339, whole seconds: when `status` last changed. */
  lastTransitionTime: string
  reason: string
  message: string
}

/**
 * How a resource is doing, in one value. kstatus (sigs.k8s.io/cli-utils) reads the conditions made of it:
 * - `ready`: as asked for.
 * - `progressing`: on its way; the operator goes on by itself.
 * - `stalled`: it will not get there unless somebody changes something.
 * - `unknown`: it cannot be seen (the cluster does not answer); the operator goes on trying.
 */
export interface Health {
  readonly state: 'ready' | 'progressing' | 'stalled' | 'unknown'
  /** CamelCase, for programs. */
  readonly reason: string
  /** One sentence, for people: what is the matter, and what to do about it. */
  readonly message: string
}

const READY_STATUS = { ready: 'True', progressing: 'False', stalled: 'False', unknown: 'Unknown' } as const

/**
 * The conditions of `health`: Ready always; Reconciling or Stalled where they hold (kstatus: abnormal conditions are absent when false).
 * `lastTransitionTime` of a condition moves only when its status does (Kubernetes API conventions).
 */
export function conditionsOf(
  health: Health,
  generation: number,
  previous: readonly Condition[] | undefined,
  nowMs: number,
): Condition[] {
  const conditions = [condition('Ready', READY_STATUS[health.state])]
  if (health.state === 'progressing' || health.state === 'unknown') conditions.push(condition('Reconciling', 'True'))
  if (health.state === 'stalled') conditions.push(condition('Stalled', 'True'))
  return conditions

  function condition(type: string, status: Condition['status']): Condition {
    const before = previous?.find((candidate) => candidate.type === type)
    return {
      type,
      status,
      observedGeneration: generation,
      lastTransitionTime: before?.status === status && isReal(before) ? before.lastTransitionTime : timestamp(nowMs),
      reason: health.reason,
      message: health.message,
    }
  }
}

/** Whether `next` says something else than `previous`, apart from times. */
export function healthChanged(previous: readonly Condition[] | undefined, next: readonly Condition[]): boolean {
  const words = (conditions: readonly Condition[]): string =>
    JSON.stringify(conditions.map(({ type, status, reason, message }) => [type, status, reason, message]))
  return words(previous ?? []) !== words(next)
}

/** RFC 3339 in UTC with whole seconds, as metav1.Time. */
export function timestamp(ms: number): string {
  return new Date(ms).toISOString().replace(/\.\d+Z$/, 'Z')
}

/** RFC 3339 in UTC with microseconds, as metav1.MicroTime. */
export function microTimestamp(ms: number): string {
  return new Date(ms).toISOString().replace('Z', '000Z')
}

/** Not the placeholder that the CRD puts there at creation. */
function isReal(condition: Condition): boolean {
  return condition.reason !== 'Pending'
}
