import { expect, test } from '@jest/globals'
import { parseServerConfig } from '../../../../broker/config/server-config.ts'
import type { KafkaCluster } from '../../../../operator/api/resource.ts'
import { configMap, podConfig } from '../../../../operator/specs/config-map.ts'
import { nodesOf } from '../../../../operator/specs/nodes.ts'
import { disruptionBudgets } from '../../../../operator/specs/disruption-budgets.ts'
import { bootstrapService, headlessService, serviceAccount } from '../../../../operator/specs/services.ts'
import { statefulSet } from '../../../../operator/specs/stateful-set.ts'
import { kafkaCluster, pool } from '../../../fakes/operator.ts'

const OPTIONS = { image: 'ottla:1', helperImage: 'ottla:1', clusterId: 'AAAAAAAAAAAAAAAAAAAAAQ', volumeClaims: null }

function poolOf(cluster: KafkaCluster) {
  const [first] = cluster.spec.pools
  if (first === undefined) throw new Error('no pool')
  return first
}

// oxlint-disable-next-line typescript/no-explicit-any -- manifests are looked into freely
const setOf = (cluster: KafkaCluster): any => statefulSet(cluster, poolOf(cluster), OPTIONS)

function configOf(cluster: KafkaCluster): Map<string, string> {
  const [node] = nodesOf(cluster)
  if (node === undefined) throw new Error('no node')
  return podConfig(cluster, node)
}

test('the broker takes the server.properties of a pod', () => {
  const { config, warnings } = parseServerConfig(configOf(kafkaCluster({ config: { 'log.retention.hours': 24 } })))
  expect(warnings).toEqual([])
  expect(config).toMatchObject({ nodeId: 0, isBroker: true, isController: true, logRetentionMs: 86_400_000 })
  expect(config.advertisedListeners.map(({ name, host, port }) => `${name} ${host}:${port}`)).toEqual([
    'INTERNAL orders-nodes-0.orders-nodes.kafka.svc:9091',
    'PLAIN orders-nodes-0.orders-nodes.kafka.svc:9092',
  ])
})

test('internal topics fit on a cluster of one', () => {
  expect(configOf(kafkaCluster()).get('offsets.topic.replication.factor')).toBe('1')
  expect(configOf(kafkaCluster()).get('transaction.state.log.min.isr')).toBe('1')
})

test('keys of the operator win over spec.config, keys for internal topics do not', () => {
  const config = configOf(
    kafkaCluster({ config: { 'node.id': 7, 'log.dirs': '/', 'offsets.topic.num.partitions': 3 } }),
  )
  expect(config.get('node.id')).toBe('0')
  expect(config.get('log.dirs')).toBe('/var/lib/ottla/data-0/kafka')
  expect(config.get('offsets.topic.num.partitions')).toBe('3')
})

test('each volume is a log directory and a claim', () => {
  const cluster = kafkaCluster()
  poolOf(cluster).storage = { size: '5Gi', volumes: 2, class: 'fast' }
  expect(configOf(cluster).get('log.dirs')).toBe('/var/lib/ottla/data-0/kafka,/var/lib/ottla/data-1/kafka')
  const claims = setOf(cluster).spec.volumeClaimTemplates
  expect(claims.map((claim: { metadata: { name: string } }) => claim.metadata.name)).toEqual(['data-0', 'data-1'])
  expect(claims[1].spec).toMatchObject({ storageClassName: 'fast', resources: { requests: { storage: '5Gi' } } })
})

test('a claim has no owner: nothing deletes a volume by itself', () => {
  const set = setOf(kafkaCluster())
  expect(set.spec.volumeClaimTemplates[0].metadata.ownerReferences).toBeUndefined()
  expect(set.spec.persistentVolumeClaimRetentionPolicy).toEqual({ whenDeleted: 'Retain', whenScaled: 'Retain' })
})

