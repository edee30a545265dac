import { ZERO_UUID } from '../lib/uuid.ts'
import type { Field, Fields, Kind } from './fields.ts'
import { ALL_VERSIONS, includes, NO_VERSIONS, parseVersions } from './versions.ts'

/** One field as it stands in one version: what both generators work from. */
export interface PlannedField {
  readonly name: string
  readonly field: Field
  readonly kind: Kind
  /** False: this version has no such field, decoding gives its default. */
  readonly present: boolean
  readonly nullable: boolean
  readonly compact: boolean
  /** Set where the field is a tagged one. */
  readonly tag: number | undefined
}

/** The fields of a struct in `version`, in wire order. In a version that is not flexible there are no tagged fields. */
export function planFields(fields: Fields, version: number, flexible: boolean): PlannedField[] {
  return Object.entries(fields).map(([name, field]) => {
    const { versions, nullable, tag, flexible: mayBeCompact } = field.options
    const inVersion = includes(versions === undefined ? ALL_VERSIONS : parseVersions(versions), version)
    return {
      name,
      field,
      kind: field.kind,
      present: inVersion && (tag === undefined || flexible),
      nullable: includes(nullVersions(nullable), version),
      compact: flexible && mayBeCompact !== false,
      tag,
    }
  })
}

function nullVersions(nullable: string | true | undefined): { min: number; max: number } {
  if (nullable === undefined) return NO_VERSIONS
  return nullable === true ? ALL_VERSIONS : parseVersions(nullable)
}

const FIXED_BYTES: Partial<Record<Kind, number>> = {
  int8: 1,
  bool: 1,
  int16: 2,
  uint16: 2,
  int32: 4,
  uint32: 4,
  int64: 8,
  float64: 8,
  uuid: 16,
}

/** The fewest bytes that a field can take on the wire. */
export function bytesMin(field: Field, version: number, flexible: boolean, nullable = false): number {
  if (field.kind === 'struct') return nullable ? 1 : structBytesMin(field.fields ?? {}, version, flexible)
  const fixed = FIXED_BYTES[field.kind]
  if (fixed !== undefined) return fixed
  if (flexible) return 1
  return field.kind === 'string' ? 2 : 4
}

function structBytesMin(fields: Fields, version: number, flexible: boolean): number {
  let size = flexible ? 1 : 0
  for (const planned of planFields(fields, version, flexible)) {
    if (!planned.present || planned.tag !== undefined) continue
    size += bytesMin(planned.field, version, planned.compact, planned.nullable)
  }
  return size
}

/** The value of a field that is left out, as a JavaScript expression; every evaluation gives fresh arrays and objects. */
export function defaultExpression(field: Field): string {
  const value = field.options.default
  if (value === null) return 'null'
  switch (field.kind) {
    case 'int64':
      return `${typeof value === 'bigint' ? value : 0n}n`
    case 'bool':
      return JSON.stringify(value ?? false)
    case 'uuid':
    case 'string':
      return JSON.stringify(value ?? (field.kind === 'uuid' ? ZERO_UUID : ''))
    case 'bytes':
    case 'records':
      return 'NO_BYTES'
    case 'array':
      return '[]'
    case 'struct': {
      const members = Object.entries(field.fields ?? {}).map(
        ([name, member]) => `${name}: ${defaultExpression(member)}`,
      )
      return `({ ${members.join(', ')} })`
    }
    default:
      return JSON.stringify(value ?? 0)
  }
}

/** Whether `value`, as given to an encoder, is the default of `field`, as a JavaScript expression: a tagged field with it is not written. */
export function defaultTest(field: Field, value: string): string {
  const fallback = field.options.default
  return `(${value} === undefined || ${fallback === null ? `${value} === null` : `${value} !== null && ${plainTest(field, value)}`})`
}

/** As `defaultTest`, of a value that is there, where the default is not null. */
function plainTest(field: Field, value: string): string {
  switch (field.kind) {
    case 'bytes':
    case 'records':
    case 'array':
      return `${value}.length === 0`
    case 'struct': {
      const members = Object.entries(field.fields ?? {})
      return members.map(([name, member]) => defaultTest(member, `${value}.${name}`)).join(' && ') || 'true'
    }
    default:
      return `${value} === ${defaultExpression(field)}`
  }
}
