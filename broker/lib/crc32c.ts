import { crc32c as native } from '@node-rs/crc32'

/** CRC-32C (Castagnoli) of `bytes`, as an unsigned 32-bit integer; `previous` continues an earlier call. */
export function crc32c(bytes: Uint8Array, previous = 0): number {
  return native(bytes, previous) >>> 0
}
