import type { Random } from '../../broker/env/random.ts'

/**
 * A random uuid (RFC 9562, version 4) as Kafka writes it: 22 characters of base64url. Never one that begins with '-': tools would take it
 * for an option.
 */
export function newClusterId(random: Random): string {
  for (;;) {
    const bytes = Buffer.from(random.bytes(16))
    bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40
    bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80
    const id = bytes.toString('base64url')
    if (!id.startsWith('-')) return id
  }
}
