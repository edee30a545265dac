import { expect, test } from '@jest/globals'
import { Registry } from 'prom-client'
import { ResourceMetrics } from '../../../../operator/alerts/resource-metrics.ts'
import { conditionsOf } from '../../../../operator/api/conditions.ts'
import type { Health } from '../../../../operator/api/conditions.ts'
import { kafkaCluster, kafkaTopic, pool } from '../../../fakes/operator.ts'

const health = (state: Health['state']): Health => ({ state, reason: 'Why', message: 'words' })

function cluster(state: Health['state']) {
  const conditions = conditionsOf(health(state), 1, undefined, 0)
  return { ...kafkaCluster({ pools: [pool({ replicas: 3 })] }), status: { conditions, readyNodes: 2 } }
}

function topic(name: string, state: Health['state']) {
  return { ...kafkaTopic({}, name), status: { conditions: conditionsOf(health(state), 1, undefined, 0) } }
}

async function lines(registry: Registry, name: string): Promise<string[]> {
  return (await registry.metrics()).split('\n').filter((line) => line.startsWith(`${name}{`))
}

const ORDERS = 'resource_namespace="kafka",kafka_cluster="orders"'

test('a condition has a series for each status, 1 for the one that it has', async () => {
  const registry = new Registry()
  new ResourceMetrics({ registry }).watch({
    clusters: () => [cluster('ready')],
    topics: () => [],
    rebalances: () => [],
  })
  expect(await lines(registry, 'ottla_cluster_condition')).toEqual([
    `ottla_cluster_condition{${ORDERS},type="Ready",status="True"} 1`,
    `ottla_cluster_condition{${ORDERS},type="Ready",status="False"} 0`,
    `ottla_cluster_condition{${ORDERS},type="Ready",status="Unknown"} 0`,
  ])
})

test('nodes are those that are to be, and those that are ready', async () => {
  const registry = new Registry()
  new ResourceMetrics({ registry }).watch({
    clusters: () => [cluster('progressing')],
    topics: () => [],
    rebalances: () => [],
  })
  expect(await lines(registry, 'ottla_cluster_nodes')).toEqual([`ottla_cluster_nodes{${ORDERS}} 3`])
  expect(await lines(registry, 'ottla_cluster_nodes_ready')).toEqual([
    `ottla_cluster_nodes_ready{${ORDERS},distribution="bundled"} 2`,
  ])
})

test('resources are counted by how they are', async () => {
  const registry = new Registry()
  const topics = [topic('a', 'ready'), topic('b', 'stalled'), topic('c', 'ready'), topic('d', 'unknown')]
  new ResourceMetrics({ registry }).watch({
    clusters: () => [cluster('progressing')],
    topics: () => topics,
    rebalances: () => [],
  })
  const counted = (await lines(registry, 'ottla_resources')).filter((line) => !line.endsWith(' 0'))
  expect(counted).toEqual([
    'ottla_resources{kind="KafkaCluster",state="progressing"} 1',
    'ottla_resources{kind="KafkaTopic",state="ready"} 2',
    'ottla_resources{kind="KafkaTopic",state="stalled"} 1',
    'ottla_resources{kind="KafkaTopic",state="unknown"} 1',
  ])
})

test('who does not lead any more tells of no cluster', async () => {
  const registry = new Registry()
  const metrics = new ResourceMetrics({ registry })
  metrics.watch({ clusters: () => [cluster('ready')], topics: () => [], rebalances: () => [] })
  await registry.metrics()
  metrics.watch(null)
  expect(await lines(registry, 'ottla_cluster_condition')).toEqual([])
})
