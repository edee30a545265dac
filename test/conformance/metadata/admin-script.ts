import { ClientConnection } from '../../../broker/client/connection.ts'
import { nodeEnv } from '../../../broker/host/env.ts'
import { ApiKey } from '../../../broker/protocol/api-key.ts'
import type { RequestInputOf } from '../../../broker/protocol/apis.ts'
import { errorName } from '../../../broker/protocol/errors.ts'
import type { RunningNode } from '../../tools/node.ts'

type NewTopic = NonNullable<RequestInputOf<typeof ApiKey.CreateTopics>['topics']>[number]
type Alter = NonNullable<RequestInputOf<typeof ApiKey.IncrementalAlterConfigs>['resources']>[number]

const topic = (name: string, more: Partial<NewTopic> = {}): NewTopic => ({
  name,
  numPartitions: 1,
  replicationFactor: 1,
  assignments: [],
  configs: [],
  ...more,
})
const manual = (name: string, ...replicas: readonly (readonly [number, number[]])[]): NewTopic => ({
  ...topic(name, { numPartitions: -1, replicationFactor: -1 }),
  assignments: replicas.map(([partitionIndex, brokerIds]) => ({ partitionIndex, brokerIds })),
})

/** Topics that are made, and topics that are refused for one reason each. */
const TOPICS: readonly NewTopic[] = [
  topic('plain'),
  topic('defaults', { numPartitions: -1, replicationFactor: -1 }),
  topic('with.dot', { configs: [{ name: 'retention.ms', value: '5' }] }),
  topic('plain'),
  topic('with_dot'),
  topic(''),
  topic('.'),
  topic('a b'),
  topic('x'.repeat(250)),
  topic('__cluster_metadata'),
  topic('no-partitions', { numPartitions: 0 }),
  topic('negative', { numPartitions: -7 }),
  topic('no-replicas', { replicationFactor: 0 }),
  topic('two-replicas', { replicationFactor: 2 }),
  topic('bad-config', { configs: [{ name: 'retention.ms', value: 'x' }] }),
  topic('unknown-config', { configs: [{ name: 'nonsense', value: 'x' }] }),
  topic('null-config', { configs: [{ name: 'retention.ms', value: null }] }),
  manual('manual', [0, [1]], [1, [1]]),
  { ...manual('manual-and-count', [0, [1]]), numPartitions: 1 },
  { ...manual('manual-and-factor', [0, [1]]), replicationFactor: 1 },
  manual('manual-gap', [1, [1]]),
  manual('manual-twice', [0, [1]], [0, [1]]),
  manual('manual-empty', [0, []]),
  manual('manual-unknown', [0, [9]]),
  manual('manual-same', [0, [1, 1]]),
]

const alter = (
  resourceType: number,
  resourceName: string,
  ...configs: readonly [string, number, string | null][]
): Alter => ({
  resourceType,
  resourceName,
  configs: configs.map(([name, configOperation, value]) => ({ name, configOperation, value })),
})
const SET = 0
const DELETE = 1
const APPEND = 2
const SUBTRACT = 3

const ALTERATIONS: readonly Alter[] = [
  alter(2, 'plain', ['retention.ms', SET, '7000'], ['cleanup.policy', APPEND, 'compact']),
  alter(2, 'defaults', ['cleanup.policy', SUBTRACT, 'nothing']),
  alter(2, 'manual', ['retention.ms', APPEND, '1']),
  alter(2, 'with.dot', ['retention.ms', DELETE, null]),
  alter(2, 'missing', ['retention.ms', SET, '1']),
  alter(2, '', ['retention.ms', SET, '1']),
  alter(77, 'x', ['a', SET, '1']),
]

const BAD_VALUES: readonly Alter[] = [
  alter(2, 'plain', ['retention.ms', SET, 'x']),
  alter(2, 'defaults', ['nonsense', SET, 'x']),
]

