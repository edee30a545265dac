import type { Logger } from 'pino'
import { healthChanged } from '../api/conditions.ts'
import type { Condition, Health } from '../api/conditions.ts'
import type { Manifest, Resource, ResourceType } from '../api/resource.ts'
import { keyOf } from '../api/resource.ts'
import { isNotFound } from './api.ts'
import type { KubeApi } from './api.ts'
import type { EventRecorder } from './events.ts'

export interface Reported extends Resource {
  status?: { conditions?: Condition[] }
}

/**
 * Writes `status` where it differs from what `object` has. Where the conditions say something new, the same words go into an Event and a log
 * line. An object that is gone meanwhile is no error.
 */
export async function report(
  type: ResourceType,
  object: Reported,
  status: { conditions?: Condition[] },
  health: Health,
  deps: { api: KubeApi; events: EventRecorder; logger: Logger },
): Promise<void> {
  if (isSame(object.status, status)) return
  const { name, namespace = '' } = object.metadata
  const manifest: Manifest = {
    apiVersion: type.apiVersion,
    kind: type.kind,
    metadata: { name, namespace },
    status,
  }
  try {
    await deps.api.applyStatus(type, manifest)
  } catch (error) {
    if (isNotFound(error)) return
    throw error
  }
  if (!healthChanged(object.status?.conditions, status.conditions ?? [])) return
  const isBad = health.state === 'stalled' || health.state === 'unknown'
  const line = { kind: type.kind, key: keyOf(object), state: health.state, reason: health.reason }
  if (isBad) deps.logger.warn(line, health.message)
  else deps.logger.info(line, health.message)
  await deps.events.record(object, {
    type: isBad ? 'Warning' : 'Normal',
    reason: health.reason,
    action: 'Reconcile',
    note: health.message,
  })
}

/** Deep equality of JSON values; the order of keys does not count. */
function isSame(a: unknown, b: unknown): boolean {
  return canonical(a) === canonical(b)
}

function canonical(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) =>
    typeof part === 'object' && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([x], [y]) => (x < y ? -1 : 1)))
      : part,
  )
}
