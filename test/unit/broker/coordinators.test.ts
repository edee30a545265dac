import { expect, test } from '@jest/globals'
import { ApiKey } from '../../../broker/protocol/api-key.ts'
import { ErrorCode } from '../../../broker/protocol/errors.ts'
import { TestCluster } from './bed.ts'

const ASK = { keyType: 0, coordinatorKeys: ['g'] }

test('who asks first for a coordinator is told at once that there is none yet, and finds one soon', async () => {
  const cluster = new TestCluster(['broker,controller'], { 'offsets.topic.replication.factor': '1' })
  await cluster.start()
  const first = await cluster.ask(cluster.nodes[0], ApiKey.FindCoordinator, ASK)
  expect(first?.coordinators).toMatchObject([{ nodeId: -1, errorCode: ErrorCode.COORDINATOR_NOT_AVAILABLE }])
  const tookMs = await cluster.until(
    ApiKey.FindCoordinator,
    () => ASK,
    ({ coordinators }) => coordinators[0]?.nodeId === 1,
  )
  expect(tookMs).toBeLessThan(2000)
  await cluster.stop()
})
