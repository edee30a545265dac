import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { startApache } from '../../tools/apache.ts'
import { startOurs } from '../../tools/ours.ts'
import { describeWith } from '../../tools/requires.ts'
import { differencesOf, KNOWN } from './differences.ts'
import { Script } from './script.ts'
import { SCRIPTS } from './scripts/index.ts'
import { Target, withoutLaterFeatures } from './target.ts'

const START_MS_MAX = 120_000
const SCRIPT_MS_MAX = 60_000

describeWith(['java', 'mvn'], 'answer by answer as Apache Kafka', () => {
  const used = new Set<RegExp>()
  const targets: Target[] = []
  const apache = (): Target => targets[0] as Target
  const ours = (): Target => targets[1] as Target

  beforeAll(async () => {
    const nodes = await Promise.allSettled([startApache(), startOurs()])
    for (const node of nodes) if (node.status === 'fulfilled') targets.push(new Target(node.value))
    for (const node of nodes) if (node.status === 'rejected') throw node.reason
    await withoutLaterFeatures(apache())
  }, START_MS_MAX)

  afterAll(async () => {
    for (const target of targets) {
      target.close()
      await target.node.stop()
    }
  }, START_MS_MAX)

  test.each(Object.entries(SCRIPTS))(
    '%s',
    async (_, play) => {
      const reference = new Script(apache())
      const script = new Script(ours())
      await Promise.all([play(reference), play(script)])
      const differences = differencesOf(script.steps, reference.steps)
      for (const { what } of differences) for (const [pattern] of KNOWN) if (pattern.test(what)) used.add(pattern)
      expect(differences.filter(({ what }) => !KNOWN.some(([pattern]) => pattern.test(what)))).toEqual([])
    },
    SCRIPT_MS_MAX,
  )

  test('every difference that is allowed is there', () => {
    expect(KNOWN.filter(([pattern]) => !used.has(pattern))).toEqual([])
  })
})
