import { ApiKey } from '../../../../broker/protocol/api-key.ts'
import type { RequestInputOf } from '../../../../broker/protocol/apis.ts'
import { type Script, versionsOf } from '../script.ts'

const TOPIC = 2
const BROKER = 4
const CLIENT_METRICS = 16
const GROUP = 32
const SET = 0
const DELETE = 1
const APPEND = 2
const SUBTRACT = 3

/** Keys whose values are this machine's. */
const UNLIKE = ['advertised.listeners', 'controller.quorum.bootstrap.servers', 'listeners', 'log.dirs']

export async function describeConfigs(script: Script): Promise<void> {
  await script.create('described', { configs: { 'retention.ms': '1000', 'cleanup.policy': 'compact' } })
  const topic = { resourceType: TOPIC, resourceName: 'described' }
  for (const includeSynonyms of [false, true]) {
    const describe = (what: string, resource: Resource) =>
      script.inEveryVersion(`${what}${includeSynonyms ? ', synonyms' : ''}`, ApiKey.DescribeConfigs, {
        resources: [{ configurationKeys: null, ...resource }],
        includeSynonyms,
      })
    await describe('topic', topic)
    await describe('some keys', { ...topic, configurationKeys: ['retention.ms', 'segment.bytes', 'unheard.of'] })
    await describe('no keys', { ...topic, configurationKeys: [] })
    await describe('default broker', { resourceType: BROKER, resourceName: '' })
    await describe('broker, some keys', {
      resourceType: BROKER,
      resourceName: '1',
      configurationKeys: ['log.retention.hours', 'log.retention.ms', 'node.id', 'unheard.of'],
    })
    await describe('group', { resourceType: GROUP, resourceName: 'g' })
    await describe('client metrics', { resourceType: CLIENT_METRICS, resourceName: 'm' })
  }
  const refused: Resource[] = [
    { resourceType: TOPIC, resourceName: 'absent' },
    { resourceType: TOPIC, resourceName: '' },
    { resourceType: TOPIC, resourceName: 'a/b' },
    { resourceType: BROKER, resourceName: '2' },
    { resourceType: BROKER, resourceName: 'x' },
    { resourceType: GROUP, resourceName: '' },
    { resourceType: CLIENT_METRICS, resourceName: '' },
    { resourceType: 0, resourceName: 'x' },
    { resourceType: 99, resourceName: 'x' },
  ]
  for (const resource of refused) {
    const request = { resources: [{ configurationKeys: null, ...resource }] }
    await script.inEveryVersion(`${resource.resourceType} '${resource.resourceName}'`, ApiKey.DescribeConfigs, request)
  }
  await script.inEveryVersion('nothing', ApiKey.DescribeConfigs, { resources: [] })
  const twice = [topic, topic].map((resource) => ({ ...resource, configurationKeys: ['retention.ms'] }))
  await script.inEveryVersion('twice', ApiKey.DescribeConfigs, { resources: twice })
  await describeBroker(script)
}

/** Every key of Apache's broker. */
async function describeBroker(script: Script): Promise<void> {
  const answer = await script.ask(ApiKey.DescribeConfigs, 4, {
    resources: [{ resourceType: BROKER, resourceName: '1', configurationKeys: null }],
    includeSynonyms: true,
  })
  const configs = answer.results[0]?.configs ?? []
  const comparable = configs.filter(({ name }) => !UNLIKE.includes(name) && name !== 'metrics.listen')
  for (const { documentation: _, ...config } of comparable)
    script.note(`DescribeConfigs v4: broker, ${config.name}`, config)
}

type Resource = NonNullable<RequestInputOf<typeof ApiKey.DescribeConfigs>['resources']>[number]
interface Change {
  readonly name: string
  readonly value: string | null
  readonly configOperation: number
}

const set = (name: string, value: string | null): Change => ({ name, value, configOperation: SET })
const remove = (name: string, value: string | null = null): Change => ({ name, value, configOperation: DELETE })
const append = (name: string, value: string | null): Change => ({ name, value, configOperation: APPEND })
const subtract = (name: string, value: string | null): Change => ({ name, value, configOperation: SUBTRACT })

