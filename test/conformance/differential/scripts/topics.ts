import { ApiKey } from '../../../../broker/protocol/api-key.ts'
import type { RequestInputOf } from '../../../../broker/protocol/apis.ts'
import { type Script, versionsOf } from '../script.ts'

type NewTopic = NonNullable<RequestInputOf<typeof ApiKey.CreateTopics>['topics']>[number]

const UNKNOWN_ID = 'AAAAAAAAAAAAAAAAAAAACA'
const LONG_NAME = 'n'.repeat(250)
const plain = { numPartitions: 1, replicationFactor: 1 }
const replicas = (...lists: (readonly number[])[]) =>
  lists.map((brokerIds, partitionIndex) => ({ partitionIndex, brokerIds }))

/** Topics that cannot be, each in a request of its own. */
const REFUSED: Readonly<Record<string, NewTopic>> = {
  'empty name': { name: '', ...plain },
  'a dot': { name: '.', ...plain },
  'two dots': { name: '..', ...plain },
  'a slash': { name: 'a/b', ...plain },
  'not ASCII': { name: 'é', ...plain },
  'long name': { name: LONG_NAME, ...plain },
  existing: { name: 'there', ...plain },
  collision: { name: 'the_re.x', ...plain },
  'no partitions': { name: 'none', numPartitions: 0, replicationFactor: 1 },
  'minus two partitions': { name: 'none', numPartitions: -2, replicationFactor: 1 },
  'too many partitions': { name: 'none', numPartitions: 10_001, replicationFactor: 1 },
  'no replicas': { name: 'none', numPartitions: 1, replicationFactor: 0 },
  'minus two replicas': { name: 'none', numPartitions: 1, replicationFactor: -2 },
  'two replicas': { name: 'none', numPartitions: 1, replicationFactor: 2 },
  'unknown broker': { name: 'none', numPartitions: -1, replicationFactor: -1, assignments: replicas([7]) },
  'broker twice': { name: 'none', numPartitions: -1, replicationFactor: -1, assignments: replicas([1, 1]) },
  'empty replica list': { name: 'none', numPartitions: -1, replicationFactor: -1, assignments: replicas([]) },
  'lists of two lengths': {
    name: 'none',
    numPartitions: -1,
    replicationFactor: -1,
    assignments: replicas([1], [1, 7]),
  },
  'gap in the assignment': {
    name: 'none',
    numPartitions: -1,
    replicationFactor: -1,
    assignments: [
      { partitionIndex: 0, brokerIds: [1] },
      { partitionIndex: 2, brokerIds: [1] },
    ],
  },
  'not from zero': {
    name: 'none',
    numPartitions: -1,
    replicationFactor: -1,
    assignments: [{ partitionIndex: 1, brokerIds: [1] }],
  },
  'partition twice': {
    name: 'none',
    numPartitions: -1,
    replicationFactor: -1,
    assignments: [
      { partitionIndex: 0, brokerIds: [1] },
      { partitionIndex: 0, brokerIds: [1] },
    ],
  },
  'partitions and assignment': { name: 'none', numPartitions: 1, replicationFactor: -1, assignments: replicas([1]) },
  'replicas and assignment': { name: 'none', numPartitions: -1, replicationFactor: 1, assignments: replicas([1]) },
  'unknown config': { name: 'none', ...plain, configs: [{ name: 'unheard.of', value: '1' }] },
  'bad number': { name: 'none', ...plain, configs: [{ name: 'segment.bytes', value: 'many' }] },
  'small number': { name: 'none', ...plain, configs: [{ name: 'segment.bytes', value: '1' }] },
  'bad policy': { name: 'none', ...plain, configs: [{ name: 'cleanup.policy', value: 'compact,burn' }] },
  'bad boolean': { name: 'none', ...plain, configs: [{ name: 'preallocate', value: 'maybe' }] },
  'null config': { name: 'none', ...plain, configs: [{ name: 'segment.bytes', value: null }] },
  'empty config name': { name: 'none', ...plain, configs: [{ name: '', value: '1' }] },
  'config twice': {
    name: 'none',
    ...plain,
    configs: [
      { name: 'retention.ms', value: '1000' },
      { name: 'retention.ms', value: 'x' },
    ],
  },
  'lags in conflict': {
    name: 'none',
    ...plain,
    configs: [
      { name: 'min.compaction.lag.ms', value: '10' },
      { name: 'max.compaction.lag.ms', value: '5' },
    ],
  },
  'tiered storage': { name: 'none', ...plain, configs: [{ name: 'remote.storage.enable', value: 'true' }] },
}

