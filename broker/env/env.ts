import type { Clock } from './clock.ts'
import type { Compute } from './compute.ts'
import type { Disk } from './disk.ts'
import type { Http } from './http.ts'
import type { Network } from './network.ts'
import type { Random } from './random.ts'
import type { Tls } from './tls.ts'

/** Everything non-deterministic that the broker may touch. `host/` implements it for Node, `test/fakes/` for the simulator. */
export interface Env {
  readonly clock: Clock
  readonly random: Random
  readonly disk: Disk
  readonly network: Network
  readonly compute: Compute
  readonly http: Http
  /** Left out in the simulator: its network has none. */
  readonly tls?: Tls
}
