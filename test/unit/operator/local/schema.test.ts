import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { readManifests } from '../../../../operator/local/manifests.ts'

const ROOT = resolve(import.meta.dirname, '../../../..')
let directory = ''

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'ottla-'))
})
afterEach(() => rmSync(directory, { recursive: true }))

function read(yaml: string) {
  writeFileSync(join(directory, 'it.yaml'), yaml)
  return readManifests(directory)
}

const API = 'apiVersion: kafka.ottla.dev/v1alpha1'
const CLUSTER = `
apiVersion: kafka.ottla.dev/v1alpha1
kind: KafkaCluster
metadata: {name: c}
spec: {pools: [{name: nodes, storage: {size: 1Gi}}]}
`

test('the quickstart is a cluster and a topic, defaults filled in', () => {
  const { cluster, topics } = readManifests(join(ROOT, 'examples/quickstart'))
  expect(cluster.spec).toMatchObject({ distribution: 'bundled', durability: { policy: 'enforce' } })
  expect(cluster.spec.pools[0]).toMatchObject({ replicas: 1, storage: { volumes: 1 }, template: {} })
  expect(topics.map(({ metadata, spec }) => [metadata.name, spec.partitions, spec.deletionPolicy])).toEqual([
    ['hello', 3, 'delete'],
  ])
})

test('the example of three brokers is one pool of three, with a topic on all of them', () => {
  const { cluster, topics } = readManifests(join(ROOT, 'examples/three-brokers.yaml'))
  expect(cluster.spec.pools).toMatchObject([{ replicas: 3, roles: ['controller', 'broker'] }])
  expect(topics[0]?.spec.replicas).toBe(3)
})

test.each([
  ['spec: {pools: [{name: nodes, storage: {size: 1Gi}}], colour: red}', 'spec.colour: unknown field'],
  ['spec: {pools: [{name: nodes}]}', 'spec.pools[0].storage: required'],
  [
    'spec: {pools: [{name: nodes, replicas: two, storage: {size: 1Gi}}]}',
    'spec.pools[0].replicas: must be of type integer, not string',
  ],
  [
    'spec: {pools: [{name: nodes, roles: [king], storage: {size: 1Gi}}]}',
    'spec.pools[0].roles[0]: must be one of controller, broker',
  ],
  ['spec: {pools: [{name: nodes, replicas: 0, storage: {size: 1Gi}}]}', 'spec.pools[0].replicas: must be at least 1'],
  ['spec: {listeners: [], pools: [{name: nodes, storage: {size: 1Gi}}]}', 'spec.listeners: must have at least 1'],
])('a mistake is told with its path: %s', (spec, words) => {
  expect(() => read(`${API}\nkind: KafkaCluster\nmetadata: {name: c}\n${spec}\n`)).toThrow(words)
})

test('a topic of a cluster that is not there, and a file without a cluster, are refused', () => {
  const topic =
    'apiVersion: kafka.ottla.dev/v1alpha1\nkind: KafkaTopic\nmetadata: {name: t}\nspec: {cluster: {name: other}}\n'
  expect(() => read(`${CLUSTER}---\n${topic}`)).toThrow('there is no KafkaCluster default/other')
  expect(() => read(topic)).toThrow('has no KafkaCluster')
})

test('two clusters are refused, with where they are', () => {
  writeFileSync(join(directory, 'other.yaml'), CLUSTER.replace('name: c', 'name: d'))
  expect(() => read(CLUSTER)).toThrow(/2 KafkaClusters \(c in \S+it.yaml, d in \S+other.yaml\).*a file of its own/)
})

test('a topic that two ask for is refused, with who they are', () => {
  const topic = (name: string) =>
    `---\n${API}\nkind: KafkaTopic\nmetadata: {name: ${name}}\nspec: {cluster: {name: c}, topicName: orders}\n`
  expect(() => read(CLUSTER + topic('a') + topic('b'))).toThrow(
    /KafkaTopic default\/b in \S+it.yaml: topic orders is that of KafkaTopic default\/a in \S+it.yaml too/,
  )
})

