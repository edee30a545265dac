/**
 * Keys of the records in control batches: an int16 version and an int16 type. Transaction markers (KIP-98) stand in every log; the
 * others in the metadata log and its snapshots (KIP-595, KIP-630, KIP-853).
 */
const CONTROL_TYPES = [
  'ABORT',
  'COMMIT',
  'LEADER_CHANGE',
  'SNAPSHOT_HEADER',
  'SNAPSHOT_FOOTER',
  'KRAFT_VERSION',
  'KRAFT_VOTERS',
] as const

/** Their ids are their places in the list. */
export type ControlType = (typeof CONTROL_TYPES)[number]

const CONTROL_KEY_VERSION = 0
const CONTROL_KEY_BYTES = 4

/** The key of a control record. */
export function controlKey(type: ControlType): Uint8Array {
  const key = new Uint8Array(CONTROL_KEY_BYTES)
  const data = new DataView(key.buffer)
  data.setInt16(0, CONTROL_KEY_VERSION)
  data.setInt16(2, CONTROL_TYPES.indexOf(type))
  return key
}

/** The type in a control record's key; undefined for one that this version does not know, which readers skip. */
export function controlType(key: Uint8Array | null): ControlType | undefined {
  if (key === null || key.length < CONTROL_KEY_BYTES) return undefined
  return CONTROL_TYPES[new DataView(key.buffer, key.byteOffset, key.byteLength).getInt16(2)]
}
