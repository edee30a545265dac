import type { Random } from '../../env/random.ts'

/** With the uuid behind it, what a string of Kafka's protocol holds (32,767 bytes) even where each character takes three of them. */
const PREFIX_LENGTH_MAX = 10_900

/**
 * `<prefix>-<uuid>`: the prefix is the client id, or the instance id of a static member, and the uuid is written as RFC 9562 does. Of one that is
 * too long, its beginning: an id that cannot be told would make the whole group's answers and records impossible.
 */
export function newMemberId(prefix: string, random: Random): string {
  const bytes = Buffer.from(random.bytes(16))
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80
  const hex = bytes.toString('hex')
  return `${prefix.slice(0, PREFIX_LENGTH_MAX)}-${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
}
