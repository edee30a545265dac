/** A structural schema of a CRD, as far as it is read here. */
export interface Schema {
  readonly type?: string
  readonly default?: unknown
  readonly properties?: Readonly<Record<string, Schema>>
  readonly additionalProperties?: Schema
  readonly items?: Schema
  readonly required?: readonly string[]
  readonly enum?: readonly unknown[]
  readonly pattern?: string
  readonly minimum?: number
  readonly maximum?: number
  readonly minLength?: number
  readonly maxLength?: number
  readonly maxProperties?: number
  readonly minItems?: number
  readonly maxItems?: number
  readonly 'x-kubernetes-list-type'?: 'atomic' | 'set' | 'map'
  readonly 'x-kubernetes-list-map-keys'?: readonly string[]
  readonly 'x-kubernetes-validations'?: readonly Rule[]
  readonly 'x-kubernetes-int-or-string'?: boolean
  readonly 'x-kubernetes-preserve-unknown-fields'?: boolean
}

/** Of x-kubernetes-validations. */
export interface Rule {
  /** CEL; `self` is the value. */
  readonly rule: string
  readonly message: string
  /** CEL, for what `message` says in general. */
  readonly messageExpression?: string
}

type Fields = Record<string, unknown>

/** `value` with the defaults of `schema` filled in, and without fields that are null, as an API server stores it. */
export function withDefaults(schema: Schema, value: unknown): unknown {
  if (Array.isArray(value))
    return value.map((item) => (schema.items === undefined ? item : withDefaults(schema.items, item)))
  const { properties, additionalProperties } = schema
  if (!isFields(value) || (properties === undefined && additionalProperties === undefined)) return value
  const filled: Fields = Object.fromEntries(Object.entries(value).filter(([, field]) => field !== null))
  for (const [name, property] of Object.entries(properties ?? {})) {
    if (filled[name] === undefined && property.default !== undefined) filled[name] = structuredClone(property.default)
    if (filled[name] !== undefined) filled[name] = withDefaults(property, filled[name])
  }
  return filled
}

/** What an API server would refuse about `value`, apart from CEL rules (`brokenRules`): one line a problem, each beginning with its path. */
export function problemsOf(schema: Schema, value: unknown, path: string): string[] {
  const wrong = scalarProblem(schema, value)
  if (wrong !== null) return [`${path}: ${wrong}`]
  if (Array.isArray(value)) {
    return [
      ...value.flatMap((item, index) => problemsOf(schema.items ?? {}, item, `${path}[${index}]`)),
      ...duplicates(schema, value, path),
    ]
  }
  return isFields(value) ? fieldProblems(schema, value, path) : []
}

function fieldProblems(schema: Schema, value: Fields, path: string): string[] {
  const missing = (schema.required ?? []).filter((name) => (value[name] ?? null) === null)
  return [
    ...missing.map((name) => `${path}.${name}: required`),
    ...Object.entries(value).flatMap(([name, field]) => {
      const known = schema.properties?.[name] ?? schema.additionalProperties
      // No field of ours is nullable: one that is null is as if it were not there.
      if (known !== undefined) return field === null ? [] : problemsOf(known, field, `${path}.${name}`)
      const isFree = schema['x-kubernetes-preserve-unknown-fields'] === true || schema.properties === undefined
      return isFree ? [] : [`${path}.${name}: unknown field`]
    }),
  ]
}

/** Items that are the same in what has to differ: those of a set in all, those of a map in their keys. */
function duplicates(schema: Schema, items: readonly unknown[], path: string): string[] {
  const keys = schema['x-kubernetes-list-map-keys']
  if (keys === undefined && schema['x-kubernetes-list-type'] !== 'set') return []
  const places = new Map<string, number>()
  return items.flatMap((item, index) => {
    const words = keys === undefined ? String(item) : keys.map((key) => `${key} ${fieldOf(item, key)}`).join(', ')
    const first = places.get(words)
    if (first !== undefined) return [`${path}[${index}]: ${words} is that of ${path}[${first}] too: they must differ`]
    places.set(words, index)
    return []
  })
}

function fieldOf(value: unknown, name: string): string {
  return isFields(value) ? String(value[name]) : ''
}

function scalarProblem(schema: Schema, value: unknown): string | null {
  const type = typeOf(value)
  const types = schema['x-kubernetes-int-or-string'] === true ? ['integer', 'string'] : [schema.type ?? type]
  if (!types.includes(type)) return `must be of type ${types.join(' or ')}, not ${type}`
  if (schema.enum !== undefined && !schema.enum.includes(value)) return `must be one of ${schema.enum.join(', ')}`
  if (typeof value === 'number') {
    if (value < (schema.minimum ?? value)) return `must be at least ${schema.minimum}`
    if (value > (schema.maximum ?? value)) return `must be at most ${schema.maximum}`
  }
  if (Array.isArray(value)) {
    if (value.length < (schema.minItems ?? 0)) return `must have at least ${schema.minItems}`
    if (value.length > (schema.maxItems ?? value.length)) return `must have at most ${schema.maxItems}`
  }
  if (isFields(value) && Object.keys(value).length > (schema.maxProperties ?? Infinity)) {
    return `must have at most ${schema.maxProperties}`
  }
  return typeof value === 'string' ? textProblem(schema, value) : null
}

function textProblem({ minLength = 0, maxLength = Infinity, pattern }: Schema, text: string): string | null {
  const { length } = Array.from(text)
  if (length < minLength) return `must have at least ${minLength} characters`
  if (length > maxLength) return `must have at most ${maxLength} characters`
  return pattern === undefined || new RegExp(pattern).test(text) ? null : `must match ${pattern}`
}

function typeOf(value: unknown): string {
  if (Array.isArray(value)) return 'array'
  if (typeof value === 'number') return Number.isInteger(value) ? 'integer' : 'number'
  return value === null ? 'null' : typeof value
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
