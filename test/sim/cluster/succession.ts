import type { SimNetwork } from '../../fakes/network.ts'
import type { SimRandom } from '../../fakes/random.ts'
import type { Trace } from '../simulation.ts'
import type { ClusterLayout } from './layout.ts'
import type { SimNode } from './node.ts'
import type { Moment } from './strikes.ts'

/** One way between two brokers. */
const DELAY_MS_MAX = 200
/** Until a silent broker is fenced, and the next leader is followed. */
const FAILOVER_MS = 3500
const STEP_MS = 1

/** Where the controllers do without the brokers, and one of these is left when two have fallen. */
export function canSucceed({ nodes }: ClusterLayout): boolean {
  const brokers = nodes.filter(({ isBroker }) => isBroker)
  return brokers.length >= 3 && brokers.every(({ isController }) => !isController)
}

export interface SuccessionDeps {
  readonly random: SimRandom
  readonly network: SimNetwork
  readonly trace: Trace
  readonly advance: (ms: number) => Promise<void>
  /** Who did so last; undefined where nobody has since this was asked before. */
  readonly take: (what: Moment) => SimNode | undefined
}

/**
 * Brokers are far from each other, one further than the next. The leader falls behind an acknowledgement, of which its followers have not
 * heard, and its successor as soon as a follower has been cut as that one is: what was acknowledged must be with that follower all the
 * time (KIP-101).
 */
export async function succession(nodes: readonly SimNode[], deps: SuccessionDeps): Promise<void> {
  const { random, network, trace, advance, take } = deps
  const brokers = nodes.filter(({ layout }) => layout.isBroker)
  const links = brokers.flatMap((from) =>
    brokers.filter((to) => to !== from).map((to) => [from.name, to.name] as const),
  )
  trace.note('-- succession')
  for (const [from, to] of links) network.slow(from, to, random.between(1, DELAY_MS_MAX))
  await advance(random.between(500, 2500))
  const fallen: SimNode[] = []
  for (const moment of ['acknowledged records', 'cut a follower'] as const) {
    take(moment)
    let node: SimNode | undefined
    for (let leftMs = FAILOVER_MS; leftMs > 0 && node === undefined; leftMs -= STEP_MS) {
      await advance(STEP_MS)
      node = take(moment)
    }
    if (node === undefined) break
    fall(node, random)
    fallen.push(node)
  }
  await advance(FAILOVER_MS)
  for (const [from, to] of links) network.slow(from, to, 0)
  for (const node of fallen) {
    if (node.machine.isRunning) node.machine.continueProcess()
    else node.start()
  }
  trace.note('-- end of succession')
}

function fall({ machine }: SimNode, random: SimRandom): void {
  if (random.chance(0.5)) machine.stopProcess()
  else machine.kill()
}
