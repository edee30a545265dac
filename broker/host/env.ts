import type { Env } from '../env/env.ts'
import { NodeClock } from './clock.ts'
import { NodeCompute } from './compute.ts'
import { NodeDisk } from './disk.ts'
import { NodeHttp } from './http.ts'
import { NodeNetwork } from './network.ts'
import { NodeRandom } from './random.ts'
import { NodeTls } from './tls.ts'
import { BufferPool } from '../lib/buffer-pool.ts'

/** This machine. */
export function nodeEnv(): Env {
  const buffers = new BufferPool()
  return {
    clock: new NodeClock(),
    random: new NodeRandom(),
    disk: new NodeDisk(buffers),
    network: new NodeNetwork(buffers),
    compute: new NodeCompute(),
    http: new NodeHttp(),
    tls: new NodeTls(),
  }
}
