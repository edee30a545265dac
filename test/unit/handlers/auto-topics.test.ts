import { expect, test } from '@jest/globals'
import { parseProperties } from '../../../broker/config/properties.ts'
import { parseServerConfig } from '../../../broker/config/server-config.ts'
import { AutoTopics } from '../../../broker/handlers/auto-topics.ts'
import { ErrorCode } from '../../../broker/protocol/errors.ts'
import type { ControllerRequests } from '../../../broker/replication/controller-requests.ts'
import { SimClock } from '../../fakes/clock.ts'
import { MemoryLogger } from '../../fakes/logger.ts'

const STATIC = `process.roles=broker
node.id=1
listeners=PLAINTEXT://h:9092
controller.listener.names=CONTROLLER
controller.quorum.bootstrap.servers=h:9093
`

test('what clients go on asking for and cannot be created is told now and then, not each time', async () => {
  const clock = new SimClock()
  const logger = new MemoryLogger()
  const refused = { errorCode: ErrorCode.INVALID_REPLICATION_FACTOR, errorMessage: 'too few brokers' }
  const controller = { request: async () => ({ topics: [refused] }) } as unknown as ControllerRequests
  const server = parseServerConfig(parseProperties(STATIC)).config
  const topics = new AutoTopics({ controller, server: () => server, settled: async () => {}, clock, logger })
  for (let asked = 0; asked < 100; asked++) {
    expect(await topics.createOffsetsTopic()).toBe(ErrorCode.INVALID_REPLICATION_FACTOR)
    await clock.run(100)
  }
  expect(logger.events).toHaveLength(1)
  await clock.run(100)
  await topics.createOffsetsTopic()
  expect(logger.events).toMatchObject([{ level: 'warn' }, { fields: { reason: 'too few brokers' } }])
})

test('a controller is given time: Apache Kafka begins nothing that has none', async () => {
  const clock = new SimClock()
  const asked: number[] = []
  const controller = {
    request: async (_: unknown, { timeoutMs }: { timeoutMs: number }) => {
      asked.push(timeoutMs)
      return { topics: [{ errorCode: ErrorCode.NONE, errorMessage: null }] }
    },
  } as unknown as ControllerRequests
  const server = parseServerConfig(parseProperties(`${STATIC}request.timeout.ms=4000`)).config
  const logger = new MemoryLogger()
  const topics = new AutoTopics({ controller, server: () => server, settled: async () => {}, clock, logger })
  await topics.createOffsetsTopic()
  expect(asked).toEqual([4000])
})
