import type { Resource, ResourceType } from '../api/resource.ts'
import { isNotFound } from './api.ts'
import type { KubeApi } from './api.ts'

/**
 * Adds or removes a finalizer; refused with a conflict where the object has changed since `object` was read, so that another's finalizer is
 * never lost. Resolves with the object as it is then. To take one off what has gone meanwhile is no error.
 */
export async function setFinalizer<T extends Resource>(
  api: KubeApi,
  type: ResourceType,
  object: T,
  finalizer: string,
  present: boolean,
): Promise<T> {
  const { finalizers = [], namespace = '', name, resourceVersion } = object.metadata
  if (finalizers.includes(finalizer) === present) return object
  const next = present ? [...finalizers, finalizer] : finalizers.filter((other) => other !== finalizer)
  try {
    return await api.patch<T>(type, namespace, name, { metadata: { finalizers: next, resourceVersion } })
  } catch (error) {
    if (!present && isNotFound(error)) return object
    throw error
  }
}