/** Changes of one topic, each on top of what the ones before have left. */
const TOPIC_CHANGES: Readonly<Record<string, readonly Change[]>> = {
  set: [set('retention.ms', '5000')],
  'set, spaces': [set('retention.ms', ' 6000 ')],
  'set two': [set('retention.ms', '7000'), set('segment.bytes', '2000000')],
  delete: [remove('segment.bytes')],
  'delete with a value': [remove('retention.ms', 'x')],
  'delete what is not set': [remove('flush.ms')],
  append: [append('cleanup.policy', 'compact')],
  'append again': [append('cleanup.policy', 'compact')],
  'append nothing': [append('cleanup.policy', '')],
  'append two': [append('cleanup.policy', 'delete,compact')],
  'append with spaces': [append('cleanup.policy', ' delete , compact ')],
  subtract: [subtract('cleanup.policy', 'delete')],
  'subtract what is not there': [subtract('cleanup.policy', 'delete')],
  'subtract all': [subtract('cleanup.policy', 'compact')],
  'append bad': [append('cleanup.policy', 'burn')],
  'append to a number': [append('retention.ms', '1')],
  'subtract from a number': [subtract('retention.ms', '1')],
  'append null': [append('cleanup.policy', null)],
  'append to the unknown': [append('unheard.of', 'x')],
  'set null': [set('retention.ms', null)],
  'set empty': [set('retention.ms', '')],
  'bad number': [set('retention.ms', 'x')],
  'number out of range': [set('segment.bytes', '1')],
  'number that is too large': [set('segment.bytes', '99999999999')],
  fraction: [set('retention.ms', '1.5')],
  'bad boolean': [set('preallocate', 'yes')],
  'bad choice': [set('compression.type', 'zip')],
  'bad double': [set('min.cleanable.dirty.ratio', '2')],
  'unknown key': [set('unheard.of', 'x')],
  'delete the unknown': [remove('unheard.of')],
  'empty key': [set('', 'x')],
  'key twice': [set('retention.ms', '1'), set('retention.ms', '2')],
  'unknown operation': [{ name: 'retention.ms', value: '1', configOperation: 9 }],
  'good and bad': [set('retention.ms', '9000'), set('segment.bytes', 'x')],
  'throttled replicas': [set('leader.replication.throttled.replicas', '0:1,1:1')],
  'bad throttled replicas': [set('leader.replication.throttled.replicas', '0:1,x')],
  nothing: [],
}

const BROKER_CHANGES: Readonly<Record<string, readonly Change[]>> = {
  'read-only key': [set('node.id', '7')],
  'read-only key, deleted': [remove('node.id')],
  'unknown key': [set('unheard.of', 'x')],
  'per-broker key': [set('log.retention.ms', '100000000')],
  'cluster-wide key': [set('message.max.bytes', '2000000')],
  'bad number': [set('message.max.bytes', 'x')],
  'listener key': [set('listener.name.plaintext.ssl.keystore.type', 'JKS')],
  listeners: [set('advertised.listeners', 'PLAINTEXT://h:1')],
  threads: [set('num.io.threads', '16')],
  'too many threads': [set('num.io.threads', '99')],
  'retention in conflict': [set('log.local.retention.ms', '999999999999')],
  'min isr': [set('min.insync.replicas', '2')],
  'min isr removed': [remove('min.insync.replicas')],
  append: [append('log.cleanup.policy', 'compact')],
}

export async function incrementalAlterConfigs(script: Script): Promise<void> {
  await script.create('altered')
  for (const validateOnly of [true, false]) {
    for (const [what, configs] of Object.entries(TOPIC_CHANGES)) {
      await alter(script, what, { resourceType: TOPIC, resourceName: 'altered', configs }, validateOnly)
    }
    for (const [what, configs] of Object.entries(BROKER_CHANGES)) {
      await alter(script, `broker: ${what}`, { resourceType: BROKER, resourceName: '1', configs }, true)
      await alter(script, `default broker: ${what}`, { resourceType: BROKER, resourceName: '', configs }, true)
    }
  }
  for (const [resourceType, resourceName] of REFUSED) {
    await alter(
      script,
      `${resourceType} '${resourceName}'`,
      { resourceType, resourceName, configs: [set('retention.ms', '1')] },
      true,
    )
  }
  for (const [what, config] of Object.entries({
    'bad value': set('retention.ms', 'x'),
    'unknown key': set('unheard.of', 'x'),
    null: set('retention.ms', null),
    append: append('cleanup.policy', 'delete'),
    'append to a number': append('retention.ms', '1'),
  })) {
    for (const [resourceType, resourceName] of REFUSED.filter(([type]) => type !== BROKER && type !== CLIENT_METRICS)) {
      const resource = { resourceType, resourceName, configs: [config] }
      await alter(script, `${what} of ${resourceType} '${resourceName}'`, resource, true)
    }
  }
  const group = (configs: readonly Change[]) => ({ resourceType: GROUP, resourceName: 'g', configs })
  await alter(script, 'group', group([set('consumer.session.timeout.ms', '50000')]), true)
  await alter(script, 'group, too small', group([set('consumer.session.timeout.ms', '1')]), true)
  await alter(script, 'group, unknown', group([set('unheard.of', '1')]), true)
  const metrics = (configs: readonly Change[]) => ({ resourceType: CLIENT_METRICS, resourceName: 'm', configs })
  await alter(script, 'client metrics', metrics([set('interval.ms', '1000')]), true)
  await alter(script, 'client metrics, bad', metrics([set('interval.ms', '1')]), true)
  await alter(script, 'client metrics, match', metrics([append('match', 'client_id=a'), set('metrics', '*')]), true)
  await alter(script, 'client metrics, unknown', metrics([set('unheard.of', '1')]), true)
  await dynamicBrokerConfigs(script)
}