test('what else of the API there is, a kind with a typo too, is named; other objects are for Kubernetes alone', () => {
  const others = [
    'kafka.ottla.dev/v1alpha1, kind: KafkaTopc',
    'kafka.ottla.dev/v1alpha1, kind: KafkaRebalance',
    'v1, kind: Secret',
  ]
  const { leftOut } = read(CLUSTER + others.map((one) => `---\n{apiVersion: ${one}, metadata: {name: x}}\n`).join(''))
  expect(leftOut).toEqual([
    expect.stringMatching(/^KafkaTopc x in \S+it.yaml$/),
    expect.stringMatching(/^KafkaRebalance x in /),
  ])
})

test('what only has the name of a kind of ours is left out, and one of another version refused, as kubectl does', () => {
  const strimzi =
    '---\n{apiVersion: kafka.strimzi.io/v1, kind: KafkaTopic, metadata: {name: x}, spec: {partitions: 3}}\n'
  const { topics, leftOut } = read(CLUSTER + strimzi)
  expect(topics).toEqual([])
  expect(leftOut).toEqual([expect.stringMatching(/^KafkaTopic x of kafka.strimzi.io\/v1 in \S+it.yaml$/)])
  const words = 'KafkaCluster c: apiVersion must be kafka.ottla.dev/v1alpha1, not'
  expect(() => read(CLUSTER.replace('v1alpha1', 'v1beta7'))).toThrow(`${words} kafka.ottla.dev/v1beta7`)
  expect(() => read(CLUSTER.replace(API, ''))).toThrow(`${words} nothing`)
})

test('a field that says nothing is as if it were not there', () => {
  const fields = 'rack:, durability:, config: {log.retention.hours: 1, num.io.threads:}'
  const { cluster } = read(
    CLUSTER.replace('size: 1Gi}', 'size: 1Gi, class: }, resources: ').replace('spec: {', `spec: {${fields}, `),
  )
  expect(cluster.spec).toMatchObject({ durability: { policy: 'enforce' }, config: { 'log.retention.hours': 1 } })
  expect(cluster.spec).not.toHaveProperty('rack')
  expect(cluster.spec.config).not.toHaveProperty(['num.io.threads'])
  expect(cluster.spec.pools[0]).toMatchObject({ resources: {}, storage: { size: '1Gi', volumes: 1 } })
  expect(() => read(CLUSTER.replace('size: 1Gi', 'size: '))).toThrow('spec.pools[0].storage.size: required')
})

const POOL = 'name: nodes, storage: {size: 1Gi}'

test.each([
  [`pools: [{${POOL}}, {${POOL}, roles: [broker]}]`, 'spec.pools[1]: name nodes is that of spec.pools[0] too'],
  [`pools: [{${POOL}, roles: [broker, broker]}]`, 'spec.pools[0].roles[1]: broker is that of'],
  [`pools: [{${POOL}, replicas: 2}]`, 'the number of controllers must be odd'],
  ['pools: [{name: nodes, storage: {size: big}}]', 'must be a quantity greater than 0'],
  [`pools: [{${POOL}}], config: {node.id: 3}`, 'spec.config.node.id belongs to the operator'],
  [
    `pools: [{${POOL}}], config: {log.retention.hours: 1, min.insync.replicas: 1}`,
    'spec.config.min.insync.replicas belongs',
  ],
  [`pools: [{${POOL}}], config: {authorizer.class.name: Mine}`, 'spec.config.authorizer.class.name belongs'],
  [`pools: [{${POOL}}], config: {ssl.keystore.location: /k}`, 'spec.config.ssl.keystore.location belongs'],
  [`pools: [{${POOL}}], config: {num.io.threads: "8\\nnode.id=2"}`, 'must be one line'],
  [
    `pools: [{${POOL}}], listeners: [{name: internal, port: 9092}]`,
    'spec.listeners[0]: spec.listeners[].name: controller',
  ],
  [
    `pools: [{${POOL}}], listeners: [{name: a, port: 9092}, {name: b, port: 9092}]`,
    'spec.listeners[].port must be unique',
  ],
  [
    `pools: [{${POOL}}], listeners: [{name: a, port: 9092}, {name: a, port: 9093}]`,
    'name a is that of spec.listeners[0]',
  ],
  [`pools: [{${POOL}}], durability: {replicationFactor: 1, minInSyncReplicas: 2}`, 'must not exceed replicationFactor'],
])('what an API server refuses is refused: %s', (spec, words) => {
  expect(() => read(`${API}\nkind: KafkaCluster\nmetadata: {name: c}\nspec: {${spec}}\n`)).toThrow(words)
})

