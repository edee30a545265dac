import type { Manifest, Resource } from '../api/resource.ts'

/** A manifest that has been applied, and what the API server made of it. */
export interface Mark {
  readonly wanted: string
  readonly made: string
}

/** `made` is the answer to the apply. */
export function markOf(manifest: Manifest, made: Resource): Mark {
  return { wanted: JSON.stringify(manifest), made: contentOf(made) }
}

/**
 * Whether to apply `manifest` once more would change nothing: what is `there` is what became of the same manifest. Compared is what the server
 * said with what it says, so that neither its defaults nor what others add look like a change, and everything that somebody has changed since does.
 */
export function isStill({ wanted, made }: Mark, manifest: Manifest, there: Resource): boolean {
  return JSON.stringify(manifest) === wanted && contentOf(there) === made
}

/** Without what changes by itself: the status, and what the server counts. The items of a list come without their type. */
function contentOf(object: Resource): string {
  const { metadata } = object
  const own = { ...metadata, resourceVersion: undefined, generation: undefined, managedFields: undefined }
  return JSON.stringify({ ...object, apiVersion: undefined, kind: undefined, metadata: own, status: undefined })
}
