import { expect, test } from '@jest/globals'
import { LogDirFailures } from '../../../broker/log-dir-failures.ts'
import { SimClock } from '../../fakes/clock.ts'
import { clusterOf, topicWith } from '../controller/cluster.ts'
import { record, uuid } from '../metadata/records.ts'

const [FAILED, OTHER] = [uuid(71), uuid(72)]

/** The directories that broker 1, with these two, gives up for in time. */
async function untold(state: { leader: number; directory: string; registered: readonly string[] }) {
  const clock = new SimClock()
  const change = { brokerId: 1, brokerEpoch: 101n, logDirs: [...state.registered] }
  const registration = record('BrokerRegistrationChangeRecord', change, 2)
  const partition = { replicas: [2, 1], leader: state.leader, directories: [OTHER, state.directory] }
  const image = clusterOf([1, 2], [], [registration, ...topicWith(1, partition)])
  const given: string[] = []
  const failures = new LogDirFailures(
    { nodeId: 1, timeoutMs: 1000 },
    { clock, image: () => image, onUntold: (directory) => given.push(directory) },
  )
  failures.failed(FAILED)
  await clock.run(990)
  expect(given).toEqual([])
  await clock.run(20)
  return given
}

test.each([
  [
    'leads in it and the controller does not know',
    { leader: 1, directory: FAILED, registered: [FAILED, OTHER] },
    [FAILED],
  ],
  ['has told the controller', { leader: 1, directory: FAILED, registered: [OTHER] }, []],
  ['leads elsewhere', { leader: 1, directory: OTHER, registered: [FAILED, OTHER] }, []],
  ['only follows in it', { leader: 2, directory: FAILED, registered: [FAILED, OTHER] }, []],
])('log.dir.failure.timeout.ms behind the failure of a log dir a broker that %s', async (_what, state, given) => {
  expect(await untold(state)).toEqual(given)
})
