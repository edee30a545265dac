/**
 * The operator dies, or is told that something failed, at each of its writes to Kubernetes and to Kafka, in everything that users do; what
 * there is in the end is what there is without. `FAULTS=all` has failures that it survives too, and writes that change nothing: a crash
 * at one of these is the same as one at the write before.
 */
import { describe, expect, test } from '@jest/globals'
import { type Kind, KINDS } from './faults.ts'
import { beginningOf, played } from './run.ts'
import { SCENARIOS } from './scenarios.ts'

const IS_ALL = process.env['FAULTS'] === 'all'
const TEST_MS_MAX = IS_ALL ? 600_000 : 120_000

describe.each(SCENARIOS)('$name', (scenario) => {
  test.each(IS_ALL ? KINDS : (['before', 'after'] as const))(
    '%s any of its writes: the end is the same',
    async (kind: Kind) => {
      const beginning = await beginningOf(scenario)
      const clean = await played(scenario, beginning, { fault: null })
      const points = clean.writes.flatMap(({ what, isEffective }, index) =>
        isEffective || IS_ALL ? [{ what, at: index + 1 }] : [],
      )
      expect([points.length > 0, clean.isWell]).toEqual([true, scenario.isWell ?? true])
      const wanted = clean.state()
      for (const { what, at } of points) {
        const state = (await played(scenario, beginning, { fault: { at, kind } })).state()
        expect({ at, what, state }).toEqual({ at, what, state: wanted })
      }
      process.stderr.write(`${scenario.name}: ${kind} each of ${points.length} writes\n`)
    },
    TEST_MS_MAX,
  )
})
