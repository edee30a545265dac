import { describe, expect, test } from '@jest/globals'
import { parseServerConfig } from '../../../broker/config/server-config.ts'
import {
  type DescribeConfigsDeps,
  describeConfigsHandler,
  ResourceType,
} from '../../../broker/handlers/describe-configs.ts'
import { ApiKey } from '../../../broker/protocol/api-key.ts'
import { APIS } from '../../../broker/protocol/apis.ts'
import { ErrorCode } from '../../../broker/protocol/errors.ts'
import type {
  DescribeConfigsRequest,
  DescribeConfigsResponse,
} from '../../../broker/protocol/messages/describe-configs.ts'
import { encodeResponse } from '../../../broker/protocol/frame.ts'
import { LogThreshold } from '../../../broker/telemetry/log-threshold.ts'
import { SimClock } from '../../fakes/clock.ts'
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
  const resources = [{ resourceType: type, resourceName: name, configurationKeys: keys }]
  const [result] = await resultsOf({ resources, includeSynonyms, includeDocumentation })
  if (result === undefined) throw new Error('no result')
  return result
}

/** Of topics it has `orders`, and `plain-0` and so on, which override nothing. */
async function resultsOf(request: DescribeConfigsRequest, clock: DescribeConfigsDeps['clock'] = new SimClock()) {
  const handler = describeConfigsHandler({
    clock,
    nodeId: 1,
    logThreshold: new LogThreshold('warn'),
    server: () => config,
    topicExists: (topic) => topic === 'orders' || topic.startsWith('plain-'),
    overrides: (resourceType, name): Record<string, string> =>
      resourceType === ResourceType.TOPIC && name === 'orders' ? { 'retention.ms': '3600000' } : {},
  })
  const { results } = (await handler.handle(request, contextOf({ apiVersion: 4 }))) as DescribeConfigsResponse
  return results
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
  [ResourceType.BROKER_LOGGER, '2', ErrorCode.INVALID_REQUEST],
  [ResourceType.BROKER_LOGGER, '', ErrorCode.INVALID_REQUEST],
  [77, 'x', ErrorCode.INVALID_REQUEST],
])('what cannot be described is refused: type %d, %j', async (type, name, errorCode) => {
  expect(await described({ type, name })).toMatchObject({ errorCode, configs: [] })
})

describe('a request for many resources', () => {
  const asked = (resourceType: number, names: readonly string[], configurationKeys: string[] | null = null) => ({
    resources: names.map((resourceName) => ({ resourceType, resourceName, configurationKeys })),
    includeSynonyms: true,
    includeDocumentation: true,
  })
  const plain = (count: number): string[] => Array.from({ length: count }, (_, index) => `plain-${index}`)

  test('tells each what is its own', async () => {
    const names = ['plain-0', 'orders', 'plain-1', 'none', 'plain-0']
    const results = await resultsOf(asked(ResourceType.TOPIC, names, ['retention.ms']))
    expect(results.map(({ resourceName }) => resourceName)).toEqual(names)
    expect(results.map(({ configs }) => configs[0]?.value)).toEqual([
      '604800000',
      '3600000',
      '604800000',
      undefined,
      '604800000',
    ])
  })

  test('is answered as far as a client takes the answer, and the rest is refused', async () => {
    const results = await resultsOf(asked(ResourceType.BROKER, Array(5000).fill('1')))
    expect(results).toHaveLength(5000)
    const told = results.filter(({ errorCode }) => errorCode === ErrorCode.NONE)
    expect(results.slice(told.length).every(({ errorCode }) => errorCode === ErrorCode.INVALID_REQUEST)).toBe(true)
    expect(results.at(-1)?.errorMessage).toContain('fewer resources at a time')
    const bytes = (some: readonly object[]): number =>
      encodeResponse(APIS[ApiKey.DescribeConfigs], 4, 1, { results: some }).reduce((sum, { length }) => sum + length, 0)
    // What one is told is long: the last one may pass the limit.
    const one = bytes(told.slice(0, 1))
    expect(one).toBeGreaterThan(40_000)
    expect(told.length * one).toBeGreaterThan(90_000_000)
    expect(told.length * one).toBeLessThan(100_000_000 + one)
  })

  test('does not hold up the others', async () => {
    let nowMs = 0
    let turns = 0
    const defer = (callback: () => void): void => {
      turns++
      queueMicrotask(callback)
    }
    await resultsOf(asked(ResourceType.TOPIC, plain(100)), { monotonicMs: () => (nowMs += 0.5), defer })
    expect(turns).toBeGreaterThan(20)
  })
})
