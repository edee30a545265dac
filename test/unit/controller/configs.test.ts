import { expect, test } from '@jest/globals'
import { alterConfigs, incrementalAlterConfigs } from '../../../broker/controller/alter-configs.ts'
import type { ConfigOrigin } from '../../../broker/controller/config-change.ts'
import type { ConfigRules } from '../../../broker/controller/config-rules.ts'
import { type MetadataImage, ResourceType } from '../../../broker/metadata/image.ts'
import { ErrorCode, errorName } from '../../../broker/protocol/errors.ts'
import { config, feature, topic } from '../metadata/records.ts'
import { after, clusterOf, RULES } from './cluster.ts'

const SET = 0
const DELETE = 1
const APPEND = 2
const SUBTRACT = 3

type Operation = readonly [string, number, string | null]

function altered(image: MetadataImage, operations: readonly Operation[], validateOnly = false) {
  const configs = operations.map(([name, configOperation, value]) => ({ name, configOperation, value }))
  const resources = [{ resourceType: ResourceType.TOPIC, resourceName: 'topic-1', configs }]
  return incrementalAlterConfigs(image, { resources, validateOnly }, RULES, 'broker')
}

const IMAGE = clusterOf(
  [1],
  [],
  [
    ...topic(1, 1),
    config(ResourceType.TOPIC, 'topic-1', 'kept', '1'),
    config(ResourceType.TOPIC, 'topic-1', 'old', '2'),
  ],
)
const configs = (image: MetadataImage) => Object.fromEntries(image.configsOf(ResourceType.TOPIC, 'topic-1'))

test('sets and deletes single keys', () => {
  const outcome = altered(IMAGE, [
    ['new', SET, '3'],
    ['old', DELETE, null],
  ])
  expect(configs(after(IMAGE, outcome))).toEqual({ kept: '1', new: '3' })
})

test('appends to a list and subtracts from it, from the default where it is not set', () => {
  const appended = after(IMAGE, altered(IMAGE, [['list', APPEND, 'b,c']]))
  expect(configs(appended)['list']).toBe('a,b,c')
  expect(configs(after(appended, altered(appended, [['list', SUBTRACT, 'a,x']])))['list']).toBe('b,c')
})

test('what stays as it is makes no record', () => {
  expect(altered(IMAGE, [['kept', SET, '1']]).records).toEqual([])
})

test.each<[string, Operation, ErrorCode]>([
  ['a value that the rules refuse', ['x', SET, 'bad'], ErrorCode.INVALID_CONFIG],
  ['an append to what is no list', ['x', APPEND, '1'], ErrorCode.INVALID_CONFIG],
  ['an operation that is none', ['x', 9, '1'], ErrorCode.INVALID_REQUEST],
  ['a value that is too long', ['x', SET, 'x'.repeat(32_768)], ErrorCode.INVALID_CONFIG],
  ['one that is too long as UTF-8', ['x', SET, '\u20ac'.repeat(11_000)], ErrorCode.INVALID_CONFIG],
])('%s is refused', (_what, operation, errorCode) => {
  expect(altered(IMAGE, [operation])).toMatchObject({ records: [], response: { responses: [{ errorCode }] } })
})

test('only what is set now is new to the rules', () => {
  const told: unknown[] = []
  const rules: ConfigRules = {
    ...RULES,
    validate: (_type, _name, all, changed) => {
      told.push([[...all.keys()], [...changed]])
      return null
    },
  }
  const changes = [
    { name: 'new', configOperation: SET, value: '3' },
    { name: 'old', configOperation: DELETE, value: null },
  ]
  const resources = [{ resourceType: ResourceType.TOPIC, resourceName: 'topic-1', configs: changes }]
  incrementalAlterConfigs(IMAGE, { resources, validateOnly: true }, rules, 'broker')
  expect(told).toEqual([[['kept', 'new'], ['new']]])
})

test('validateOnly makes no records', () => {
  expect(altered(IMAGE, [['new', SET, '3']], true).records).toEqual([])
})

