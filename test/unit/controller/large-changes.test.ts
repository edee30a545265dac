import { expect, test } from '@jest/globals'
import { ErrorCode } from '../../../broker/protocol/errors.ts'
import { settle } from '../../fakes/clock.ts'
import { Bench } from './bench.ts'
import { clusterOf } from './cluster.ts'

const throttled = Array.from({ length: 8000 }, () => '0:1').join(',')

function large(count: number) {
  const configs = [{ name: 'leader.replication.throttled.replicas', value: throttled }]
  return Array.from({ length: count }, (_, index) => ({
    name: `large-${index}`,
    numPartitions: 1,
    replicationFactor: 1,
    assignments: [],
    configs,
  }))
}

test('a change that no batch can hold is refused, and the controller goes on', async () => {
  const bench = new Bench(clusterOf([1]))
  await bench.controller.activate()
  const refused = bench.controller.createTopics({ topics: large(300), timeoutMs: 0, validateOnly: false })
  await expect(refused).rejects.toMatchObject({ code: 'RECORD_BATCH_TOO_LARGE' })
  const after = bench.create('large-0')
  await settle()
  await bench.quorum.commit()
  expect([after.errorCode, bench.quorum.resignations]).toEqual([ErrorCode.NONE, 0])
  expect(bench.quorum.types).toEqual(['Topic Partition'])
})
