const IPV4_BYTES = 4
const IPV6_BYTES = 16
const MAPPED = '::ffff:'

/** The bytes of an IP address, 4 or 16 of them; an IPv4 address inside an IPv6 one is 4. Null for what is no address. */
export function parseIpAddress(text: string): Uint8Array | null {
  const [address = ''] = text.split('%')
  const plain =
    address.toLowerCase().startsWith(MAPPED) && address.includes('.') ? address.slice(MAPPED.length) : address
  return plain.includes(':') ? parseIpv6(plain) : parseIpv4(plain)
}

/** Null where it is neither 4 nor 16 bytes. */
export function formatIpAddress(bytes: Uint8Array): string | null {
  if (bytes.length === IPV4_BYTES) return bytes.join('.')
  if (bytes.length !== IPV6_BYTES) return null
  const view = new DataView(bytes.buffer, bytes.byteOffset)
  return Array.from({ length: IPV6_BYTES / 2 }, (_, index) => view.getUint16(index * 2).toString(16)).join(':')
}

function parseIpv4(text: string): Uint8Array | null {
  const parts = text.split('.')
  if (parts.length !== IPV4_BYTES || parts.some((part) => !/^\d{1,3}$/.test(part) || Number(part) > 255)) return null
  return Uint8Array.from(parts, Number)
}

function parseIpv6(text: string): Uint8Array | null {
  const halves = text.split('::')
  if (halves.length > 2) return null
  const [head = [], tail] = halves.map((half) => (half === '' ? [] : half.split(':')))
  const given = [...head, ...(tail ?? [])]
  const missing = IPV6_BYTES / 2 - given.length
  if (tail === undefined ? missing !== 0 : missing < 1) return null
  if (given.some((group) => !/^[\da-f]{1,4}$/i.test(group))) return null
  const groups = [...head, ...Array.from({ length: missing }, () => '0'), ...(tail ?? [])].map((group) =>
    Number.parseInt(group, 16),
  )
  return Uint8Array.from(groups.flatMap((group) => [group >> 8, group & 0xff]))
}
