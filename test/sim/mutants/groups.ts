import type { Mutant } from '../planted.ts'

/** Group offsets, and the coordinator that keeps them. */
export const GROUPS: readonly Mutant[] = [
  {
    name: 'a coordinator loads up to the high watermark that it knows',
    simulation: 'cluster',
    file: 'broker/replication/internal-topic.ts',
    from: 'const end = log.logEndOffset',
    to: 'const end = log.highWatermark',
  },
  {
    name: 'a committed offset is acknowledged once the leader has it',
    simulation: 'cluster',
    file: 'broker/replication/internal-topic.ts',
    from: 'await produce([entry], -1,',
    to: 'await produce([entry], 1,',
  },
]