test.each([
  ['replicas: 1, config: {min.insync.replicas: 2}', 'must not exceed spec.replicas'],
  ['config: {log.retention.hours: 1}', "keys are Kafka's own topic configs"],
  ['topicName: ..', "must not be '.' or '..'"],
])('so is a topic: %s', (spec, words) => {
  const topic = `${API}\nkind: KafkaTopic\nmetadata: {name: t}\nspec: {cluster: {name: c}, ${spec}}\n`
  expect(() => read(`${CLUSTER}---\n${topic}`)).toThrow(words)
})

test('a distribution that is a container image is refused where there are no containers', () => {
  const spec = 'spec: {distribution: apache, pools: [{name: nodes, storage: {size: 1Gi}}]}'
  expect(() => read(`${API}\nkind: KafkaCluster\nmetadata: {name: c}\n${spec}\n`)).toThrow('which needs Kubernetes')
})

test('a listener whose certificate is in a Secret is refused where there are none', () => {
  expect(() => readManifests(join(ROOT, 'examples/tls-ingress.yaml'))).toThrow('certificates are in Secrets')
})

test('YAML that cannot be read names the file', () => {
  expect(() => read('a: [')).toThrow('it.yaml')
})

const LISTENER = 'name: external, port: 9094, type: nodeport'

function listener(fields: string) {
  return read(`
apiVersion: kafka.ottla.dev/v1alpha1
kind: KafkaCluster
metadata: {name: c}
spec: {pools: [{name: nodes, storage: {size: 1Gi}}], listeners: [{${LISTENER}, ${fields}}]}
`)
}

test.each(['kafka.example.org', 'b-{nodeId}.example.org', '10.0.0.1', 'fd00::17', '::1', 'fd00::{nodeId}', '{nodeId}'])(
  'brokers may be advertised as %s',
  (host) => {
    expect(() => listener(`advertised: {host: "${host}"}`)).not.toThrow()
  },
)

test.each(['kafka.example.org:9094', '10.0.0.1:9094', '[::1]', '{node}.example.org', 'b-{nodeId', 'fd00::1:kafka'])(
  'brokers may not be advertised as %s, which they would not start with',
  (host) => {
    expect(() => listener(`advertised: {host: "${host}"}`)).toThrow('advertised.host: must match')
  },
)

test.each(['bootstrap: {host: HOST}', 'brokers: [{nodeId: 0, host: HOST}]'])(
  'nor has any other host a port: %s',
  (fields) => {
    expect(() => listener(fields.replace('HOST', '"kafka.example.org:9094"'))).toThrow('host: must match')
    expect(() => listener(fields.replace('HOST', '"{nodeId}.example.org"'))).toThrow('host: must match')
    expect(() => listener(fields.replace('HOST', '"fd00::17"'))).not.toThrow()
  },
)

test('a number that is too long for a number here is the one that was written', () => {
  const config = '{log.flush.interval.messages: 9223372036854775807, log.retention.hours: 168}'
  const { cluster } = read(CLUSTER.replace('spec: {', `spec: {config: ${config}, `))
  expect(cluster.spec.config).toEqual({
    'log.flush.interval.messages': '9223372036854775807',
    'log.retention.hours': 168,
  })
})
