import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { startApache } from '../../tools/apache.ts'
import { startJavaTools } from '../../tools/java-tool.ts'
import { startOurs } from '../../tools/ours.ts'
import { describeWith } from '../../tools/requires.ts'
import { differencesOf, KNOWN } from './differences.ts'
import { Script } from './script.ts'
import { SCRIPTS } from './scripts/index.ts'
import { Target, withoutLaterFeatures } from './target.ts'
import { FILES, TOOL_LINES } from './tool-lines.ts'
import { ToolRuns } from './tool-runs.ts'

const START_MS_MAX = 120_000
const SCRIPT_MS_MAX = 60_000
const TOOLS_MS_MAX = 300_000

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

  test(
    "Apache Kafka's tools say the same",
    async () => {
      const directory = mkdtempSync(join(tmpdir(), 'tools-'))
      for (const [name, content] of Object.entries(FILES)) writeFileSync(join(directory, name), content)
      const java = await startJavaTools()
      try {
        const runs = new ToolRuns(java, directory)
        const differences: unknown[] = []
        for (const line of TOOL_LINES) differences.push(await runs.difference(line, ours().node, apache().node))
        expect(differences.filter((difference) => difference !== null)).toEqual([])
      } finally {
        java.close()
        rmSync(directory, { recursive: true })
      }
    },
    TOOLS_MS_MAX,
  )

  test('every difference that is allowed is there', () => {
    expect(KNOWN.filter(([pattern]) => !used.has(pattern))).toEqual([])
  })
})
