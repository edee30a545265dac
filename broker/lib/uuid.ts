/**
 * Kafka's uuids: a string everywhere but on the wire and on the disk, the 22 characters of unpadded base64url (RFC 4648, section 5)
 * over the 16 bytes.
 */

/** "No id": what an absent uuid field holds. */
export const ZERO_UUID = 'AAAAAAAAAAAAAAAAAAAAAA'
/** The reserved topic id of `__cluster_metadata` (KIP-516). */
export const METADATA_TOPIC_ID = 'AAAAAAAAAAAAAAAAAAAAAQ'

const UUID_BYTES = 16
const UUID_TEXT = /^[A-Za-z0-9_-]{21}[AQgw]$/

/** The uuid in the 16 bytes from `position`. */
export function uuidFromBytes(bytes: Uint8Array, position = 0): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + position, UUID_BYTES).toString('base64url')
}

/** The 16 bytes of `uuid`. Throws RangeError when it is none: see `isUuid`. */
export function uuidToBytes(uuid: string): Uint8Array {
  if (!isUuid(uuid)) throw new RangeError(`not a uuid: ${uuid}`)
  return Buffer.from(uuid, 'base64url')
}

/** Whether `text` is the canonical text of a uuid. */
export function isUuid(text: string): boolean {
  return UUID_TEXT.test(text)
}

/**
 * A random uuid (RFC 9562 version 4). Never one with a leading '-', as in Kafka: tools would take it for a flag. The version bits keep
 * it clear of the ids that Kafka reserves.
 */
export function randomUuid(random: { bytes(size: number): Uint8Array }): string {
  for (;;) {
    const bytes = Uint8Array.from(random.bytes(UUID_BYTES))
    bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40
    bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80
    const uuid = uuidFromBytes(bytes)
    if (!uuid.startsWith('-')) return uuid
  }
}
