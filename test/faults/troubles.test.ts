/**
 * What goes wrong between the operator and Kubernetes while users do what they do: caches that are behind, watches that break off, requests
 * that are refused, leaders that stand still. What there is in the end is what there is without. `SEED=n` tries other requests.
 */
import { expect, test } from '@jest/globals'
import { KubeError } from '../../operator/kube/api.ts'
import { SimRandom } from '../fakes/random.ts'
import type { Trouble } from './faults.ts'
import { describeScenarios, played } from './run.ts'

const SEED = Number(process.env['SEED'] ?? 1)
const TEST_MS_MAX = 120_000
/** How long requests fail. */
const TROUBLE_MS = 120_000
/** Of two operators, how often the one that leads stands still. */
const PAUSES = 3

const REFUSALS: readonly Error[] = [
  new KubeError(409, 'Conflict', 'the object has been modified'),
  new KubeError(429, 'TooManyRequests', 'too many requests, please try again later'),
  new KubeError(500, 'InternalError', 'etcdserver: leader changed'),
  new KubeError(503, 'ServiceUnavailable', 'apiserver is shutting down'),
  new KubeError(0, 'Unreachable', 'socket hang up'),
]

/** A third of all requests fail, half of these once they are done. */
function troubles(seed: number): (clock: { monotonicMs(): number }) => Trouble | null {
  const random = new SimRandom(seed)
  let sinceMs: number | null = null
  return (clock) => {
    sinceMs ??= clock.monotonicMs()
    if (clock.monotonicMs() - sinceMs > TROUBLE_MS || random.below(3) > 0) return null
    const error = REFUSALS[random.below(REFUSALS.length)] ?? new Error('trouble')
    return { error, isDone: random.below(2) === 0 }
  }
}

describeScenarios(TEST_MS_MAX, (scenario, playedClean) => {
  test(
    'with caches that are 5 s behind',
    async () => {
      const { beginning, clean } = playedClean()
      const world = await played(scenario, beginning, { fault: null, lagMs: 5000 })
      expect(world.state()).toEqual(clean.state())
    },
    TEST_MS_MAX,
  )

  test(
    'with watches that end each second, and versions that are too old to go on from (410)',
    async () => {
      const { beginning, clean } = playedClean()
      const world = await played(scenario, beginning, { fault: null, isForgetful: true })
      expect(world.state()).toEqual(clean.state())
    },
    TEST_MS_MAX,
  )

  test(
    `with requests of which a third fails (409, 429, 500, 503, no answer), seed ${SEED}`,
    async () => {
      const { beginning, clean } = playedClean()
      const world = await played(scenario, beginning, { fault: null, trouble: troubles(SEED) })
      expect(world.state()).toEqual(clean.state())
    },
    TEST_MS_MAX,
  )

  test(
    'with two operators, of which the leading one stands still in the midst of a write and goes on after its lease',
    async () => {
      const { beginning, clean } = playedClean()
      const { writes } = await played(scenario, beginning, { fault: null, operators: 2 })
      const effective = writes.flatMap(({ isEffective }, index) => (isEffective ? [index + 1] : []))
      const chosen = effective.filter((_, index) => index % Math.ceil(effective.length / PAUSES) === 0)
      for (const at of chosen) {
        const world = await played(scenario, beginning, { fault: { at, kind: 'paused' }, operators: 2 })
        expect({ at, state: world.state() }).toEqual({ at, state: clean.state() })
      }
    },
    TEST_MS_MAX,
  )
})
