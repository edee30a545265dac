import type { Random } from '../../broker/env/random.ts'

export interface BackoffOptions {
  readonly minMs: number
  readonly maxMs: number
}

/**
 * The delay before attempt `failures + 1`: doubles from `minMs` to `maxMs`, of which the upper half is random, so that what failed together
 * does not come back together. Whole ms.
 */
export function backoffMs(failures: number, options: BackoffOptions, random: Random): number {
  const ceiling = Math.min(options.maxMs, options.minMs * 2 ** Math.min(failures, 40))
  const half = Math.floor(ceiling / 2)
  return half + random.below(Math.max(1, Math.ceil(ceiling) - half + 1))
}