/** Topics that are made, with `validateOnly` or for good. */
const CREATED: Readonly<Record<string, NewTopic>> = {
  plain: { name: 'made-plain', ...plain },
  defaults: { name: 'made-defaults', numPartitions: -1, replicationFactor: -1 },
  three: { name: 'made-three', numPartitions: 3, replicationFactor: 1 },
  assigned: { name: 'made-assigned', numPartitions: -1, replicationFactor: -1, assignments: replicas([1], [1]) },
  configured: {
    name: 'made-configured',
    ...plain,
    configs: [
      { name: 'cleanup.policy', value: ' compact , delete ' },
      { name: 'retention.ms', value: ' 1000 ' },
      { name: 'segment.bytes', value: '1048576' },
      { name: 'preallocate', value: 'TRUE' },
      { name: 'min.cleanable.dirty.ratio', value: '.25' },
    ],
  },
  internal: { name: '__share_group_state', ...plain },
}

export async function createTopics(script: Script): Promise<void> {
  await script.create('there')
  await script.create('the.re.x')
  for (const [what, topic] of Object.entries(REFUSED)) {
    for (const version of versionsOf(ApiKey.CreateTopics)) {
      for (const validateOnly of [false, true]) {
        await script.call(`${what}${validateOnly ? ', validate only' : ''}`, ApiKey.CreateTopics, version, {
          topics: [topic],
          validateOnly,
        })
      }
    }
  }
  for (const [what, topic] of Object.entries(CREATED)) {
    for (const version of versionsOf(ApiKey.CreateTopics)) {
      const made = { ...topic, name: `${topic.name}${version}` }
      await script.call(`${what}, validate only`, ApiKey.CreateTopics, version, { topics: [made], validateOnly: true })
      await script.call(what, ApiKey.CreateTopics, version, { topics: [made] })
    }
  }
  for (const version of versionsOf(ApiKey.CreateTopics)) {
    const topics = [
      { name: 'twice', ...plain },
      { name: 'twice', ...plain },
      { name: `once${version}`, ...plain },
    ]
    await script.call('twice', ApiKey.CreateTopics, version, { topics })
    await script.call('nothing', ApiKey.CreateTopics, version, { topics: [] })
    for (const timeoutMs of [0, -1]) {
      const late = [{ name: `late${version}`, ...plain }]
      await script.call(`${timeoutMs} ms`, ApiKey.CreateTopics, version, { topics: late, timeoutMs })
    }
    const colliding = [
      { name: `c.${version}`, ...plain },
      { name: `c_${version}`, ...plain },
    ]
    await script.call('collision within', ApiKey.CreateTopics, version, { topics: colliding })
    await script.call('metadata topic', ApiKey.CreateTopics, version, {
      topics: [{ name: '__cluster_metadata', ...plain }],
      validateOnly: true,
    })
  }
}

