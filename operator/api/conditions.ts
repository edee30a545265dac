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

/** A condition besides Ready: of positive polarity, `True` is well. Its `lastTransitionTime` counts since when it is not. */
export interface ExtraCondition {
  readonly type: string
  readonly status: 'True' | 'False' | 'Unknown'
  readonly reason: string
  readonly message: string
}

/** Of a longer one (32,768 characters) an API server takes nothing of the status. */
const MESSAGE_MAX = 4096
const HEALTH_TYPES: ReadonlySet<string> = new Set(['Ready', 'Reconciling', 'Stalled'])
const READY_STATUS = { ready: 'True', progressing: 'False', stalled: 'False', unknown: 'Unknown' } as const

/**
 * The conditions of `health`: Ready always; Reconciling or Stalled where they hold (kstatus: abnormal conditions are absent when false); then
 * `extra`. Where these are not all, those of other types stay as they were.
 * `lastTransitionTime` of a condition moves only when its status does (Kubernetes API conventions).
 */
export function conditionsOf(
  health: Health,
  generation: number,
  previous: readonly Condition[] | undefined,
  nowMs: number,
  extra: readonly ExtraCondition[] | null = null,
  areAll = extra !== null,
): Condition[] {
  const { reason, message } = health
  const told: ExtraCondition[] = [{ type: 'Ready', status: READY_STATUS[health.state], reason, message }]
  if (health.state === 'progressing' || health.state === 'unknown') {
    told.push({ type: 'Reconciling', status: 'True', reason, message })
  }
  if (health.state === 'stalled') told.push({ type: 'Stalled', status: 'True', reason, message })
  told.push(...(extra ?? []))
  const isOther = ({ type }: Condition): boolean => !HEALTH_TYPES.has(type) && told.every((one) => one.type !== type)
  return [...told.map(condition), ...(areAll ? [] : (previous ?? []).filter(isOther))]

  function condition({ type, status, reason: why, message: words }: ExtraCondition): Condition {
    const before = previous?.find((candidate) => candidate.type === type)
    return {
      type,
      status,
      observedGeneration: generation,
      lastTransitionTime: before?.status === status && isReal(before) ? before.lastTransitionTime : timestamp(nowMs),
      reason: why,
      message: shortened(words),
    }
  }
}

function shortened(message: string): string {
  return message.length <= MESSAGE_MAX ? message : `${message.slice(0, MESSAGE_MAX - 1)}…`
}

/** What a resource's status says of `type`. */
export function conditionOf(
  { status }: { readonly status?: { readonly conditions?: readonly Condition[] } },
  type: string,
): Condition | undefined {
  return status?.conditions?.find((condition) => condition.type === type)
}

/** Whether `next` says something else of the health than `previous`, apart from times. */
export function healthChanged(previous: readonly Condition[] | undefined, next: readonly Condition[]): boolean {
  const words = (conditions: readonly Condition[]): string =>
    JSON.stringify(
      conditions
        .filter(({ type }) => HEALTH_TYPES.has(type))
        .map(({ type, status, reason, message }) => [type, status, reason, message]),
    )
  return words(previous ?? []) !== words(next)
}

/** Those of `next` besides the health that have another status or reason than in `previous`. One that is well from the start is no news. */
export function extrasChanged(previous: readonly Condition[] | undefined, next: readonly Condition[]): Condition[] {
  return next.filter(({ type, status, reason }) => {
    if (HEALTH_TYPES.has(type)) return false
    const before = previous?.find((candidate) => candidate.type === type)
    return before === undefined ? status !== 'True' : before.status !== status || before.reason !== reason
  })
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
