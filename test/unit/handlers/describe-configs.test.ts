import { expect, test } from '@jest/globals'
import { parseServerConfig } from '../../../broker/config/server-config.ts'
import { describeConfigsHandler, ResourceType } from '../../../broker/handlers/describe-configs.ts'
import { ErrorCode } from '../../../broker/protocol/errors.ts'
import type { DescribeConfigsResponse } from '../../../broker/protocol/messages/describe-configs.ts'
import { contextOf } from './context.ts'

const { config } = parseServerConfig(
  new Map([
    ['node.id', '1'],
    ['process.roles', 'broker'],
    ['controller.listener.names', 'CONTROLLER'],
    ['controller.quorum.bootstrap.servers', '127.0.0.1:9093'],
    ['log.segment.bytes', '2097152'],
  ]),
)

interface Asked {
  readonly type: number
  readonly name: string
  readonly keys?: string[] | null
  readonly includeDocumentation?: boolean
  readonly includeSynonyms?: boolean
}

/** The answer about one resource, of a broker 1 with the topic `orders` whose retention is an hour. */
async function described({ type, name, keys = null, includeDocumentation = false, includeSynonyms = false }: Asked) {
  const handler = describeConfigsHandler({
    nodeId: 1,
    server: () => config,
    topicExists: (topic) => topic === 'orders',
    overrides: (resourceType): Record<string, string> =>
      resourceType === ResourceType.TOPIC ? { 'retention.ms': '3600000' } : {},
  })
  const resources = [{ resourceType: type, resourceName: name, configurationKeys: keys }]
  const request = { resources, includeSynonyms, includeDocumentation }
  const { results } = (await handler.handle(request, contextOf({ apiVersion: 4 }))) as DescribeConfigsResponse
  const [result] = results
  if (result === undefined) throw new Error('no result')
  return result
}

test('a topic tells what it overrides and what it has from the broker', async () => {
  const keys = ['retention.ms', 'segment.bytes']
  const { configs } = await described({ type: ResourceType.TOPIC, name: 'orders', keys })
  expect(configs).toMatchObject([
    { name: 'retention.ms', value: '3600000', configSource: 1, documentation: null, synonyms: [] },
    { name: 'segment.bytes', value: '2097152', configSource: 4 },
  ])
})

test.each([
  [ResourceType.TOPIC, 'orders', 'retention.ms', /^How long records are kept/],
  [ResourceType.BROKER, '1', 'log.retention.ms', /^Default of retention\.ms: How long records are kept/],
  [ResourceType.GROUP, 'readers', 'consumer.session.timeout.ms', /^How long a member may be silent/],
])('keys of resource type %d are explained where it is asked for', async (type, name, key, words) => {
  const { configs } = await described({ type, name, keys: [key], includeDocumentation: true })
  expect(configs[0]?.documentation).toMatch(words)
})

test.each([
  [ResourceType.TOPIC, 'none', ErrorCode.UNKNOWN_TOPIC_OR_PARTITION],
  [ResourceType.TOPIC, 'a b', ErrorCode.INVALID_TOPIC_EXCEPTION],
  [ResourceType.BROKER, '2', ErrorCode.INVALID_REQUEST],
  [ResourceType.GROUP, '', ErrorCode.INVALID_REQUEST],
  [77, 'x', ErrorCode.INVALID_REQUEST],
])('what cannot be described is refused: type %d, %j', async (type, name, errorCode) => {
  expect(await described({ type, name })).toMatchObject({ errorCode, configs: [] })
})
