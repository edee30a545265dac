import { expect, test } from '@jest/globals'
import { alterLoggers, describeLoggers } from '../../../broker/handlers/broker-loggers.ts'
import { ResourceType } from '../../../broker/metadata/image.ts'
import { ErrorCode } from '../../../broker/protocol/errors.ts'
import { LogThreshold } from '../../../broker/telemetry/log-threshold.ts'

const SET = 0
const DELETE = 1
const APPEND = 2
type Change = readonly [name: string, configOperation: number, value: string | null]

/** What node 1, which writes what is at least `info`, makes of it: the level behind it, and what it answers. */
function altered(changes: readonly Change[], { resourceName = '1', validateOnly = false } = {}) {
  const logThreshold = new LogThreshold('info')
  const configs = changes.map(([name, configOperation, value]) => ({ name, configOperation, value }))
  const resource = { resourceType: ResourceType.BROKER_LOGGER, resourceName, configs }
  const outcome = alterLoggers({ resources: [resource], validateOnly }, { nodeId: 1, logThreshold }).get(resource)
  return { level: logThreshold.name, outcome: outcome === null ? null : `${outcome?.code}: ${outcome?.text}` }
}

test('the level of the root logger changes, unless the request only asks', () => {
  expect(altered([['root', SET, 'TRACE']])).toEqual({ level: 'TRACE', outcome: null })
  expect(altered([['root', SET, 'FATAL']])).toEqual({ level: 'FATAL', outcome: null })
  expect(altered([['root', SET, 'DEBUG']], { validateOnly: true })).toEqual({ level: 'INFO', outcome: null })
})

test('what is not about loggers is left to others', () => {
  const resource = { resourceType: ResourceType.BROKER, resourceName: '1', configs: [] }
  const deps = { nodeId: 1, logThreshold: new LogThreshold('info') }
  expect(alterLoggers({ resources: [resource], validateOnly: false }, deps).size).toBe(0)
})

test.each<[Change[], string, string]>([
  [
    [['root', SET, 'debug']],
    '1',
    `${ErrorCode.INVALID_CONFIG}: Cannot set the log level of root to debug as it is not a supported log level. Valid log levels are DEBUG, ERROR, FATAL, INFO, TRACE, WARN`,
  ],
  [[['kafka.log', SET, 'x']], '1', `${ErrorCode.INVALID_CONFIG}: Logger kafka.log does not exist!`],
  [[['kafka.log', DELETE, null]], '1', `${ErrorCode.INVALID_CONFIG}: Logger kafka.log does not exist!`],
  [
    [['root', DELETE, null]],
    '1',
    `${ErrorCode.INVALID_REQUEST}: Removing the log level of the root logger is not allowed`,
  ],
  [
    [['root', APPEND, 'DEBUG']],
    '1',
    `${ErrorCode.INVALID_REQUEST}: APPEND operation is not allowed for the BROKER_LOGGER resource`,
  ],
  [[['root', SET, null]], '1', `${ErrorCode.INVALID_REQUEST}: Null value not supported for : root`],
  [
    [
      ['root', SET, 'DEBUG'],
      ['root', SET, 'WARN'],
    ],
    '1',
    `${ErrorCode.INVALID_REQUEST}: Error due to duplicate config keys`,
  ],
  [[['root', SET, 'DEBUG']], '9', `${ErrorCode.INVALID_REQUEST}: Unexpected node id. Expected 1, but received 9`],
  [[['root', SET, 'DEBUG']], '', `${ErrorCode.INVALID_REQUEST}: Node id must be an integer, but it is: `],
])('%p of node %p is refused as by Apache Kafka', (changes, resourceName, outcome) => {
  expect(altered(changes, { resourceName })).toEqual({ level: 'INFO', outcome })
})

test('one logger is told of, under the name of its level', () => {
  expect(describeLoggers(new LogThreshold('warn'))).toMatchObject([{ name: 'root', value: 'WARN', source: 6 }])
})
