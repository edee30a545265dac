import { expect, test } from '@jest/globals'
import { configRules } from '../../../broker/config-rules.ts'
import { withApplicableConfigs } from '../../../broker/config/applicable-configs.ts'
import { alterConfigsHandlers } from '../../../broker/handlers/broker-config-checks.ts'
import { ResourceType } from '../../../broker/metadata/image.ts'
import { ApiKey } from '../../../broker/protocol/api-key.ts'
import { APIS, type ResponseOf } from '../../../broker/protocol/apis.ts'
import { ErrorCode } from '../../../broker/protocol/errors.ts'
import { decodeRequest } from '../../../broker/protocol/frame.ts'
import { inOwnMemory, type RequestContext } from '../../../broker/security/request-context.ts'
import { LogThreshold } from '../../../broker/telemetry/log-threshold.ts'
import { dedicatedBroker } from '../config/dedicated-broker.ts'
import { clusterOf } from '../controller/cluster.ts'
import { config } from '../metadata/records.ts'
import { contextOf, frameOf } from './context.ts'

const SERVER = dedicatedBroker('/data-1,/data-2')

/** Null: taken back. */
type Change = readonly [resource: string, name: string, value: string | null]
type AlterKey = typeof ApiKey.AlterConfigs | typeof ApiKey.IncrementalAlterConfigs

/** What broker 1 answers to each change, and which it sends on, where the metadata log has `before` for brokers. */
async function altered(
  changes: readonly Change[],
  before: readonly Change[] = [],
  api: AlterKey = ApiKey.IncrementalAlterConfigs,
) {
  const records = before.map(([resource, name, value]) => config(ResourceType.BROKER, resource, name, value))
  const image = clusterOf([1, 2], [], records)
  const [perBroker, clusterWide] = ['1', ''].map((name) => image.configsOf(ResourceType.BROKER, name))
  const layers = { perBroker: perBroker ?? new Map(), clusterWide: clusterWide ?? new Map() }
  const server = withApplicableConfigs(SERVER, layers).config
  const sent: string[] = []
  const send = async (_key: ApiKey, _request: unknown, { received: { frame } }: RequestContext) => {
    const { header, body } = decodeRequest(frame)
    expect(header).toMatchObject({ correlationId: 77, clientId: 'tester' })
    const { resources } = APIS[api].request.decode(body, 1)
    const answers = resources.map(({ resourceType, resourceName, configs }) => {
      sent.push(`${resourceName} ${configs[0]?.name}`)
      return { errorCode: ErrorCode.NONE, errorMessage: null, resourceType, resourceName }
    })
    return { throttleTimeMs: 0, responses: answers }
  }
  const handlers = alterConfigsHandlers(send, {
    nodeId: 1,
    logThreshold: new LogThreshold('info'),
    server: () => server,
    image: () => image,
    rules: configRules(() => server),
  })
  const resources = changes.map(([resourceName, name, value]) => {
    const resourceType = resourceName === 'topic' ? ResourceType.TOPIC : ResourceType.BROKER
    return { resourceType, resourceName, configs: [{ name, configOperation: value === null ? 1 : 0, value }] }
  })
  const request = { resources, validateOnly: false }
  const context = contextOf({ apiVersion: 1, received: inOwnMemory(frameOf(api, 1, request)) })
  const served = handlers.find(({ key }) => key === api)
  const answer = (await served?.handle(request, context)) as ResponseOf<typeof ApiKey.IncrementalAlterConfigs>
  const refused = answer.responses.map(({ errorCode, errorMessage }) =>
    errorCode === ErrorCode.NONE ? null : `${errorCode}: ${errorMessage}`,
  )
  return { refused, sent }
}