const REFUSED = [
  [TOPIC, 'absent'],
  [TOPIC, ''],
  [TOPIC, 'a/b'],
  [BROKER, '7'],
  [BROKER, '-1'],
  [BROKER, 'x'],
  [GROUP, ''],
  [CLIENT_METRICS, ''],
  [0, 'x'],
  [99, 'x'],
] as const

type Resources = NonNullable<RequestInputOf<typeof ApiKey.IncrementalAlterConfigs>['resources']>

async function alter(script: Script, what: string, resource: Resources[number], validateOnly: boolean): Promise<void> {
  for (const version of versionsOf(ApiKey.IncrementalAlterConfigs)) {
    const only = validateOnly ? ', validate only' : ''
    await script.call(`${what}${only}`, ApiKey.IncrementalAlterConfigs, version, {
      resources: [resource],
      validateOnly,
    })
  }
  if (validateOnly || resource.resourceType !== TOPIC) return
  await script.create(`after ${what}`.replaceAll(/[^a-z]/g, '-'))
  const { resourceType, resourceName } = resource
  await script.call(`after ${what}`, ApiKey.DescribeConfigs, 4, {
    resources: [{ resourceType, resourceName, configurationKeys: null }],
  })
}

/** What brokers take while they run, and how it shows. */
async function dynamicBrokerConfigs(script: Script): Promise<void> {
  const key = 'log.segment.delete.delay.ms'
  const change = async (resourceName: string, config: Change) => {
    const resources = [{ resourceType: BROKER, resourceName, configs: [config] }]
    await script.call(`${config.configOperation} for '${resourceName}'`, ApiKey.IncrementalAlterConfigs, 1, {
      resources,
    })
  }
  const seen = async (value: string) => {
    const resources = [{ resourceType: BROKER, resourceName: '1', configurationKeys: [key] }]
    await script.until(
      ApiKey.DescribeConfigs,
      4,
      { resources },
      ({ results }) => results[0]?.configs[0]?.value === value,
    )
    await script.call(`as ${value}`, ApiKey.DescribeConfigs, 4, {
      resources: [...resources, { resourceType: BROKER, resourceName: '', configurationKeys: [key] }],
      includeSynonyms: true,
    })
    const topic = {
      resourceType: TOPIC,
      resourceName: 'described',
      configurationKeys: ['file.delete.delay.ms', 'retention.ms'],
    }
    await script.call(`topic, as ${value}`, ApiKey.DescribeConfigs, 4, { resources: [topic], includeSynonyms: true })
  }
  await change('', set(key, '70000'))
  await seen('70000')
  await change('1', set(key, '80000'))
  await seen('80000')
  await change('1', remove(key))
  await seen('70000')
  await change('', remove(key))
  await seen('60000')
}

export async function alterConfigs(script: Script): Promise<void> {
  await script.create('replaced', { configs: { 'retention.ms': '1000', 'segment.bytes': '2000000' } })
  for (const version of versionsOf(ApiKey.AlterConfigs)) {
    const replace = async (
      what: string,
      resourceType: number,
      resourceName: string,
      configs: Readonly<Record<string, string | null>>,
      validateOnly = false,
    ) => {
      const entries = Object.entries(configs).map(([name, value]) => ({ name, value }))
      await script.call(what, ApiKey.AlterConfigs, version, {
        resources: [{ resourceType, resourceName, configs: entries }],
        validateOnly,
      })
      await script.create(`then-${version}-${what.replaceAll(' ', '-')}`)
      const described = {
        resourceType: TOPIC,
        resourceName: 'replaced',
        configurationKeys: ['retention.ms', 'segment.bytes', 'flush.ms'],
      }
      await script.call(`after ${what}`, ApiKey.DescribeConfigs, 4, { resources: [described] })
    }
    await replace('validate only', TOPIC, 'replaced', { 'retention.ms': '7' }, true)
    await replace('another key', TOPIC, 'replaced', { 'flush.ms': '7', 'retention.ms': '1000' })
    await replace('bad value', TOPIC, 'replaced', { 'retention.ms': 'x' })
    await replace('unknown key', TOPIC, 'replaced', { 'unheard.of': 'x' })
    await replace('null', TOPIC, 'replaced', { 'retention.ms': null })
    await replace('nothing', TOPIC, 'replaced', {})
    await replace('absent topic', TOPIC, 'absent', {})
    await replace('absent topic with a bad value', TOPIC, 'absent', { 'retention.ms': 'x' })
    await replace('two nulls', TOPIC, 'replaced', { 'retention.ms': null, 'flush.ms': null })
    await replace('empty topic', TOPIC, '', {})
    await replace('broker', BROKER, '1', { 'log.retention.ms': '1' }, true)
    await replace('broker read-only', BROKER, '1', { 'node.id': '1' }, true)
    await replace('unknown broker', BROKER, '9', {}, true)
    await replace('unknown type', 99, 'x', {}, true)
    const keys = ['1', '2'].map((value) => ({ name: 'retention.ms', value }))
    await script.call('key twice', ApiKey.AlterConfigs, version, {
      resources: [{ resourceType: TOPIC, resourceName: 'replaced', configs: keys }],
    })
  }
}
