import type { SimRandom } from '../../fakes/random.ts'
import type { Trace } from '../simulation.ts'
import type { ClusterLayout } from './layout.ts'
import type { SimNode } from './node.ts'

/** Until a silent broker is fenced. */
const SESSION_MS = 3500
/** Of 100 ms each. */
const WAITS_MAX = 40

/** Where three brokers, without the controllers, have all replicas, and a loss of power loses records. */
export function canSqueeze({ nodes, isSynced }: ClusterLayout): boolean {
  const brokers = nodes.filter(({ isBroker }) => isBroker)
  return brokers.length === 3 && brokers.every(({ isController }) => !isController) && !isSynced
}

export interface SqueezeDeps {
  readonly random: SimRandom
  readonly trace: Trace
  readonly advance: (ms: number) => Promise<void>
  /** The cluster is whole, and nobody does harm. */
  readonly isWhole: () => boolean
}

/**
 * The worst order in which replicas can be lost: one falls behind, the next loses power, and before it is back the last stands still.
 * Only that one may lead again (KIP-966). False where the cluster was not whole for long, and nothing was done.
 */
export async function squeeze(nodes: readonly SimNode[], deps: SqueezeDeps): Promise<boolean> {
  const { random, trace, advance, isWhole } = deps
  const [behind, torn, last] = nodes.filter(({ layout }) => layout.isBroker)
  for (let waits = 0; waits < WAITS_MAX && !isWhole(); waits++) await advance(100)
  if (behind === undefined || torn === undefined || last === undefined || !isWhole()) return false
  trace.note('-- squeeze')
  behind.machine.stopProcess()
  await advance(SESSION_MS)
  torn.machine.losePower()
  await advance(random.fraction() * SESSION_MS)
  last.machine.stopProcess()
  torn.start()
  await advance(SESSION_MS)
  for (const { machine } of [behind, last]) machine.continueProcess()
  trace.note('-- end of squeeze')
  return true
}
