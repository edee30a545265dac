import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { describeWith } from '../tools/requires.ts'
import { installOperator, Namespace } from './cluster.ts'
import { kafkaCluster, kafkaTopic } from './manifests.ts'
import type { Client } from './pod-client.ts'

const RECORDS = 300
const storage = { size: '1Gi' }
const POOLS = [
  { name: 'controllers', roles: ['controller'], replicas: 3, storage },
  { name: 'brokers', roles: ['broker'], replicas: 3, storage },
]

describeWith(['kubernetes'], 'a cluster of three controllers and three brokers', () => {
  let namespace: Namespace
  let client: Client

  beforeAll(async () => {
    await installOperator()
    namespace = await Namespace.create('pools')
    await namespace.apply(kafkaCluster({ pools: POOLS }), kafkaTopic('orders', { partitions: 3, replicas: 3 }))
    await namespace.ready('kafkacluster/main', 'kafkatopic/orders')
    client = await namespace.client('main-bootstrap:9092')
  })

  afterAll(async () => {
    await Namespace.remove('pools')
  })

  test('its status tells the node ids of each pool', async () => {
    const { status } = await namespace.get('kafkacluster', 'main')
    expect(status['pools']).toEqual([
      { name: 'controllers', replicas: 3, ready: 3, nodeIds: [0, 1, 2] },
      { name: 'brokers', replicas: 3, ready: 3, nodeIds: [1000, 1001, 1002] },
    ])
  })

  test('a topic with three replicas is written and read', async () => {
    await client.produce('orders', RECORDS)
    expect(await client.consume('orders', RECORDS)).toEqual(expected(RECORDS))
  })

  test('with a broker and a controller gone it is still read, and they come back', async () => {
    await namespace.kubectl('delete', 'pod', 'main-brokers-1', 'main-controllers-0', '--wait=false', '--grace-period=1')
    expect(await client.consume('orders', RECORDS)).toEqual(expected(RECORDS))
    await namespace.ready('kafkacluster/main')
    expect(await client.consume('orders', RECORDS)).toEqual(expected(RECORDS))
  })

  test('an internal topic has as many replicas as the cluster promises', async () => {
    const [name = ''] = (await namespace.list('configmap')).filter((one) => one.includes('main-brokers-config-'))
    const config = await namespace.kubectl('get', name, '-o', 'jsonpath={.data}')
    expect(config).toContain('offsets.topic.replication.factor=3')
  })
})

/** What client/client.ts writes into three partitions. */
function expected(records: number): Record<string, string[]> {
  const values = (partition: number): string[] =>
    Array.from({ length: records / 3 }, (_, index) => `${partition}-${index}`)
  return Object.fromEntries([0, 1, 2].map((partition) => [String(partition), values(partition)]))
}
