import { beforeEach, expect, test } from '@jest/globals'
import { Monitoring } from '../../../../operator/alerts/monitoring.ts'
import { POD_MONITOR } from '../../../../operator/alerts/pod-monitor.ts'
import { PROMETHEUS_RULE } from '../../../../operator/alerts/prometheus-rules.ts'
import type { Manifest } from '../../../../operator/api/resource.ts'
import { KubeError } from '../../../../operator/kube/api.ts'
import { kafkaCluster, operatorWorld } from '../../../fakes/operator.ts'

let world: ReturnType<typeof operatorWorld>
let monitoring: Monitoring

beforeEach(() => {
  world = operatorWorld()
  monitoring = new Monitoring(world)
})

const AGAIN_MS = 5 * 60_000

test('a cluster gets a PodMonitor and a PrometheusRule', async () => {
  expect(await monitoring.apply(kafkaCluster())).toBeNull()
  const monitor = world.api.peek<Manifest>(POD_MONITOR, 'kafka', 'orders-kafka')
  const rule = world.api.peek<Manifest>(PROMETHEUS_RULE, 'kafka', 'orders-kafka')
  expect(monitor?.metadata.ownerReferences).toMatchObject([{ kind: 'KafkaCluster', name: 'orders' }])
  expect(monitor?.spec).toMatchObject({ selector: { matchLabels: { 'kafka.ottla.dev/cluster': 'orders' } } })
  expect(JSON.stringify(rule?.spec)).toContain('namespace=\\"kafka\\",kafka_cluster=\\"orders\\"')
})

test('nothing is written again while nothing changes', async () => {
  await monitoring.apply(kafkaCluster())
  await monitoring.apply(kafkaCluster())
  expect(world.api.writes).toHaveLength(2)
  world.clock.advance(AGAIN_MS)
  let calls = 0
  world.api.intercept = () => void calls++
  await monitoring.apply(kafkaCluster())
  expect(calls).toBe(4)
})

test('what was done for a cluster that is gone is not remembered', async () => {
  await monitoring.apply(kafkaCluster())
  monitoring.forget('kafka/orders')
  await monitoring.apply(kafkaCluster())
  expect(world.api.writes).toHaveLength(4)
})

test('a changed time of an alert is written at once', async () => {
  await monitoring.apply(kafkaCluster())
  await monitoring.apply(kafkaCluster({ alerts: { underReplicatedFor: '7m' } }))
  const rule = world.api.peek<Manifest>(PROMETHEUS_RULE, 'kafka', 'orders-kafka')
  expect(JSON.stringify(rule?.spec)).toContain('"for":"7m"')
})

test('what is switched off goes', async () => {
  await monitoring.apply(kafkaCluster())
  await monitoring.apply(kafkaCluster({ monitoring: { podMonitor: false, rules: true } }))
  expect(world.api.peek(POD_MONITOR, 'kafka', 'orders-kafka')).toBeNull()
  expect(world.api.peek(PROMETHEUS_RULE, 'kafka', 'orders-kafka')).not.toBeNull()
})

test("somebody else's object of the name is left alone, and said", async () => {
  const { apiVersion, kind } = POD_MONITOR
  await world.api.create(POD_MONITOR, {
    apiVersion,
    kind,
    metadata: { name: 'orders-kafka', namespace: 'kafka' },
    spec: {},
  })
  expect(await monitoring.apply(kafkaCluster())).toMatch(/PodMonitor orders-kafka is there already/)
  const off = kafkaCluster({ monitoring: { podMonitor: false, rules: false } })
  expect(await monitoring.apply(off)).toBeNull()
  expect(world.api.peek(POD_MONITOR, 'kafka', 'orders-kafka')).not.toBeNull()
})

test('without the Prometheus Operator nothing is the matter', async () => {
  world.api.intercept = (call) => {
    if (call.startsWith('apply'))
      throw new KubeError(404, 'NotFound', 'the server could not find the requested resource')
  }
  expect(await monitoring.apply(kafkaCluster())).toBeNull()
})

test('a refusal is told in the words of Kubernetes, and tried again', async () => {
  world.api.intercept = (call) => {
    if (call === 'apply PodMonitor') throw new KubeError(403, 'Forbidden', 'no')
  }
  expect(await monitoring.apply(kafkaCluster())).toBe('Kubernetes refuses PodMonitor orders-kafka: no')
  world.api.intercept = () => {}
  expect(await monitoring.apply(kafkaCluster())).toBeNull()
  expect(world.api.peek(POD_MONITOR, 'kafka', 'orders-kafka')).not.toBeNull()
})

test('a webhook of the Prometheus Operator that is down stops nothing else', async () => {
  world.api.intercept = (call) => {
    if (call === 'apply PrometheusRule') throw new KubeError(500, 'InternalError', 'failed calling webhook')
  }
  const problem = 'Kubernetes fails at PrometheusRule orders-kafka: failed calling webhook'
  expect(await monitoring.apply(kafkaCluster())).toBe(problem)
})

test('nodes without metrics are not scraped, and the operator says how they are', async () => {
  await monitoring.apply(kafkaCluster({ distribution: 'apache' }))
  expect(world.api.peek(POD_MONITOR, 'kafka', 'orders-kafka')).toBeNull()
  const rule = JSON.stringify(world.api.peek<Manifest>(PROMETHEUS_RULE, 'kafka', 'orders-kafka')?.spec)
  expect(rule).toContain('type=\\"PartitionsInSync\\",status=\\"False\\"')
  expect(rule).not.toMatch(/kafka_(server|controller|log)_/)
})
