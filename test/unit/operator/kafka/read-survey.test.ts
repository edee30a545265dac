import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { AdminClient } from '../../../../broker/client/admin-client.ts'
import { readKafkaState } from '../../../../operator/kafka/read-state.ts'
import { readSurvey } from '../../../../operator/kafka/read-survey.ts'
import type { Survey } from '../../../../operator/kafka/survey.ts'
import { TestCluster } from '../../broker/bed.ts'

let cluster: TestCluster
let admin: AdminClient
let looks: number

beforeEach(async () => {
  cluster = new TestCluster(['controller,broker', 'controller,broker', 'controller,broker'], {})
  await cluster.start()
  const env = cluster.world.machine('operator').start()
  admin = new AdminClient({ bootstrap: [1, 2, 3].map((id) => ({ host: `node-${id}`, port: 9092 })) }, env)
  looks = 0
})

afterEach(async () => {
  await cluster.world.clock.runFor(admin[Symbol.asyncDispose]())
  await cluster.stop()
})

function survey(): Promise<Survey> {
  const look = () => {
    looks += 1
    return readKafkaState(admin)
  }
  return cluster.world.clock.runFor(readSurvey(admin, look), 60_000)
}

test('every broker tells of its disks and of who leads', async () => {
  const { logDirs, activeControllers, silent, groups } = await survey()
  expect(logDirs.map(({ broker, isOnline, space }) => [broker, isOnline, space !== null])).toEqual([
    [1, true, true],
    [2, true, true],
    [3, true, true],
  ])
  expect(activeControllers).toHaveLength(1)
  expect({ silent, groups, looks }).toEqual({ silent: [], groups: [], looks: 0 })
})

test('a broker that does not answer is silent, and the others are not', async () => {
  const [first] = (await survey()).activeControllers
  const gone = [1, 2, 3].find((id) => id !== first) ?? 0
  cluster.nodes.find(({ id }) => id === gone)?.machine.kill()
  const { logDirs, silent } = await survey()
  expect(silent).toEqual([gone])
  expect(logDirs.map(({ broker }) => broker)).toEqual([1, 2, 3].filter((id) => id !== gone))
})
