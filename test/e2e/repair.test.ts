import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { describeWith } from '../tools/requires.ts'
import { installOperator, kubectl, Namespace, uninstallOperator } from './cluster.ts'
import { kafkaCluster, kafkaTopic } from './manifests.ts'

/** Far below the operator's resync of 5 minutes: only a watch is that quick. */
const SOON = '--timeout=60s'

describeWith(['kubernetes'], 'what others do to a cluster of an operator that has rights in its namespace only', () => {
  let namespace: Namespace

  beforeAll(async () => {
    namespace = await Namespace.create('repair')
    await installOperator('repair')
    await namespace.apply(kafkaCluster(), kafkaTopic('one', {}), kafkaTopic('two', {}))
    await namespace.ready('kafkacluster/main', 'kafkatopic/one', 'kafkatopic/two')
  })

  afterAll(async () => {
    await Namespace.remove('repair')
    await uninstallOperator()
  })

  /** Merges `patch` into `resource`, then waits until `path` has `value` again. */
  async function reverted(resource: string, patch: object, path: string, value: string): Promise<void> {
    await namespace.kubectl('patch', resource, '--type=merge', '-p', JSON.stringify(patch))
    await namespace.wait(`--for=jsonpath=${path}=${value}`, resource, SOON)
  }

  test('a Service that was edited is put right', async () => {
    const patch = { spec: { selector: { 'kafka.ottla.dev/cluster': 'other' } } }
    await reverted('service/main-bootstrap', patch, '{.spec.selector.kafka\\.ottla\\.dev/cluster}', 'main')
  })

  test('a StatefulSet that was scaled is put right', async () => {
    await reverted('statefulset/main-nodes', { spec: { replicas: 0 } }, '{.spec.replicas}', '1')
    await namespace.ready('kafkacluster/main')
  })

  test.each(['configmap/main-nodes-config-', 'poddisruptionbudget/main-kafka', 'serviceaccount/main-kafka'])(
    '%s comes back when it was deleted',
    async (prefix) => {
      const [kind = ''] = prefix.split('/')
      const [resource = ''] = (await namespace.list(kind)).filter((name) => name.includes(prefix.slice(kind.length)))
      await namespace.delete(resource)
      await namespace.wait('--for=create', resource, SOON)
    },
  )

  test('its namespace can be deleted with everything in it', async () => {
    await kubectl(['delete', 'namespace', namespace.name, '--wait', '--timeout=170s'])
    expect(await kubectl(['get', 'namespace', namespace.name, '--ignore-not-found'])).toBe('')
  })
})