test.each<[string, Change, string]>([
  ['a log dir that it does not have', ['1', 'cordoned.log.dirs', '/data-3'], 'Missing entries : /data-3'],
  ['more than twice the fetchers', ['', 'num.replica.fetchers', '3'], 'greater than double the current value 1'],
  ['what contradicts its server.properties', ['', 'log.retention.ms', '0'], 'log.retention.ms must be unlimited'],
  ['other listeners', ['1', 'listeners', 'PLAINTEXT://:9094'], 'Listeners cannot be changed at run time'],
  ['what is read at the start', ['1', 'num.partitions', '3'], 'Cannot update these configs dynamically'],
  ['the settings of another', ['2', 'num.io.threads', '9'], 'Unexpected broker id, expected 1, but received 2'],
  ['those of nobody', ['x', 'num.io.threads', '9'], 'Node id must be an integer, but it is: x'],
])('a broker refuses %s, and asks no controller', async (_what, change, why) => {
  const { refused, sent } = await altered([change])
  expect(refused).toEqual([expect.stringContaining(why)])
  expect(refused[0]).toMatch(/^42: /)
  expect(sent).toEqual([])
})

test('the threads of log cleaners can be halved, and no fewer', async () => {
  const before: readonly Change[] = [['1', 'log.cleaner.threads', '4']]
  expect((await altered([['1', 'log.cleaner.threads', '2']], before)).refused).toEqual([null])
  const { refused } = await altered([['1', 'log.cleaner.threads', '1']], before)
  expect(refused).toEqual(['42: Log cleaner threads cannot be reduced to less than half the current value 4'])
})

test('a setting that it runs without is refused when it is set to what it cannot run with either', async () => {
  const before: readonly Change[] = [['1', 'listeners', 'PLAINTEXT://:9094']]
  const again = await altered([['1', 'listeners', 'PLAINTEXT://:9094']], before)
  expect(again.refused).toEqual([null])
  const other = await altered([['1', 'listeners', 'PLAINTEXT://:9095']], before)
  expect(other).toEqual({ refused: [expect.stringContaining('Listeners cannot be changed')], sent: [] })
  expect((await altered([['1', 'listeners', null]], before)).refused).toEqual([null])
})

test('what it does not refuse it sends on, and answers in the order of the request', async () => {
  const { refused, sent } = await altered([
    ['topic', 'retention.ms', '5'],
    ['1', 'cordoned.log.dirs', '/data-3'],
    ['', 'num.io.threads', '9'],
  ])
  expect(sent).toEqual(['topic retention.ms', ' num.io.threads'])
  expect(refused).toEqual([null, expect.stringContaining('/data-3'), null])
})

test.each<[string, Change, readonly Change[]]>([
  ['a log dir of its own', ['1', 'cordoned.log.dirs', '/data-2'], []],
  [
    'the default of a pool that it has its own size of',
    ['', 'num.io.threads', '15'],
    [
      ['', 'num.replica.fetchers', '4'],
      ['1', 'num.replica.fetchers', '1'],
      ['1', 'num.io.threads', '8'],
      ['', 'num.io.threads', '32'],
    ],
  ],
  ['the smaller half of a pool', ['1', 'num.io.threads', '3'], [['1', 'num.io.threads', '7']]],
  ['another setting than one it cannot run with', ['1', 'num.io.threads', '9'], [['1', 'cordoned.log.dirs', '/gone']]],
])('a broker takes %s', async (_what, change, before) => {
  expect((await altered([change], before)).refused).toEqual([null])
})

test('what a resource had is taken away from it, or replaced, only where the broker can do without', async () => {
  const before: readonly Change[] = [
    ['', 'max.connections.per.ip', '0'],
    ['', 'max.connections.per.ip.overrides', '10.0.0.7:3'],
  ]
  const refused = [expect.stringMatching(/^42: .*can be set to zero only if/)]
  const without: Change = ['', 'max.connections.per.ip.overrides', null]
  expect(await altered([without], before)).toEqual({ refused, sent: [] })
  const instead: Change = ['', 'max.connections.per.ip', '0']
  expect(await altered([instead], before, ApiKey.AlterConfigs)).toEqual({ refused, sent: [] })
  const nothingElse: Change = ['', 'num.io.threads', '9']
  expect((await altered([nothingElse], before, ApiKey.AlterConfigs)).refused).toEqual([null])
})

test('what is wrong with the request itself the controller tells of all that it says', async () => {
  const { sent } = await altered([
    ['1', 'cordoned.log.dirs', '/data-3'],
    ['1', 'num.io.threads', '9'],
  ])
  expect(sent).toEqual(['1 cordoned.log.dirs', '1 num.io.threads'])
})