/** One line an answer, error and message; in the order of names, which the protocol leaves open. */
export async function adminTranscript(node: RunningNode): Promise<string[]> {
  const address = { host: node.host, port: node.port }
  const options = { address, clientId: 'test', connectTimeoutMs: 5000, requestTimeoutMs: 20_000 }
  const connection = await ClientConnection.open(options, nodeEnv())
  const lines: string[] = []
  const tell = (what: string, answers: readonly (readonly [string, number, string | null])[]) => {
    lines.push(...answers.map(([name, code, text]) => `${what} ${name}: ${errorName(code)} ${text ?? ''}`).toSorted())
  }
  try {
    await createAndDelete(connection, tell)
    await alterConfigs(connection, tell)
    await features(connection, tell)
  } finally {
    connection.close()
  }
  return lines
}

type Tell = (what: string, answers: readonly (readonly [string, number, string | null])[]) => void

async function createAndDelete(connection: ClientConnection, tell: Tell): Promise<void> {
  for (const validateOnly of [true, false]) {
    const created = await connection.request(ApiKey.CreateTopics, {
      topics: [...TOPICS],
      timeoutMs: 9000,
      validateOnly,
    })
    tell(
      validateOnly ? 'check' : 'create',
      created.topics.map((one) => [
        `${one.name.slice(0, 20)} ${one.numPartitions}x${one.replicationFactor}`,
        one.errorCode,
        one.errorMessage,
      ]),
    )
  }
  const again = await connection.request(ApiKey.CreateTopics, {
    topics: [topic('defaults'), topic('with_dot')],
    timeoutMs: 9000,
  })
  tell(
    'again',
    again.topics.map(({ name, errorCode, errorMessage }) => [name, errorCode, errorMessage]),
  )
  await settle(connection)
  const topics = [
    { name: 'manual', count: 3, assignments: null },
    { name: 'defaults', count: 1, assignments: null },
    { name: 'with.dot', count: 0, assignments: null },
    { name: 'missing', count: 3, assignments: null },
    { name: 'unlike', count: 3, assignments: null },
    { name: 'unlike', count: 3, assignments: null },
  ]
  const grown = await connection.request(ApiKey.CreatePartitions, { topics, timeoutMs: 9000, validateOnly: false })
  tell(
    'grow',
    grown.results.map(({ name, errorCode, errorMessage }) => [name, errorCode, errorMessage]),
  )
  const doomed = ['missing', 'defaults', 'defaults'].map((name) => ({ name }))
  const deleted = await connection.request(ApiKey.DeleteTopics, {
    topics: [...doomed, { name: null }],
    timeoutMs: 9000,
  })
  tell(
    'delete',
    deleted.responses.map(({ name, errorCode, errorMessage }) => [name ?? '-', errorCode, errorMessage]),
  )
}

/** Brokers answer from their own image: waits until it has the new topics. */
async function settle(connection: ClientConnection): Promise<void> {
  const names = ['defaults', 'manual', 'with.dot'].map((name) => ({ name }))
  for (;;) {
    const { topics } = await connection.request(ApiKey.Metadata, { topics: names, allowAutoTopicCreation: false })
    if (topics.every(({ errorCode }) => errorCode === 0)) return
  }
}

async function alterConfigs(connection: ClientConnection, tell: Tell): Promise<void> {
  await connection.request(ApiKey.CreateTopics, { topics: [topic('plain')], timeoutMs: 9000 })
  for (const resources of [ALTERATIONS, BAD_VALUES]) {
    const request = { resources: [...resources], validateOnly: false }
    const altered = await connection.request(ApiKey.IncrementalAlterConfigs, request)
    tell(
      'alter',
      altered.responses.map((one) => [`${one.resourceType} ${one.resourceName}`, one.errorCode, one.errorMessage]),
    )
  }
}

async function features(connection: ClientConnection, tell: Tell): Promise<void> {
  for (const [feature, maxVersionLevel, upgradeType] of [
    ['metadata.version', 40, 1],
    ['metadata.version', 20, 1],
    ['metadata.version', 20, 2],
    ['nonsense', 1, 1],
    ['group.version', -1, 1],
  ] as const) {
    const featureUpdates = [{ feature, maxVersionLevel, upgradeType }]
    const answer = await connection.request(ApiKey.UpdateFeatures, { featureUpdates, timeoutMs: 9000 })
    tell('feature', [[`${feature} ${maxVersionLevel} ${upgradeType}`, answer.errorCode, answer.errorMessage]])
  }
}
