import { ApiKey } from '../../../../broker/protocol/api-key.ts'
import { type Script, versionsOf } from '../script.ts'

const NO_ID = 'AAAAAAAAAAAAAAAAAAAAAA'
const UNKNOWN_ID = 'AAAAAAAAAAAAAAAAAAAACA'

export async function metadata(script: Script): Promise<void> {
  await script.create('known', { partitions: 3 })
  const known = script.topicId('known')
  await script.inEveryVersion('one topic', ApiKey.Metadata, { topics: [{ name: 'known' }] })
  await script.inEveryVersion('one topic twice', ApiKey.Metadata, { topics: [{ name: 'known' }, { name: 'known' }] })
  for (const version of versionsOf(ApiKey.Metadata)) {
    if (version >= 1) await script.call('no topics', ApiKey.Metadata, version, { topics: [] })
    if (version >= 4) {
      const topics = ['unknown', 'known', '', 'a/b', '.', 'n'.repeat(250)].map((name) => ({ name }))
      await script.call('unknown and bad', ApiKey.Metadata, version, { topics, allowAutoTopicCreation: false })
      await script.call('bad, with creation', ApiKey.Metadata, version, {
        topics: topics.slice(2),
        allowAutoTopicCreation: true,
      })
    }
    if (version >= 8) {
      await script.call('unknown and bad, operations', ApiKey.Metadata, version, {
        topics: ['unknown', 'a/b'].map((name) => ({ name })),
        allowAutoTopicCreation: false,
        includeTopicAuthorizedOperations: true,
      })
    }
    const operations = { includeClusterAuthorizedOperations: true, includeTopicAuthorizedOperations: true }
    await script.call('operations', ApiKey.Metadata, version, { topics: [{ name: 'known' }], ...operations })
    if (version >= 10) {
      await script.call('name and id', ApiKey.Metadata, version, { topics: [{ name: 'known', topicId: known }] })
      await script.call('no name', ApiKey.Metadata, version, { topics: [{ name: null, topicId: known }] })
      await script.call('unknown id', ApiKey.Metadata, version, { topics: [{ name: null, topicId: UNKNOWN_ID }] })
      await script.call('no name, no id', ApiKey.Metadata, version, { topics: [{ name: null }] })
      await script.call('by id twice', ApiKey.Metadata, version, {
        topics: [
          { name: null, topicId: known },
          { name: null, topicId: known },
          { name: null, topicId: UNKNOWN_ID },
        ],
      })
      await script.call('by id and by name', ApiKey.Metadata, version, {
        topics: [{ name: null, topicId: known }, { name: 'known' }],
      })
    }
  }
}

/** auto.create.topics.enable: what is asked for comes into being. */
export async function autoCreation(script: Script): Promise<void> {
  for (const version of versionsOf(ApiKey.Metadata)) {
    const name = `auto${version}`
    await script.call('missing', ApiKey.Metadata, version, { topics: [{ name }], allowAutoTopicCreation: true })
    await script.applied(name)
    await script.call('made', ApiKey.Metadata, version, { topics: [{ name }], allowAutoTopicCreation: true })
  }
  await script.call('a collision', ApiKey.Metadata, 12, { topics: [{ name: 'auto_x.y' }] })
  await script.applied('auto_x.y')
  await script.call('a collision', ApiKey.Metadata, 12, { topics: [{ name: 'auto.x.y' }] })
  await script.call('internal', ApiKey.Metadata, 12, { topics: [{ name: '__consumer_offsets' }] })
  await script.until(
    ApiKey.Metadata,
    12,
    { topics: [{ name: '__consumer_offsets' }] },
    ({ topics }) => topics[0]?.errorCode === 0,
  )
  await script.call('internal, made', ApiKey.Metadata, 12, { topics: [{ name: '__consumer_offsets' }] })
}

/** Everything that the scripts before have made. */
export async function allTopics(script: Script): Promise<void> {
  for (const version of versionsOf(ApiKey.Metadata)) {
    const { topics, ...rest } = await script.ask(ApiKey.Metadata, version, { topics: version === 0 ? [] : null })
    const told = topics.map(({ topicId, ...topic }) => ({ ...topic, hasId: topicId !== NO_ID }))
    script.note(`Metadata v${version}: all`, { ...rest, topics: told })
  }
}

export async function describeTopicPartitions(script: Script): Promise<void> {
  const names = ['paged-a', 'paged-b', 'paged-c']
  for (const name of names) await script.create(name, { partitions: 3 })
  const topics = names.map((name) => ({ name }))
  const call = (what: string, request: object) =>
    script.call(what, ApiKey.DescribeTopicPartitions, 0, { topics, ...request })
  await call('all of three', {})
  for (const limit of [-1, 0, 1, 2, 3, 4, 9, 10]) await call(`limit ${limit}`, { responsePartitionLimit: limit })
  await call('the first is missing', { topics: [{ name: 'absent' }, ...topics], responsePartitionLimit: 2 })
  await call('one twice', { topics: [...topics, ...topics] })
  await call('bad names', { topics: [{ name: '' }, { name: 'a/b' }] })
  for (const partitionIndex of [-1, 0, 1, 2, 3, 9]) {
    const cursor = { topicName: 'paged-b', partitionIndex }
    await call(`from paged-b ${partitionIndex}`, { cursor })
    await call(`from paged-b ${partitionIndex}, two`, { cursor, responsePartitionLimit: 2 })
  }
  await call('from an absent topic', { cursor: { topicName: 'paged-bb', partitionIndex: 1 } })
  await call('from the end', { cursor: { topicName: 'zzz', partitionIndex: 0 } })
  await call('limited, a missing one last', {
    topics: [...topics.slice(0, 1), { name: 'zz-absent' }],
    responsePartitionLimit: 3,
  })
  await call('all from paged-c', {
    topics: [],
    cursor: { topicName: 'paged-c', partitionIndex: 1 },
    responsePartitionLimit: 2,
  })
}
