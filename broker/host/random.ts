import { randomBytes, randomInt } from 'node:crypto'
import type { Random } from '../env/random.ts'

/** The system's cryptographic generator. */
export class NodeRandom implements Random {
  bytes(size: number): Uint8Array {
    return randomBytes(size)
  }

  below(limit: number): number {
    return randomInt(limit)
  }
}
