import type { Field, Fields } from '../../broker/schema/fields.ts'
import { planFields } from '../../broker/schema/plan.ts'
import type { SimRandom } from '../fakes/random.ts'
import type { AnyMessage } from './schemas.ts'

/** Random values for the fields that `version` of a message has; nullable ones are null at times, tagged ones left out at times. */
export function randomMessage(random: SimRandom, message: AnyMessage, version: number): Record<string, unknown> {
  return randomStruct(random, message.fields, version, message.isFlexible(version))
}

function randomStruct(random: SimRandom, fields: Fields, version: number, flexible: boolean): Record<string, unknown> {
  const value: Record<string, unknown> = {}
  for (const { name, field, present, nullable, tag } of planFields(fields, version, flexible)) {
    if (!present || (tag !== undefined && random.chance(0.5))) continue
    value[name] = nullable && random.chance(0.25) ? null : randomValue(random, field, version, flexible)
  }
  return value
}

function randomValue(random: SimRandom, field: Field, version: number, flexible: boolean): unknown {
  switch (field.kind) {
    case 'int8':
      return (random.uint32() << 24) >> 24
    case 'int16':
      return (random.uint32() << 16) >> 16
    case 'uint16':
      return random.uint32() >>> 16
    case 'int32':
      return random.uint32() | 0
    case 'uint32':
      return random.uint32()
    case 'int64':
      return BigInt.asIntN(64, (BigInt(random.uint32()) << 32n) | BigInt(random.uint32()))
    case 'float64':
      return (random.fraction() - 0.5) * 10 ** random.between(-9, 9)
    case 'bool':
      return random.chance(0.5)
    case 'uuid':
      return Buffer.from(random.chance(0.1) ? new Uint8Array(16) : random.bytes(16)).toString('base64url')
    case 'string':
      return randomString(random)
    case 'struct':
      return randomStruct(random, field.fields ?? {}, version, flexible)
    case 'array':
      return Array.from({ length: random.below(4) }, () =>
        randomValue(random, field.element ?? field, version, flexible),
      )
    case 'bytes':
    case 'records':
    default:
      return random.bytes(random.chance(0.05) ? 3000 : random.below(20))
  }
}

function randomString(random: SimRandom): string {
  const limit = random.chance(0.25) ? 0xd7ff : 0x7e
  const length = random.chance(0.05) ? 200 : random.below(12)
  return String.fromCharCode(...Array.from({ length }, () => 1 + random.below(limit)))
}