test('the legacy API deletes what it does not list', () => {
  const listed = [
    { name: 'kept', value: '1' },
    { name: 'new', value: '3' },
  ]
  const resources = [{ resourceType: ResourceType.TOPIC, resourceName: 'topic-1', configs: listed }]
  const outcome = alterConfigs(IMAGE, { resources, validateOnly: false }, RULES, 'broker')
  expect(configs(after(IMAGE, outcome))).toEqual({ kept: '1', new: '3' })
})

test('a resource that comes twice is refused both times', () => {
  const one = { resourceType: ResourceType.BROKER, resourceName: '', configs: [] }
  const { response } = incrementalAlterConfigs(IMAGE, { resources: [one, one], validateOnly: false }, RULES, 'broker')
  expect(response.responses?.map(({ errorCode }) => errorCode)).toEqual([
    ErrorCode.INVALID_REQUEST,
    ErrorCode.INVALID_REQUEST,
  ])
})

test('with eligible leader replicas another minimum ISR clears them, and the cluster keeps one', () => {
  const image = clusterOf([1], [], [feature('eligible.leader.replicas.version', 1), ...topic(1, 1)])
  const types = altered(image, [['min.insync.replicas', SET, '2']]).records.map(({ type }) => type)
  expect(types).toEqual(['ConfigRecord', 'ClearElrRecord'])
  const removal = [{ name: 'min.insync.replicas', configOperation: DELETE, value: null }]
  const resources = [{ resourceType: ResourceType.BROKER, resourceName: '', configs: removal }]
  const { response } = incrementalAlterConfigs(image, { resources, validateOnly: false }, RULES, 'broker')
  expect(response.responses?.[0]?.errorMessage).toBe(
    'Cluster-level min.insync.replicas cannot be removed while ELR is enabled.',
  )
})

test.each<[string, ConfigOrigin, string, boolean]>([
  ['a client of the controller may not cordon a log dir', 'client', '/a,/c', false],
  ['a client of the controller may uncordon one', 'client', '/b', true],
  ['a client of the controller may uncordon all', 'client', '', true],
  ['a client of a broker may cordon any', 'broker', '/a,/c', true],
])('%s', (_what, origin, value, isAllowed) => {
  const cordoned = config(ResourceType.BROKER, '1', 'cordoned.log.dirs', '/a, /b')
  const image = clusterOf([1], [], [feature('metadata.version', 30), cordoned])
  const changed = [{ name: 'cordoned.log.dirs', configOperation: SET, value }]
  const resources = [{ resourceType: ResourceType.BROKER, resourceName: '1', configs: changed }]
  const { response } = incrementalAlterConfigs(image, { resources, validateOnly: false }, RULES, origin)
  expect(response.responses?.[0]?.errorCode).toBe(isAllowed ? ErrorCode.NONE : ErrorCode.INVALID_CONFIG)
})

test.each([
  [
    'of no type, before its operations',
    99,
    'x',
    [{ name: 'k', configOperation: APPEND, value: '1' }],
    'INVALID_REQUEST',
  ],
  ['of no type, after values that are null', 99, 'x', [{ name: 'k', configOperation: SET, value: null }], 'Null value'],
  [
    'that is not there, after its values',
    2,
    'absent',
    [{ name: 'x', configOperation: SET, value: 'bad' }],
    'INVALID_CONFIG',
  ],
  ['that is not there', 2, 'absent', [{ name: 'x', configOperation: SET, value: '1' }], 'UNKNOWN_TOPIC_OR_PARTITION'],
] as const)('a resource %s is refused', (_, resourceType, resourceName, changes, expected) => {
  const resources = [{ resourceType, resourceName, configs: [...changes] }]
  const { response } = incrementalAlterConfigs(IMAGE, { resources, validateOnly: false }, RULES, 'broker')
  const [answer] = response.responses ?? []
  expect(`${errorName(answer?.errorCode ?? 0)}: ${answer?.errorMessage}`).toContain(expected)
})

test('every value that is null is named', () => {
  const nulls = ['a', 'b'].map((name) => ({ name, configOperation: SET, value: null }))
  const resources = [{ resourceType: ResourceType.TOPIC, resourceName: 'topic-1', configs: nulls }]
  const { response } = incrementalAlterConfigs(IMAGE, { resources, validateOnly: false }, RULES, 'broker')
  expect(response.responses).toMatchObject([{ errorMessage: 'Null value not supported for : a, b' }])
})
