import { expect, test } from '@jest/globals'
import { ResourceType } from '../../../broker/metadata/image.ts'
import { ApiKey } from '../../../broker/protocol/api-key.ts'
import { TestCluster } from './bed.ts'

const CLIENT_PORT = 9092
const CONTROLLER_PORT = 9093
const LOGGERS = { resourceType: ResourceType.BROKER_LOGGER as number, resourceName: '2' }

test.each([
  ['a broker', CLIENT_PORT],
  ['a controller', CONTROLLER_PORT],
])('%s changes the level of its own loggers, and sends on what else is asked for', async (_what, port) => {
  const cluster = new TestCluster(['broker,controller', 'broker,controller'])
  await cluster.start()
  const node = cluster.nodes[1]
  const levels = { ...LOGGERS, configs: [{ name: 'root', configOperation: 0, value: 'DEBUG' }] }
  const interval = { name: 'interval.ms', configOperation: 0, value: '5000' }
  const metrics: typeof levels = { resourceType: ResourceType.CLIENT_METRICS, resourceName: 'one', configs: [interval] }
  const change = (...resources: (typeof levels)[]) => ({ resources, validateOnly: false })
  const alone = await cluster.ask(node, ApiKey.IncrementalAlterConfigs, change(levels), port)
  expect(alone?.responses).toMatchObject([{ errorCode: 0, ...LOGGERS }])
  const described = await cluster.ask(
    node,
    ApiKey.DescribeConfigs,
    { resources: [{ ...LOGGERS, configurationKeys: null }] },
    port,
  )
  expect(described?.results).toMatchObject([{ errorCode: 0, configs: [{ name: 'root', value: 'DEBUG' }] }])
  if (port === CLIENT_PORT) {
    const both = await cluster.ask(node, ApiKey.IncrementalAlterConfigs, change(metrics, levels), port)
    expect(both?.responses).toMatchObject([
      { errorCode: 0, resourceName: 'one' },
      { errorCode: 0, ...LOGGERS },
    ])
  }
  await cluster.stop()
})
