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

const CLUSTER = `
kind: KafkaCluster
metadata: {name: c}
spec: {pools: [{name: nodes, storage: {size: 1Gi}}]}
`

test('the quickstart is a cluster and a topic, defaults filled in', () => {
  const { clusters, topics } = readManifests(join(ROOT, 'examples/quickstart'))
  expect(clusters[0]?.spec).toMatchObject({ distribution: 'bundled', durability: { policy: 'enforce' } })
  expect(clusters[0]?.spec.pools[0]).toMatchObject({ replicas: 1, storage: { volumes: 1 }, template: {} })
  expect(topics.map(({ metadata, spec }) => [metadata.name, spec.partitions, spec.deletionPolicy])).toEqual([
    ['hello', 3, 'delete'],
  ])
})

test('the example of three brokers is one pool of three, with a topic on all of them', () => {
  const { clusters, topics } = readManifests(join(ROOT, 'examples/three-brokers.yaml'))
  expect(clusters[0]?.spec.pools).toMatchObject([{ replicas: 3, roles: ['controller', 'broker'] }])
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
])('a mistake is told with its path: %s', (spec, words) => {
  expect(() => read(`kind: KafkaCluster\nmetadata: {name: c}\n${spec}\n`)).toThrow(words)
})

test('a topic of a cluster that is not there, and a file without a cluster, are refused', () => {
  const topic = 'kind: KafkaTopic\nmetadata: {name: t}\nspec: {cluster: {name: other}}\n'
  expect(() => read(`${CLUSTER}---\n${topic}`)).toThrow('there is no KafkaCluster default/other')
  expect(() => read(topic)).toThrow('has no KafkaCluster')
})

test('a distribution that is a container image is refused where there are no containers', () => {
  const spec = 'spec: {distribution: apache, pools: [{name: nodes, storage: {size: 1Gi}}]}'
  expect(() => read(`kind: KafkaCluster\nmetadata: {name: c}\n${spec}\n`)).toThrow('which needs Kubernetes')
})

test('a listener whose certificate is in a Secret is refused where there are none', () => {
  expect(() => readManifests(join(ROOT, 'examples/tls-ingress.yaml'))).toThrow('certificates are in Secrets')
})

test('YAML that cannot be read names the file', () => {
  expect(() => read('a: [')).toThrow('it.yaml')
})
