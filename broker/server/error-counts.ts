import type { Field, Fields } from '../schema/fields.ts'

/** Calls `count` with each error code of a response, those of topics and partitions included: what Kafka counts as ErrorsPerSec. */
export type ErrorCounter = (response: unknown, count: (code: number) => void) => void

/** A field that error codes lie in. */
interface Part {
  readonly name: string
  readonly isList: boolean
  readonly count: ErrorCounter
}

/** What counts the errors of responses with `fields`, without a look at fields that have none. */
export function errorCounter(fields: Fields): ErrorCounter {
  return counterOf(fields) ?? (() => {})
}

/** Undefined where no field has any. */
function counterOf(fields: Fields): ErrorCounter | undefined {
  const hasCode = fields['errorCode'] !== undefined
  const parts = Object.entries(fields).flatMap(([name, field]) => partOf(name, field))
  if (!hasCode && parts.length === 0) return undefined
  return (response, count) => {
    const struct = response as Readonly<Record<string, unknown>>
    if (hasCode) countCode(struct['errorCode'], count)
    for (let index = 0; index < parts.length; index++) countPart(parts[index] as Part, struct, count)
  }
}

function partOf(name: string, field: Field): Part[] {
  const isList = field.kind === 'array'
  const fields = (isList ? field.element : field)?.fields
  const count = fields === undefined ? undefined : counterOf(fields)
  return count === undefined ? [] : [{ name, isList, count }]
}

/** Handlers may leave fields out. */
function countCode(code: unknown, count: (code: number) => void): void {
  if (typeof code === 'number') count(code)
}

function countPart(part: Part, struct: Readonly<Record<string, unknown>>, count: (code: number) => void): void {
  const value = struct[part.name]
  if (value === undefined || value === null) return
  if (!part.isList) part.count(value, count)
  else for (const item of value as readonly unknown[]) part.count(item, count)
}
