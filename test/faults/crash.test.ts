/**
 * The operator dies, or is told that something failed, at each of its writes to Kubernetes and to Kafka, in everything that users do; what
 * there is in the end is what there is without. A write that never arrives leaves what the one before has left, so that is tried with the
 * first one only, and not with writes that change nothing, and of many writes some are tried; `SEED=n` has others, `FAULTS=all` has all of these,
 * and failures that the operator survives.
 */
import { isDeepStrictEqual } from 'node:util'
import { expect, test } from '@jest/globals'
import { type Kind, KINDS } from './faults.ts'
import { describeScenarios, played } from './run.ts'

const IS_ALL = process.env['FAULTS'] === 'all'
const SEED = Number(process.env['SEED'] ?? 0)
const POINTS_MAX = IS_ALL ? Infinity : 8
const TEST_MS_MAX = IS_ALL ? 600_000 : 120_000

/** Spread over all of it. */
function some<T>(all: readonly T[]): T[] {
  const stride = Math.max(1, Math.ceil(all.length / POINTS_MAX))
  return all.filter((_, index) => index % stride === SEED % stride)
}

describeScenarios(TEST_MS_MAX, (scenario, playedClean) => {
  test.each(IS_ALL ? KINDS : (['before', 'after'] as const))(
    '%s any of its writes: the end is the same',
    async (kind: Kind) => {
      const { beginning, clean } = playedClean()
      const all = clean.writes.flatMap(({ what, isEffective }, index) =>
        isEffective || IS_ALL ? [{ what, at: index + 1 }] : [],
      )
      const points = kind === 'before' && !IS_ALL ? all.slice(0, 1) : some(all)
      expect([points.length > 0, clean.isWell]).toEqual([true, scenario.isWell ?? true])
      const wanted = clean.state()
      for (const { what, at } of points) {
        const state = (await played(scenario, beginning, { fault: { at, kind } })).state()
        if (!isDeepStrictEqual(state, wanted)) expect({ at, what, state }).toEqual({ at, what, state: wanted })
      }
      process.stderr.write(`${scenario.name}: ${kind} ${points.length} of ${all.length} writes\n`)
    },
    TEST_MS_MAX,
  )
})
