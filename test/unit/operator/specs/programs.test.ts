import { expect, test } from '@jest/globals'
import { configMap, dynamicConfig } from '../../../../operator/specs/config-map.ts'
import { statefulSet } from '../../../../operator/specs/stateful-set.ts'
import { kafkaCluster, pool } from '../../../fakes/operator.ts'

const OPTIONS = { image: 'kafka:1', helperImage: 'ottla:1', clusterId: 'AAAAAAAAAAAAAAAAAAAAAQ', volumeClaims: null }
const PROPERTIES = '/etc/ottla/$(POD_NAME).properties'

interface Container {
  readonly name: string
  readonly image: string
  readonly command?: readonly string[]
  readonly args: readonly string[]
  readonly env: readonly { readonly name: string; readonly value?: string }[]
  readonly ports?: readonly { readonly name: string }[]
  readonly readinessProbe?: object
}

function apache(change: Parameters<typeof pool>[0] = {}) {
  const cluster = kafkaCluster({ distribution: 'apache', pools: [pool(change)], rack: { topologyKey: 'zone' } })
  const nodes = pool(change)
  const { spec } = statefulSet(cluster, nodes, OPTIONS) as unknown as {
    spec: { template: { spec: { containers: Container[]; initContainers: Container[] } } }
  }
  const { containers, initContainers } = spec.template.spec
  const find = (name: string): Container => {
    const found = [...containers, ...initContainers].find((candidate) => candidate.name === name)
    if (found === undefined) throw new Error(`no container ${name}`)
    return found
  }
  return { cluster, nodes, find }
}

test('Apache Kafka is formatted and started by its own scripts, with the arguments of ours', () => {
  const { find } = apache()
  expect(find('format').command).toEqual(['/opt/kafka/bin/kafka-storage.sh'])
  expect(find('format').args.slice(0, 2)).toEqual(['format', '--ignore-formatted'])
  expect(find('kafka').command).toEqual(['/opt/kafka/bin/kafka-server-start.sh'])
  expect(find('kafka').args).toEqual([PROPERTIES, '--override', 'broker.rack=$(RACK)'])
})

test('what waits beside Apache Kafka is of our image', () => {
  const { find } = apache()
  expect([find('place').image, find('kafka').image]).toEqual(['ottla:1', 'kafka:1'])
})

test.each([
  [['broker'], 9091],
  [['controller'], 9090],
  [['controller', 'broker'], 9091],
] as const)('Apache Kafka with the roles %j counts as ready once it listens', (roles, port) => {
  expect(apache({ roles: [...roles] }).find('kafka').readinessProbe).toMatchObject({ tcpSocket: { port } })
})

test('Apache Kafka is not told of metrics that it does not have', () => {
  const { cluster, nodes, find } = apache()
  const { data } = configMap(cluster, nodes) as unknown as { data: Record<string, string> }
  expect(find('kafka').ports?.map(({ name }) => name)).not.toContain('metrics')
  expect(data['orders-nodes-0.properties']).not.toContain('metrics.listen')
  expect(data['log4j2.properties']).toContain('appenders=console')
})

test('the heap of Apache Kafka follows the memory that the container may have', () => {
  const heap = (limits: Record<string, string>) =>
    apache({ resources: { limits } })
      .find('kafka')
      .env.find(({ name }) => name === 'KAFKA_HEAP_OPTS')?.value
  expect(heap({ memory: '4Gi' })).toContain('MaxRAMPercentage=50')
  expect(heap({ cpu: '1' })).toBeUndefined()
})

test('Apache Kafka is started with its pools of threads: it does not come to what is set dynamically when it starts', () => {
  const config = { 'num.io.threads': 32, 'message.max.bytes': 5 }
  const ofApache = kafkaCluster({ distribution: 'apache', config })
  expect(Object.fromEntries(dynamicConfig(ofApache))).toEqual({ 'message.max.bytes': '5', 'min.insync.replicas': '1' })
  const [own = pool()] = ofApache.spec.pools
  expect(JSON.stringify(configMap(ofApache, own).data)).toContain('num.io.threads=32')
  const bundled = kafkaCluster({ config })
  expect(dynamicConfig(bundled).get('num.io.threads')).toBe('32')
  expect(JSON.stringify(configMap(bundled, own).data)).not.toContain('num.io.threads')
})

test('what a broker takes from server.properties alone is there, or it would change nothing', () => {
  const config = { 'num.recovery.threads.per.data.dir': 9 }
  const bundled = kafkaCluster({ config })
  expect([...dynamicConfig(bundled).keys()]).toEqual(['min.insync.replicas'])
  const [own = pool()] = bundled.spec.pools
  const data = JSON.stringify(configMap(bundled, own).data)
  for (const [key, value] of Object.entries(config)) expect(data).toContain(`${key}=${value}`)
})
