import { expect, test } from '@jest/globals'
import { parseProperties } from '../../../../broker/config/properties.ts'
import { parseServerConfig } from '../../../../broker/config/server-config.ts'
import type { KafkaCluster } from '../../../../operator/api/resource.ts'
import { localNodes } from '../../../../operator/local/layout.ts'
import { directoryId } from '../../../../operator/specs/quorum.ts'
import { kafkaCluster, pool } from '../../../fakes/operator.ts'

const OPTIONS = { directory: '/data/orders', clusterId: 'AAAAAAAAAAAAAAAAAAAAAQ', port: null, metricsPort: null }

function portsOf(cluster: KafkaCluster, port: number | null = null): Record<string, Record<string, number>> {
  const nodes = localNodes(cluster, { ...OPTIONS, port })
  return Object.fromEntries(nodes.map(({ name, ports }) => [name, Object.fromEntries(ports)]))
}

test('one node: its controller and its own listener are next to the first port', () => {
  expect(portsOf(kafkaCluster())).toEqual({
    'orders-nodes-0': { plain: 9092, controller: 9093, internal: 9094, metrics: 9404 },
  })
  expect(portsOf(kafkaCluster(), 19_000)['orders-nodes-0']).toMatchObject({ plain: 19_000, controller: 19_001 })
})

test('several nodes: their listeners follow each other, and no port is used twice', () => {
  const listeners = [
    { name: 'plain', port: 9092, type: 'internal' as const, tls: false },
    { name: 'other', port: 9093, type: 'internal' as const, tls: false },
  ]
  const ports = portsOf(kafkaCluster({ pools: [pool({ replicas: 3 })], listeners }))
  expect(Object.values(ports).map(({ plain, other }) => [plain, other])).toEqual([
    [9092, 9093],
    [9094, 9096],
    [9095, 9097],
  ])
  const all = Object.values(ports).flatMap((of) => Object.values(of))
  expect(new Set(all).size).toBe(3 * 5)
})

test('a node has the listeners of its roles, and all controllers to begin with', () => {
  const pools = [
    pool({ name: 'controllers', roles: ['controller'], replicas: 3 }),
    pool({ name: 'brokers', roles: ['broker'], replicas: 2 }),
  ]
  const nodes = localNodes(kafkaCluster({ pools }), OPTIONS)
  const configs = nodes.map(({ properties }) => parseProperties(properties))
  expect(configs.map((config) => config.get('listeners'))).toEqual([
    'CONTROLLER://127.0.0.1:9094',
    'CONTROLLER://127.0.0.1:9095',
    'CONTROLLER://127.0.0.1:9096',
    'PLAIN://127.0.0.1:9092,INTERNAL://127.0.0.1:9097',
    'PLAIN://127.0.0.1:9093,INTERNAL://127.0.0.1:9098',
  ])
  for (const config of configs) {
    expect(config.get('controller.quorum.bootstrap.servers')).toBe('127.0.0.1:9094,127.0.0.1:9095,127.0.0.1:9096')
    expect(parseServerConfig(config).warnings).toEqual([])
  }
})

test('the broker takes the server.properties of a node', () => {
  const [node] = localNodes(kafkaCluster(), { ...OPTIONS, port: 19_000, metricsPort: 19_404 })
  const { config, warnings } = parseServerConfig(parseProperties(node?.properties ?? ''))
  expect(warnings).toEqual([])
  expect(config.advertisedListeners.map(({ name, host, port }) => `${name} ${host}:${port}`)).toEqual([
    'PLAIN 127.0.0.1:19000',
    'INTERNAL 127.0.0.1:19002',
  ])
  expect(config.metricsListen).toEqual({ host: '127.0.0.1', port: 19_404 })
  expect(config.logDirs).toEqual(['/data/orders/orders-nodes-0/data-0'])
})

test('controllers are formatted to know each other, brokers with the cluster id alone', () => {
  const pools = [
    pool({ name: 'controllers', roles: ['controller'], replicas: 3 }),
    pool({ name: 'brokers', roles: ['broker'], replicas: 1 }),
  ]
  const nodes = localNodes(kafkaCluster({ pools }), OPTIONS)
  const voter = (index: number): string => `${index}@127.0.0.1:${9093 + index}:${directoryId(OPTIONS.clusterId, index)}`
  const quorum = ['--initial-controllers', [voter(0), voter(1), voter(2)].join(','), '--release-version', '4.3']
  expect(nodes.map(({ formatArgs }) => formatArgs)).toEqual([
    ...Array.from({ length: 3 }, () => ['-t', OPTIONS.clusterId, ...quorum]),
    ['-t', OPTIONS.clusterId],
  ])
})
