/**
 * SIGKILL at random moments under load: what was acknowledged is there after the restart, once, in order. `KILL_ROUNDS=100` is
 * the full size, `SEED=n` repeats the moments of a run.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { SimRandom } from '../fakes/random.ts'
import type { RunningNode } from '../tools/node.ts'
import { describeWith } from '../tools/requires.ts'
import { run } from '../tools/run.ts'
import { startTarget } from '../tools/target.ts'
import { franzGo } from './setup/setup.ts'

const SEED = Number(process.env['SEED'] ?? Date.now() % 1_000_000)
const ROUNDS = Number(process.env['KILL_ROUNDS'] ?? 5)
const PARTITIONS = 4
const PRODUCERS = 2
const ROUND_MS_MAX = 20_000

/** One record as it was acknowledged or read. */
interface Entry {
  readonly partition: number
  readonly offset: number
  readonly producer: number
  readonly sequence: number
}

function entryOf(line: string): Entry {
  const [partition = -1, offset = -1, producer = -1, sequence = -1] = line.split(' ').map(Number)
  return { partition, offset, producer, sequence }
}

const placeOf = ({ partition, offset }: Entry): string => `${partition}@${offset}`

/** Where the records of one producer in one partition do not count 0, 1, 2 … */
function disorder(records: readonly Entry[]): Entry[] {
  const next = new Map<string, number>()
  return records.filter(({ partition, producer, sequence }) => {
    const key = `${partition}/${producer}`
    const wanted = next.get(key) ?? 0
    next.set(key, wanted + 1)
    return sequence !== wanted
  })
}

describeWith(['go'], `kill -9 under load, seed ${SEED}`, () => {
  const random = new SimRandom(SEED)
  const directory = mkdtempSync(join(tmpdir(), 'kill-'))
  const acknowledged: Entry[] = []
  let program: string
  let node: RunningNode
  let producers: ChildProcess
  let ended: Promise<number | null>

  /** Resolves when more than `count` records are acknowledged. */
  const acknowledgements = async (count: number): Promise<void> => {
    const deadline = performance.now() + ROUND_MS_MAX
    while (acknowledged.length <= count) {
      if (producers.exitCode !== null) throw new Error(`the producers ended with ${producers.exitCode}`)
      if (performance.now() > deadline) throw new Error(`no acknowledgement within ${ROUND_MS_MAX} ms`)
      await sleep(10)
    }
  }

  beforeAll(async () => {
    program = await franzGo()
    node = await startTarget({ directory })
    const args = ['load', node.bootstrap, 'load', String(PARTITIONS), String(PRODUCERS)]
    producers = spawn(program, args, { stdio: ['pipe', 'pipe', 'inherit'] })
    ended = new Promise((resolve) => producers.once('close', resolve))
    createInterface({ input: producers.stdout ?? process.stdin }).on('line', (line) => acknowledged.push(entryOf(line)))
  }, 900_000)

  afterAll(async () => {
    producers?.kill('SIGKILL')
    await node?.stop()
    rmSync(directory, { recursive: true, force: true })
  })

  test.each(Array.from({ length: ROUNDS }, (_, index) => index + 1))(
    'round %i: writing goes on after the restart',
    async () => {
      const before = acknowledged.length
      await acknowledgements(before)
      await sleep(random.below(1300))
      await node.kill()
      const atKill = acknowledged.length
      node = await startTarget({ directory })
      await acknowledgements(atKill)
    },
    2 * ROUND_MS_MAX,
  )

  test('every acknowledged record is there, once, in order', async () => {
    producers.stdin?.end()
    expect(await ended).toBe(0)
    const { stdout } = await run(program, ['dump', node.bootstrap, 'load'])
    const records = stdout.trimEnd().split('\n').map(entryOf)
    const byPlace = new Map(records.map((record) => [placeOf(record), record]))
    const lost = acknowledged.filter((entry) => {
      const record = byPlace.get(placeOf(entry))
      return record?.producer !== entry.producer || record.sequence !== entry.sequence
    })
    expect(lost.slice(0, 5)).toEqual([])
    expect(disorder(records).slice(0, 5)).toEqual([])
    expect(records.length).toBe(acknowledged.length)
  }, 60_000)
})
