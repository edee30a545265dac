import { expect, test } from '@jest/globals'
import { TestCluster } from './bed.ts'

const MARKER = '/data/.kafka_cleanshutdown'
const STEP_MS = 5

test('a node that is stopped again while it stops has stopped in order, for whoever asked', async () => {
  const cluster = new TestCluster(['broker,controller'])
  await cluster.start()
  const [node] = cluster.nodes
  if (node?.broker === undefined) throw new Error('no broker')
  const { machine, broker } = node
  machine.disk.syncMsMax = 20
  const ends: boolean[] = []
  const stop = (): void => void broker[Symbol.asyncDispose]().then(() => ends.push(machine.disk.exists(MARKER)))
  for (let waited = 0; ends.length === 0 && waited < 60_000; waited += STEP_MS) {
    stop()
    await cluster.world.clock.run(STEP_MS)
  }
  expect(new Set(ends)).toEqual(new Set([true]))
})
