/** What a cluster shows of itself on a real Kubernetes: objects for the Prometheus Operator, metrics, conditions, dashboards. */
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { describeWith } from '../tools/requires.ts'
import { installOperator, kubectl, Namespace, uninstallOperator } from './cluster.ts'
import { kafkaCluster } from './manifests.ts'

const GROUP = 'monitoring.coreos.com'
/** Of a kubectl or two, on a busy machine. */
const WAIT_MS_MAX = 60_000
/** Of the Prometheus Operator, as far as the operator goes by them: that they are there. */
const CRDS = { podmonitors: 'PodMonitor', prometheusrules: 'PrometheusRule' }

interface PodMonitor {
  readonly spec: {
    readonly selector: { readonly matchLabels: Readonly<Record<string, string>> }
    readonly podMetricsEndpoints: readonly { readonly port: string; readonly path: string }[]
  }
}

interface PrometheusRule {
  readonly spec: { readonly groups: readonly { readonly rules: readonly { alert: string; for: string }[] }[] }
}

describeWith(['kubernetes'], 'monitoring', () => {
  let namespace: Namespace

  beforeAll(async () => {
    const definitions = Object.entries(CRDS).map(([plural, kind]) => definition(plural, kind))
    await kubectl(['apply', '-f', '-'], {
      input: JSON.stringify({ apiVersion: 'v1', kind: 'List', items: definitions }),
    })
    namespace = await Namespace.create('monitoring')
    await installOperator('monitoring')
    await namespace.apply(kafkaCluster({ alerts: { underReplicatedFor: '42s' } }))
    await namespace.ready('kafkacluster/main')
  })

  afterAll(async () => {
    await Namespace.remove('monitoring')
    // Helm cannot change a release whose kinds are gone.
    await uninstallOperator()
    await kubectl(['delete', 'crd', '--ignore-not-found', ...Object.keys(CRDS).map((plural) => `${plural}.${GROUP}`)])
  })

  const read = async <T>(resource: string): Promise<T> =>
    JSON.parse(await namespace.kubectl('get', resource, '-o', 'json')) as T

  test(
    'the PodMonitor selects the pods, by a port that they have',
    async () => {
      const { spec } = await read<PodMonitor>(`podmonitors.${GROUP}/main-kafka`)
      const selector = Object.entries(spec.selector.matchLabels).map(([label, value]) => `${label}=${value}`)
      const selected = await namespace.kubectl('get', 'pods', '-l', selector.join(','), '-o', 'name')
      expect(selected.trim()).toBe('pod/main-nodes-0')
      const ports = await namespace.kubectl('get', 'pod', 'main-nodes-0', '-o', 'jsonpath={..ports[*].name}')
      expect(ports.split(' ')).toContain(spec.podMetricsEndpoints[0]?.port)
    },
    WAIT_MS_MAX,
  )

  test(
    'the PrometheusRule has the time of the cluster',
    async () => {
      const { spec } = await read<PrometheusRule>(`prometheusrules.${GROUP}/main-kafka`)
      const rules = spec.groups.flatMap((group) => group.rules)
      expect(rules.find(({ alert }) => alert === 'KafkaUnderReplicatedPartitions')?.for).toBe('42s')
    },
    WAIT_MS_MAX,
  )

  test(
    'the pod gives its metrics',
    async () => {
      const path = `/api/v1/namespaces/${namespace.name}/pods/main-nodes-0:9404/proxy/metrics`
      const metrics = await kubectl(['get', '--raw', path])
      expect(metrics).toMatch(/^kafka_controller_kafkacontroller_activecontrollercount 1$/m)
      expect(metrics).toMatch(/^kafka_server_raftmetrics_current_state\{current_state="leader"\} 1$/m)
    },
    WAIT_MS_MAX,
  )

  test(
    'the conditions say that the partitions are well',
    async () => {
      const { status } = await namespace.get('kafkacluster', 'main')
      const well = status.conditions?.filter(({ status: value }) => value === 'True').map(({ type }) => type)
      expect(well).toEqual(
        expect.arrayContaining([
          'PartitionsOnline',
          'PartitionsWritable',
          'PartitionsInSync',
          'BrokersAvailable',
          'QuorumLed',
        ]),
      )
      expect(status['partitions']).toMatchObject({ underReplicated: 0, underMinIsr: 0, offline: 0 })
    },
    WAIT_MS_MAX,
  )

  test(
    'the chart ships dashboards where Grafana looks for them',
    async () => {
      const found = await kubectl(['get', 'configmaps', '--all-namespaces', '-l', 'grafana_dashboard=1', '-o', 'name'])
      expect(found.trim().split('\n')).toHaveLength(6)
    },
    WAIT_MS_MAX,
  )
})

function definition(plural: string, kind: string): object {
  const schema = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true }
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.${GROUP}` },
    spec: {
      group: GROUP,
      scope: 'Namespaced',
      names: { plural, singular: kind.toLowerCase(), kind, listKind: `${kind}List` },
      versions: [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: schema } }],
    },
  }
}
