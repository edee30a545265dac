import type { Manifest, Resource, ResourceType } from '../api/resource.ts'
import type { KubeApi } from './api.ts'

/** A manifest that has been applied, and what the API server made of it. */
interface Mark {
  readonly wanted: string
  readonly made: string
}

/** Applied manifests, by kind and name. */
export type Marks = ReadonlyMap<string, Mark>

/**
 * Applies in one run what is not as the run before has left it. Compared is what the server said with what it says, so that neither its
 * defaults nor what others added look like a change, and everything that somebody has changed since does. Saves calls, and is no more than that.
 */
export class Applier {
  readonly #api: Pick<KubeApi, 'apply'>
  readonly #before: Marks
  readonly #marks = new Map<string, Mark>()

  /** `before` is what the run before came to. */
  constructor(options: { readonly before: Marks }, deps: { readonly api: Pick<KubeApi, 'apply'> }) {
    this.#before = options.before
    this.#api = deps.api
  }

  /** For the next run. */
  get marks(): Marks {
    return this.#marks
  }

  /** Gives the object as it is then; `there` is what it is now, read in this run. Rejects with KubeError. */
  async apply<T extends Resource>(type: ResourceType, manifest: T & Manifest, there: T | undefined): Promise<T> {
    const id = `${type.kind} ${manifest.metadata.name}`
    const wanted = JSON.stringify(manifest)
    const mark = this.#before.get(id)
    const isDone = there !== undefined && mark?.wanted === wanted && mark.made === contentOf(there)
    const object = isDone ? there : await this.#api.apply<T>(type, manifest)
    this.#marks.set(id, isDone ? mark : { wanted, made: contentOf(object) })
    return object
  }
}

/** Without what changes by itself: the status, and what the server counts. The items of a list come without their type. */
function contentOf(object: Resource): string {
  const { metadata } = object
  const own = { ...metadata, resourceVersion: undefined, generation: undefined, managedFields: undefined }
  return JSON.stringify({ ...object, apiVersion: undefined, kind: undefined, metadata: own, status: undefined })
}