test('pods meet the restricted Pod Security Standard', () => {
  const { spec } = setOf(kafkaCluster()).spec.template
  expect(spec.securityContext).toMatchObject({ runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } })
  expect(spec.automountServiceAccountToken).toBe(false)
  for (const container of [...spec.initContainers, ...spec.containers]) {
    expect(container.securityContext).toEqual({
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    })
  }
})

test('the pod formats its directories with the cluster id, then runs the broker', () => {
  const { spec } = setOf(kafkaCluster()).spec.template
  const file = '/etc/ottla/$(POD_NAME).properties'
  expect(spec.initContainers[0].args).toEqual([
    'broker/format.js',
    'format',
    '--ignore-formatted',
    '--standalone',
    '--release-version',
    '4.3',
    '-t',
    OPTIONS.clusterId,
    '-c',
    file,
  ])
  expect(spec.containers[0].args).toEqual(['broker/main.js', file])
  expect(configMap(kafkaCluster(), poolOf(kafkaCluster())).data).toHaveProperty(['orders-nodes-0.properties'])
})

function configMapOf(config: KafkaCluster['spec']['config']): string {
  const cluster = kafkaCluster({ config })
  return configMap(cluster, poolOf(cluster)).metadata.name
}

test('another configuration is another ConfigMap, unless brokers take it on while they run', () => {
  expect(configMapOf({ 'num.partitions': 4 })).toBe(configMapOf({ 'num.partitions': '4' }))
  expect(configMapOf({ 'num.partitions': 4 })).not.toBe(configMapOf({ 'num.partitions': 5 }))
  expect(configMapOf({ 'message.max.bytes': 4 })).toBe(configMapOf({ 'message.max.bytes': 5 }))
})

test('a pod has the ConfigMap that there is', () => {
  const cluster = kafkaCluster()
  const { volumes } = setOf(cluster).spec.template.spec
  expect(volumes[0]).toEqual({ name: 'config', configMap: { name: configMap(cluster, poolOf(cluster)).metadata.name } })
})

test('the claims of a StatefulSet that is there are left as they are', () => {
  const cluster = kafkaCluster()
  const live = setOf(cluster).spec.volumeClaimTemplates
  poolOf(cluster).storage.size = '99Gi'
  const set = statefulSet(cluster, poolOf(cluster), { ...OPTIONS, volumeClaims: live })
  expect((set.spec as { volumeClaimTemplates: unknown }).volumeClaimTemplates).toEqual(live)
})

test('the template adds to the pod, and cannot take away its labels', () => {
  const cluster = kafkaCluster()
  poolOf(cluster).template = {
    metadata: { labels: { team: 'a', 'kafka.ottla.dev/cluster': 'other' }, annotations: { note: 'x' } },
    nodeSelector: { disk: 'ssd' },
  }
  const { metadata, spec } = setOf(cluster).spec.template
  expect(metadata.labels).toMatchObject({ team: 'a', 'kafka.ottla.dev/cluster': 'orders' })
  expect(metadata.annotations.note).toBe('x')
  expect(spec.nodeSelector).toEqual({ disk: 'ssd' })
  expect(spec).not.toHaveProperty('metadata')
})

test('everything but the claims belongs to the cluster and goes with it', () => {
  const cluster = kafkaCluster()
  const manifests = [
    headlessService(cluster),
    bootstrapService(cluster),
    ...disruptionBudgets(cluster, { brokers: 1, controllers: 1 }),
    serviceAccount(cluster),
    configMap(cluster, poolOf(cluster)),
    setOf(cluster),
  ]
  for (const { metadata } of manifests) {
    expect(metadata.ownerReferences).toMatchObject([{ kind: 'KafkaCluster', uid: 'uid-of-orders', controller: true }])
    expect(metadata.namespace).toBe('kafka')
  }
})

test('clients find every listener at the bootstrap Service, and no controller', () => {
  const { spec } = bootstrapService(kafkaCluster()) as unknown as { spec: { ports: { name: string; port: number }[] } }
  expect(spec.ports.map(({ name, port }) => `${name}:${port}`)).toEqual(['internal:9091', 'plain:9092'])
})

