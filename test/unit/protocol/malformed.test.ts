/** What no frame may do, whatever is in it: crash, hang, or turn into more than it is. */
import { expect, test } from '@jest/globals'
import { SchemaError } from '../../../broker/schema/error.ts'
import { Reader } from '../../../broker/schema/reader.ts'
import { Writer } from '../../../broker/schema/writer.ts'
import { SimRandom } from '../../fakes/random.ts'
import { randomMessage } from '../../tools/random-message.ts'
import { ALL_MESSAGES, type AnyMessage, versionsOf } from '../../tools/schemas.ts'

/** Frames up to this size are cut at every byte, longer ones at that many. */
const CUTS_MAX = 400
const SEED = Number(process.env['SEED'] ?? 7)
const named = ALL_MESSAGES.map((message) => [message.name, message] as const)

function encodeRandom(random: SimRandom, message: AnyMessage, version: number): Uint8Array {
  const writer = new Writer()
  message.encode(writer, version, randomMessage(random, message, version))
  return writer.concat()
}

/** The decoded value; undefined where the frame is refused. Any other error is the test's failure. */
function attempt(message: AnyMessage, version: number, frame: Uint8Array): Record<string, unknown> | undefined {
  try {
    return message.decode(new Reader(frame), version)
  } catch (error) {
    if (error instanceof SchemaError && error.code === 'MALFORMED') return undefined
    throw error
  }
}

/** Array elements anywhere in a value. */
function elementsIn(value: unknown): number {
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return 0
  const own = Array.isArray(value) ? value.length : 0
  return Object.values(value).reduce<number>((sum, member) => sum + elementsIn(member), own)
}

test.each(named)(`%s: what is encoded comes back, and is refused when cut anywhere (seed ${SEED})`, (_, message) => {
  const random = new SimRandom(SEED)
  for (const version of versionsOf(message)) {
    const frame = encodeRandom(random, message, version)
    const value = attempt(message, version, frame)
    const again = new Writer()
    message.encode(again, version, value ?? {})
    expect(Buffer.compare(again.concat(), frame)).toBe(0)
    const step = Math.ceil(frame.length / CUTS_MAX)
    const cuts = Array.from({ length: Math.ceil(frame.length / step) }, (__, i) => i * step)
    const accepted = cuts.filter((size) => attempt(message, version, frame.subarray(0, size)) !== undefined)
    expect(accepted).toEqual([])
  }
})

test.each(named)(
  `%s: a damaged frame is refused or decoded, and never to more than it is (seed ${SEED})`,
  (_, message) => {
    const random = new SimRandom(SEED)
    for (const version of versionsOf(message)) {
      const frame = encodeRandom(random, message, version)
      let most = 0
      for (let round = 0; round < 30 && frame.length > 0; round++) {
        const damaged = Uint8Array.from(frame)
        const start = random.below(frame.length)
        if (random.chance(0.5)) damaged.fill(random.chance(0.5) ? 0xff : 0x7f, start, start + random.between(1, 5))
        else damaged[start] = random.below(256)
        most = Math.max(most, elementsIn(attempt(message, version, damaged)))
      }
      expect(most).toBeLessThanOrEqual(frame.length)
    }
  },
)
