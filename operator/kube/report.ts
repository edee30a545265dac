import type { Logger } from 'pino'
import { extrasChanged, healthChanged } from '../api/conditions.ts'
import type { Condition, Health } from '../api/conditions.ts'
import type { Manifest, Resource, ResourceType } from '../api/resource.ts'
import { keyOf } from '../api/resource.ts'
import { isConflict, isNotFound } from './api.ts'
import type { KubeApi } from './api.ts'
import type { EventRecorder } from './events.ts'

export interface Reported extends Resource {
  status?: { conditions?: Condition[] }
}

/** One that changes all the time is for the next run. */
const ATTEMPTS_MAX = 3

/**
 * Writes `status` where it differs from what `object` has. Where a condition says something new, the same words go into an Event and a log
 * line. An object that is gone meanwhile is no error; one that has been made anew under its name is refused with a conflict.
 */
export async function report(
  type: ResourceType,
  object: Reported,
  status: { conditions?: Condition[] },
  health: Health,
  deps: { api: KubeApi; events: Pick<EventRecorder, 'record'>; logger: Logger },
): Promise<void> {
  if (isSame(object.status, status) || !(await write(deps.api, type, object, status))) return
  const [before, after] = [object.status?.conditions, status.conditions ?? []]
  if (healthChanged(before, after)) {
    await tell(health.state, health.state === 'stalled' || health.state === 'unknown', health)
  }
  for (const condition of extrasChanged(before, after)) {
    await tell(`${condition.type}=${condition.status}`, condition.status !== 'True', condition)
  }

  async function tell(state: string, isBad: boolean, words: { reason: string; message: string }): Promise<void> {
    const { reason, message } = words
    const line = { kind: type.kind, key: keyOf(object), state, reason }
    if (isBad) deps.logger.warn(line, message)
    else deps.logger.info(line, message)
    await deps.events.record(object, { type: isBad ? 'Warning' : 'Normal', reason, action: 'Reconcile', note: message })
  }
}

/** Resolves with false where the object is gone. Of a uid a status subresource takes no notice: the version tells one object from the next. */
async function write(
  api: KubeApi,
  type: ResourceType,
  object: Reported,
  status: { conditions?: Condition[] },
): Promise<boolean> {
  const { name, namespace = '', uid } = object.metadata
  let { resourceVersion } = object.metadata
  for (let attempt = 1; ; attempt++) {
    const metadata = { name, namespace, ...(resourceVersion === undefined ? {} : { resourceVersion }) }
    const manifest: Manifest = { apiVersion: type.apiVersion, kind: type.kind, metadata, status }
    try {
      await api.applyStatus(type, manifest)
      return true
    } catch (error) {
      if (isNotFound(error)) return false
      // What is drawn at random is written down first: of two operators that both think that they lead, only one may do it.
      if (!isConflict(error) || isNamed(object.status, status) || attempt === ATTEMPTS_MAX) throw error
      const now = await api.get<Resource>(type, namespace, name)
      if (now === null) return false
      if (now.metadata.uid !== uid) throw error
      resourceVersion = now.metadata.resourceVersion
    }
  }
}

/** Whether a cluster id is written down that was not there before. */
function isNamed(before: object | undefined, after: object): boolean {
  return 'clusterId' in after && !('clusterId' in (before ?? {}))
}

/** Deep equality of JSON values; the order of keys does not count, and one that is undefined is none. */
function isSame(a: unknown, b: unknown): boolean {
  if (a === b) return true
  if (Array.isArray(a) || Array.isArray(b)) {
    return (
      Array.isArray(a) && Array.isArray(b) && a.length === b.length && a.every((item, index) => isSame(item, b[index]))
    )
  }
  if (!isFields(a) || !isFields(b)) return false
  const hasMore = Object.keys(b).some((key) => b[key] !== undefined && a[key] === undefined)
  return !hasMore && Object.keys(a).every((key) => isSame(a[key], b[key]))
}

function isFields(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}