const CONTROLLERS = pool({ name: 'controllers', roles: ['controller'], replicas: 3 })
const BROKERS = pool({ name: 'brokers', roles: ['broker'], replicas: 3 })
const APART = kafkaCluster({ pools: [CONTROLLERS, BROKERS] })

// oxlint-disable-next-line typescript/no-explicit-any -- manifests are looked into freely
const setsApart = (): any[] => APART.spec.pools.map((one) => statefulSet(APART, one, OPTIONS))

test('the broker takes the server.properties of every node of several pools', () => {
  const configs = nodesOf(APART).map((node) => parseServerConfig(podConfig(APART, node)))
  expect(configs.flatMap(({ warnings }) => warnings)).toEqual([])
  expect(configs.map(({ config }) => [config.nodeId, config.isController, config.isBroker])).toEqual([
    [0, true, false],
    [1, true, false],
    [2, true, false],
    [1000, false, true],
    [1001, false, true],
    [1002, false, true],
  ])
})

test('every node knows all controllers to begin with, and internal topics have three replicas', () => {
  for (const node of nodesOf(APART)) {
    const config = podConfig(APART, node)
    const host = (index: number): string => `orders-controllers-${index}.orders-nodes.kafka.svc:9090`
    expect(config.get('controller.quorum.bootstrap.servers')).toBe([0, 1, 2].map(host).join(','))
    expect(config.get('offsets.topic.replication.factor')).toBe('3')
    expect(config.get('min.insync.replicas')).toBe('2')
  }
})

test('clients begin at brokers, not at controllers', () => {
  const { selector } = (bootstrapService(APART) as unknown as { spec: { selector: Record<string, string> } }).spec
  const isSelected = setsApart().map(({ spec }) =>
    Object.entries(selector).every(([label, value]) => spec.template.metadata.labels[label] === value),
  )
  expect(isSelected).toEqual([false, true])
})

test('controllers are formatted to know each other, brokers are not voters', () => {
  const formats = setsApart().map(({ spec }) => spec.template.spec.initContainers[0].args.join(' '))
  expect(formats[0]).toMatch(
    /--initial-controllers 0@orders-controllers-0\S+:9090:\S{22},1@orders-controllers-1\S+,2@orders-controllers-2\S+ --release-version/,
  )
  expect(formats[1]).not.toMatch(/--standalone|controllers /)
})

test.each([
  [{}, ' --release-version 4.3 '],
  [{ version: '4.2' }, ' --release-version 4.2 '],
  [{ metadataVersion: '4.2-IV1' }, ' --release-version 4.2-IV1 '],
])('a cluster begins at the metadata.version of %j: Kafka would not go down to it', (spec, expected) => {
  expect(setOf(kafkaCluster(spec)).spec.template.spec.initContainers[0].args.join(' ')).toContain(expected)
})

test.each(['5.0', '3.8'])(
  'a cluster of version %s begins at the level that its image chooses: one that is not known, or too low for a quorum of ours',
  (version) => {
    expect(setOf(kafkaCluster({ version })).spec.template.spec.initContainers[0].args).not.toContain(
      '--release-version',
    )
  },
)

test('a pod has the ports of its role', () => {
  const ports = setsApart().map(({ spec }) =>
    spec.template.spec.containers[0].ports.map(({ name }: { name: string }) => name),
  )
  expect(ports).toEqual([
    ['controller', 'metrics'],
    ['internal', 'plain', 'metrics'],
  ])
})

test('nodes of a pool are spread over machines, unless its template says otherwise', () => {
  const [first] = setsApart()
  expect(first.spec.template.spec.topologySpreadConstraints).toMatchObject([{ topologyKey: 'kubernetes.io/hostname' }])
  const own = pool({ template: { topologySpreadConstraints: [] } })
  expect(setOf(kafkaCluster({ pools: [own] })).spec.template.spec.topologySpreadConstraints).toEqual([])
})
