import { celEnv, celFunc, celMethod, CelScalar, listType, parse, plan } from '@bufbuild/cel'
import type { CelInput } from '@bufbuild/cel'
import { strings } from '@bufbuild/cel/ext'
import { quantityBytes } from '../specs/quantity.ts'

const { BOOL, DOUBLE, INT, STRING } = CelScalar

/** Those functions that Kubernetes adds to the language (https://kubernetes.io/docs/reference/using-api/cel/) and our rules call. A quantity is a double. */
const KUBERNETES = [
  celMethod('sum', listType(INT), [], INT, function () {
    return [...this].reduce((total: bigint, item) => total + (item as bigint), 0n)
  }),
  celFunc('isQuantity', [STRING], BOOL, (text) => !Number.isNaN(quantityBytes(text))),
  celFunc('quantity', [STRING], DOUBLE, quantityBytes),
  celMethod('isGreaterThan', DOUBLE, [DOUBLE], BOOL, function (other) {
    return this > other
  }),
]

const ENVIRONMENT = celEnv({ funcs: [...strings, ...KUBERNETES] })

/** What `expression`, of the Common Expression Language, makes of `self`: a CelError where it has no result. Throws where it cannot be read. */
export function evaluate(expression: string, self: unknown): ReturnType<ReturnType<typeof plan>> {
  return plan(ENVIRONMENT, parse(expression))({ self: celInput(self) })
}

/** An integer of YAML is an int, as its schema has it: no field of ours is a double. */
function celInput(value: unknown): CelInput {
  if (typeof value === 'number' && Number.isInteger(value)) return BigInt(value)
  if (Array.isArray(value)) return value.map(celInput)
  if (typeof value !== 'object' || value === null) return value as CelInput
  return Object.fromEntries(Object.entries(value).map(([name, field]) => [name, celInput(field)]))
}