export async function deleteTopics(script: Script): Promise<void> {
  await script.create('keep')
  for (const version of versionsOf(ApiKey.DeleteTopics)) {
    const name = `gone${version}`
    const id = await script.create(name)
    const call = (
      what: string,
      names: readonly string[],
      topics: readonly { name: string | null; topicId?: string }[] = [],
    ) => {
      const named = names.map((each) => ({ name: each }))
      return script.call(what, ApiKey.DeleteTopics, version, {
        topicNames: names,
        topics: [...named, ...topics],
        timeoutMs: 10_000,
      })
    }
    await call('nothing', [])
    await call('unknown', ['unknown'])
    await call('bad name', ['a/b', ''])
    await call('duplicates', [name, name, 'unknown', 'unknown'])
    if (version >= 6) {
      await call('unknown id', [], [{ name: null, topicId: UNKNOWN_ID }])
      await call('neither', [], [{ name: null }])
      await call('both', [], [{ name, topicId: id }])
      await call(
        'ids twice',
        [],
        [
          { name: null, topicId: id },
          { name: null, topicId: id },
        ],
      )
      await call('name and id', [name], [{ name: null, topicId: id }])
      const other = await script.create('gone-by-id')
      await call('by id', [], [{ name: null, topicId: other }])
    }
    await script.call('no time', ApiKey.DeleteTopics, version, { topicNames: [name], topics: [{ name }], timeoutMs: 0 })
    await call('one and unknown', [name, 'unknown'])
    await call('again', [name])
  }
  await script.until(
    ApiKey.Metadata,
    12,
    { topics: [{ name: 'gone6' }], allowAutoTopicCreation: false },
    ({ topics }) => topics[0]?.errorCode === 3,
  )
  await script.call('after the deletion', ApiKey.Metadata, 12, {
    topics: [{ name: 'gone6' }, { name: 'keep' }],
    allowAutoTopicCreation: false,
  })
}

export async function createPartitions(script: Script): Promise<void> {
  for (const version of versionsOf(ApiKey.CreatePartitions)) {
    const name = `grow${version}`
    await script.create(name, { partitions: 2 })
    const grow = (
      what: string,
      count: number,
      assignments: readonly { brokerIds: number[] }[] | null = null,
      validateOnly = false,
    ) =>
      script.call(what, ApiKey.CreatePartitions, version, {
        topics: [{ name, count, assignments }],
        timeoutMs: 10_000,
        validateOnly,
      })
    await grow('fewer', 1)
    await grow('equal', 2)
    await grow('none', 0)
    await grow('negative', -1)
    await grow('validate only', 4, null, true)
    await grow('too few assignments', 4, [{ brokerIds: [1] }])
    await grow('too many assignments', 3, [{ brokerIds: [1] }, { brokerIds: [1] }])
    await grow('unknown broker', 3, [{ brokerIds: [9] }])
    await grow('two replicas', 3, [{ brokerIds: [1, 9] }])
    await grow('empty replicas', 3, [{ brokerIds: [] }])
    await grow('no assignments', 3, [])
    const late = [{ name, count: 9, assignments: null }]
    await script.call('no time', ApiKey.CreatePartitions, version, { topics: late, timeoutMs: 0 })
    await grow('more', 3)
    await grow('assigned', 4, [{ brokerIds: [1] }])
    const topics = [
      { name: 'unknown', count: 3, assignments: null },
      { name: 'a/b', count: 3, assignments: null },
    ]
    await script.call('unknown', ApiKey.CreatePartitions, version, { topics, timeoutMs: 10_000 })
    const twice = [5, 6].map((count) => ({ name, count, assignments: null }))
    await script.call('twice', ApiKey.CreatePartitions, version, { topics: twice, timeoutMs: 10_000 })
    await script.call('nothing', ApiKey.CreatePartitions, version, { topics: [] })
    await script.applied(name, 3)
    await script.call('after growing', ApiKey.Metadata, 12, { topics: [{ name }] })
  }
}

export async function electLeaders(script: Script): Promise<void> {
  await script.create('elected', { partitions: 2 })
  const topicPartitions = [
    { topic: 'elected', partitions: [0, 1, 2] },
    { topic: 'unknown', partitions: [0] },
    { topic: '', partitions: [0] },
  ]
  await script.inEveryVersion('no time', ApiKey.ElectLeaders, { topicPartitions, timeoutMs: 0 })
  for (const electionType of [0, 1, 2, -1]) {
    await script.inEveryVersion(`type ${electionType}`, ApiKey.ElectLeaders, { electionType, topicPartitions })
    await script.inEveryVersion(`type ${electionType}, all`, ApiKey.ElectLeaders, {
      electionType,
      topicPartitions: null,
    })
    await script.inEveryVersion(`type ${electionType}, none`, ApiKey.ElectLeaders, {
      electionType,
      topicPartitions: [],
    })
  }
}
