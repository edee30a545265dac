/** Randomness. The only source of it outside `host/`. */
export interface Random {
  /** `size` unpredictable bytes. */
  bytes(size: number): Uint8Array
  /** A uniform integer in [0, limit); limit in 1..2^32. */
  below(limit: number): number
}
