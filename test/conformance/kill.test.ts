/**
 * SIGKILL at random moments under load: what was acknowledged is there after the restart, once, in order. `KILL_ROUNDS=100` is
 * the full size, `SEED=n` repeats the moments of a run.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { SimRandom } from '../fakes/random.ts'
import type { RunningNode } from '../tools/node.ts'
import { describeWith } from '../tools/requires.ts'
import { startTarget } from '../tools/target.ts'
import { audit } from './cluster/load/audit.ts'
import { FranzLoad } from './cluster/load/franz.ts'

const SEED = Number(process.env['SEED'] ?? Date.now() % 1_000_000)
const ROUNDS = Number(process.env['KILL_ROUNDS'] ?? 5)
const PARTITIONS = 4
const PRODUCERS = 2
const ROUND_MS_MAX = 20_000

describeWith(['go'], `kill -9 under load, seed ${SEED}`, () => {
  const random = new SimRandom(SEED)
  const directory = mkdtempSync(join(tmpdir(), 'kill-'))
  let node: RunningNode
  let load: FranzLoad

  /** Resolves when more than `count` records are acknowledged. */
  const acknowledgements = async (count: number): Promise<void> => {
    const deadline = performance.now() + ROUND_MS_MAX
    while (load.acknowledged.length <= count) {
      if (load.exitCode !== null) throw new Error(`the producers ended with ${load.exitCode}`)
      if (performance.now() > deadline) throw new Error(`no acknowledgement within ${ROUND_MS_MAX} ms`)
      await sleep(10)
    }
  }

  beforeAll(async () => {
    node = await startTarget({ directory })
    const size = { partitions: PARTITIONS, producers: PRODUCERS, pauseMs: 4 }
    load = await FranzLoad.start({ bootstrap: node.bootstrap, topic: 'load', ...size })
  }, 900_000)

  afterAll(async () => {
    load?.kill()
    await node?.stop()
    rmSync(directory, { recursive: true, force: true })
  })

  test.each(Array.from({ length: ROUNDS }, (_, index) => index + 1))(
    'round %i: writing goes on after the restart',
    async () => {
      const before = load.acknowledged.length
      await acknowledgements(before)
      await sleep(random.below(1300))
      await node.kill()
      const atKill = load.acknowledged.length
      node = await startTarget({ directory })
      await acknowledgements(atKill)
    },
    2 * ROUND_MS_MAX,
  )

  test('every acknowledged record is there, once, in order', async () => {
    await load.stop()
    expect(audit(load.acknowledged, await load.readBack())).toEqual([])
  }, 60_000)
})
