import { crc32c } from '../../broker/lib/crc32c.ts'

export interface TemplateContainer {
  readonly name: string
  readonly [field: string]: unknown
}

/** The spec of a pod's template. */
export interface TemplateSpec {
  readonly initContainers: readonly TemplateContainer[]
  readonly containers: readonly TemplateContainer[]
  readonly volumes: readonly object[]
  readonly [field: string]: unknown
}

/** Fields of a pod that say where it may run. */
const SCHEDULING = ['nodeSelector', 'affinity', 'tolerations', 'topologySpreadConstraints', 'priorityClassName']

/**
 * What a pod is made of, part by part: `resources=1a2b3c4d,scheduling=…`. What differs between a pod's and its StatefulSet's is why it has to
 * be replaced. Not in it: the image and the configuration, which are compared as such, and how new nodes are formatted, since a node that is
 * there is not.
 */
export function templateParts(metadata: object, spec: TemplateSpec): string {
  const { initContainers, containers, volumes, ...rest } = spec
  const all = [...initContainers, ...containers]
  const scheduling = Object.fromEntries(SCHEDULING.map((field) => [field, rest[field]]))
  const parts = {
    metadata,
    resources: all.map(({ name, resources }) => [name, resources]),
    scheduling,
    pod: [
      Object.fromEntries(Object.entries(rest).filter(([field]) => !SCHEDULING.includes(field))),
      all.map((container) => without(container, COMPARED_APART.get(container.name) ?? APART)),
      volumes.filter((volume) => !('configMap' in volume)),
    ],
  }
  return Object.entries(parts)
    .map(
      ([name, part]) =>
        `${name}=${crc32c(Buffer.from(canonical(part)))
          .toString(16)
          .padStart(8, '0')}`,
    )
    .join(',')
}

/** Fields of containers that are compared by themselves, or not at all. */
const APART = ['image', 'resources']
const COMPARED_APART: ReadonlyMap<string, readonly string[]> = new Map([['format', [...APART, 'args', 'command']]])

function without(object: object, fields: readonly string[]): object {
  return Object.fromEntries(Object.entries(object).filter(([field]) => !fields.includes(field)))
}

/** The names of the parts that differ; all of them where there is nothing to compare with. */
export function differingParts(before: string | undefined, after: string): string[] {
  const known = new Set((before ?? '').split(','))
  return after
    .split(',')
    .filter((part) => !known.has(part))
    .map((part) => part.slice(0, part.indexOf('=')))
}

function canonical(value: unknown): string {
  return JSON.stringify(value ?? null, (_, part: unknown) =>
    typeof part === 'object' && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  )
}
