import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { parse } from 'yaml'

const CRDS = resolve(import.meta.dirname, '..', '..', 'crds')

interface Schema {
  readonly type?: string
  readonly properties?: Readonly<Record<string, Schema>>
  readonly items?: Schema
  readonly additionalProperties?: Schema
  readonly enum?: readonly unknown[]
  readonly minimum?: number
  readonly maximum?: number
}

type Path = readonly (string | number)[]

/** One field of a spec with a value that is right, at the edge, or wrong; undefined: without it. */
export interface FieldChange {
  readonly path: Path
  readonly value: unknown
}

/** Every field that the CRD of `kind` has, with values of all sorts; elements of lists are changed where `spec` has them. */
export function fieldChanges(kind: string, spec: object): FieldChange[] {
  const crd = parse(readFileSync(resolve(CRDS, `${kind}.yaml`), 'utf8')) as {
    spec: { versions: { schema: { openAPIV3Schema: Schema } }[] }
  }
  const schema = crd.spec.versions[0]?.schema.openAPIV3Schema.properties?.['spec'] ?? {}
  return changesOf(schema, spec, [])
}

function changesOf(schema: Schema, value: unknown, path: Path): FieldChange[] {
  const here = valuesOf(schema, value).map((other) => ({ path, value: other }))
  const inside = Object.entries(schema.properties ?? {}).flatMap(([name, part]) =>
    changesOf(part, isFields(value) ? value[name] : undefined, [...path, name]),
  )
  const elements = Array.isArray(value)
    ? value.flatMap((element: unknown, index) => changesOf(schema.items ?? {}, element, [...path, index]))
    : []
  return [...(path.length === 0 ? [] : here), ...inside, ...elements]
}

function valuesOf(schema: Schema, value: unknown): unknown[] {
  const others = [...samplesOf(schema, value), ...(value === undefined ? [] : [undefined])]
  return others.filter((other) => JSON.stringify(other) !== JSON.stringify(value))
}

function samplesOf(schema: Schema, value: unknown): readonly unknown[] {
  if (schema.enum !== undefined) return [...schema.enum, 'no-such-thing']
  if (schema.type === 'boolean') return [true, false]
  if (schema.type === 'integer') return [schema.minimum ?? 0, Math.min(schema.maximum ?? 5, 5), -1]
  if (schema.type === 'string') return ['other', 'with\nnewline']
  if (schema.type === 'array') return [[], ...(Array.isArray(value) ? [[...value, ...value]] : [])]
  if (schema.additionalProperties !== undefined) return [{}, { 'no.such.key': 'x' }, { 'a\nb': 'c\nd' }]
  if (schema.properties !== undefined) return []
  // Anything: quantities are numbers or strings.
  return ['20Gi', 7, '-1', 'nonsense']
}

/** `spec` with one field changed. */
export function withChange<T>(spec: T, { path, value }: FieldChange): T {
  const [first, ...rest] = path
  if (first === undefined) return value as T
  if (Array.isArray(spec))
    return spec.map((part: unknown, index) => (index === first ? withChange(part, { path: rest, value }) : part)) as T
  const before: Readonly<Record<string, unknown>> = isFields(spec) ? spec : {}
  const after = { ...before, [first]: withChange(before[first], { path: rest, value }) }
  return Object.fromEntries(Object.entries(after).filter(([, part]) => part !== undefined)) as T
}

function isFields(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
