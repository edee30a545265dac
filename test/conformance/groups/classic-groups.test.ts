import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { describeWith } from '../../tools/requires.ts'
import { batches } from '../../../broker/records/read.ts'
import { javaTool } from '../../tools/java-tool.ts'
import { FakeLog } from '../../unit/coordinator/fake-log.ts'
import { Script } from './script.ts'
import { SCRIPTS } from './scripts.ts'
import { apacheTarget, ourTarget, type Target } from './targets.ts'

const START_MS_MAX = 120_000
const SCRIPT_MS_MAX = 60_000

describeWith(['java', 'mvn'], 'classic groups, answer by answer as Apache Kafka', () => {
  let apache: Target
  let ours: Target

  beforeAll(async () => {
    apache = await apacheTarget()
    ours = await ourTarget()
  }, START_MS_MAX)

  afterAll(async () => {
    await apache[Symbol.asyncDispose]()
    await ours[Symbol.asyncDispose]()
  }, START_MS_MAX)

  test.each(Object.entries(SCRIPTS))(
    '%s',
    async (_, play) => {
      const reference = new Script(apache)
      const script = new Script(ours)
      await Promise.all([play(reference), play(script)])
      expect(script.lines).toEqual(reference.lines)
    },
    SCRIPT_MS_MAX,
  )

  test(
    'the records that this leaves in the log are the same, as DumpLogSegments reads them',
    async () => {
      const reference = recordsIn(await dump(apache.log()))
      expect(reference.length).toBeGreaterThan(100)
      expect(recordsIn(await dump(ours.log()))).toEqual(reference)
    },
    START_MS_MAX,
  )

  test('a coordinator that loads the log of Apache Kafka has its groups and offsets', async () => {
    const log = new FakeLog()
    for (const { slice } of batches(apache.log())) await log.append(0, slice)
    await using heir = await ourTarget(log)
    const [reference, script] = [new Script(apache), new Script(heir)]
    for (const each of [reference, script]) {
      for (const groupId of ['life-9', 'two', 'static-9', 'limits', 'offsets-2', 'offsets-9', 'offsets-10']) {
        await each.describe(6, groupId)
        await each.fetch(9, groupId, null)
      }
    }
    expect(script.lines).toEqual(reference.lines)
  })
})

async function dump(log: Uint8Array): Promise<string> {
  const directory = mkdtempSync(join(tmpdir(), 'groups-'))
  try {
    const file = join(directory, '00000000000000000000.log')
    writeFileSync(file, log)
    const { stdout } = await javaTool('org.apache.kafka.tools.DumpLogSegments', [
      '--offsets-decoder',
      '--deep-iteration',
      '--files',
      file,
    ])
    return stdout
  } finally {
    rmSync(directory, { recursive: true })
  }
}

/** Keys and values, without what differs from run to run: ids and times, and the order of members. */
function recordsIn(dumped: string): string[] {
  const names = new Map<string, number>()
  return [...dumped.matchAll(/ key: (.*) payload: (.*)$/gm)].map(([, key = '', payload = '']) =>
    `${key} ${inOrder(payload)}`
      .replaceAll(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, (id) => {
        if (!names.has(id)) names.set(id, names.size)
        return `<${names.get(id)}>`
      })
      .replaceAll(/"(\w*[tT]imestamp)":\d+/g, '"$1":<time>')
      .replaceAll(/"topicId":"[\w-]{22}"/g, '"topicId":<id>'),
  )
}

/** Members by their assignments, which tell them apart. */
function inOrder(payload: string): string {
  if (!payload.startsWith('{')) return payload
  return JSON.stringify(JSON.parse(payload, (key, value) => (key === 'members' ? value.toSorted(byAssignment) : value)))
}

function byAssignment(a: { readonly assignment: string }, b: { readonly assignment: string }): number {
  return a.assignment < b.assignment ? -1 : 1
}
