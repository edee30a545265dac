import { expect, test } from '@jest/globals'
import { ErrorCode } from '../../../broker/protocol/errors.ts'
import type { ControllerRequests } from '../../../broker/replication/controller-requests.ts'
import { DirectoryAssignments } from '../../../broker/replication/directory-assignments.ts'
import { SimClock } from '../../fakes/clock.ts'
import { silentLogger } from '../../fakes/logger.ts'
import { uuid } from '../metadata/records.ts'

test('a controller that says nothing of a replica is not asked without a pause', async () => {
  const clock = new SimClock()
  let count = 0
  const request = async () => {
    count++
    return { throttleTimeMs: 0, errorCode: ErrorCode.NONE, directories: [] }
  }
  const controller = { request } as unknown as ControllerRequests
  const deps = { controller, clock, logger: silentLogger(), brokerEpoch: () => 1 }
  const assignments = new DirectoryAssignments({ brokerId: 1 }, deps)
  assignments.assign({ topicId: uuid(1), partition: 0, directoryId: uuid(2) })
  await clock.run(1000)
  expect([count > 1, count < 20, assignments.queued]).toEqual([true, true, 1])
  assignments.close()
})
