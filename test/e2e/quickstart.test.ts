import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { describeWith } from '../tools/requires.ts'
import { ROOT } from './bed/layout.ts'
import { installOperator, type KubeObject, Namespace } from './cluster.ts'
import type { Client } from './pod-client.ts'

const QUICKSTART = `${ROOT}/examples/quickstart`
const RECORDS = 3000
/** What a cluster makes; in deletion order nothing matters. */
const OWNED = 'statefulsets,services,configmaps,serviceaccounts,poddisruptionbudgets,pods'

describeWith(['kubernetes'], 'the quickstart example', () => {
  let namespace: Namespace
  let client: Client

  beforeAll(async () => {
    await installOperator()
    namespace = await Namespace.create('quickstart')
    await namespace.kubectl('apply', '-k', QUICKSTART)
    client = await namespace.client('quickstart-bootstrap:9092')
  })

  afterAll(async () => {
    await Namespace.remove('quickstart')
  })

  const cluster = (): Promise<KubeObject> => namespace.get('kafkacluster', 'quickstart')
  const owned = async (): Promise<string[]> =>
    (await namespace.kubectl('get', OWNED, '-l', 'kafka.ottla.dev/cluster=quickstart', '-o', 'name'))
      .split('\n')
      .filter((line) => line !== '')

  test('a cluster and a topic become ready', async () => {
    const ready = await namespace.ready('kafkacluster/quickstart', 'kafkatopic/hello')
    expect(ready).toContain('kafkatopic.kafka.ottla.dev/hello condition met')
  })

  test('its pods meet the restricted Pod Security Standard', async () => {
    // The namespace enforces it: a pod that does not meet it is never made.
    const pod = await namespace.get('pod', 'quickstart-nodes-0')
    expect(pod.status.conditions?.find(({ type }) => type === 'Ready')?.status).toBe('True')
  })

  test('its status tells clients where to begin', async () => {
    const { status } = await cluster()
    expect(status['listeners']).toEqual([
      { name: 'plain', bootstrapServers: 'quickstart-bootstrap.quickstart.svc:9092' },
    ])
  })

  test('kubectl get answers whether it is well', async () => {
    const lines = (await namespace.kubectl('get', 'kafka', '--no-headers')).trim().split('\n')
    expect(lines.map((line) => line.split(/\s+/).slice(0, 2))).toEqual([
      ['kafkacluster.kafka.ottla.dev/quickstart', 'True'],
      ['kafkatopic.kafka.ottla.dev/hello', 'True'],
    ])
  })

  test('a client writes records and reads each of them, in order', async () => {
    await client.produce('hello', RECORDS)
    expect(await client.consume('hello', RECORDS)).toEqual(expected(RECORDS, 3))
  })

  test('a pod that is deleted comes back with its data', async () => {
    const before = await namespace.get('pod', 'quickstart-nodes-0')
    await namespace.delete('pod/quickstart-nodes-0')
    await namespace.wait('--for=create', 'pod/quickstart-nodes-0')
    await namespace.ready('pod/quickstart-nodes-0', 'kafkacluster/quickstart')
    const after = await namespace.get('pod', 'quickstart-nodes-0')
    expect(after.metadata.uid).not.toBe(before.metadata.uid)
    expect(await client.consume('hello', RECORDS)).toEqual(expected(RECORDS, 3))
  })

  test('a changed configuration reaches the broker', async () => {
    await namespace.kubectl(
      'patch',
      'kafkacluster',
      'quickstart',
      '--type=merge',
      '-p',
      '{"spec":{"config":{"num.partitions":7}}}',
    )
    await namespace.settled('kafkacluster/quickstart')
    await client.create('of-the-new-default', { partitions: -1, config: {} })
    expect(await client.describe('of-the-new-default')).toMatchObject({ partitions: 7 })
  })

  test('deleting the cluster removes everything but its volume claims', async () => {
    await namespace.delete('kafkacluster/quickstart')
    for (const resource of await owned()) {
      await namespace.wait('--for=delete', resource)
    }
    expect(await owned()).toEqual([])
    expect(await namespace.list('persistentvolumeclaims')).toEqual(['persistentvolumeclaim/data-0-quickstart-nodes-0'])
  })

  test('a topic can be deleted when its cluster is gone', async () => {
    await namespace.delete('kafkatopic/hello')
    expect(await namespace.list('kafkatopics')).toEqual([])
  })

  test('a cluster that is made again finds its data', async () => {
    await namespace.kubectl('apply', '-k', QUICKSTART)
    await namespace.ready('kafkacluster/quickstart', 'kafkatopic/hello')
    expect(await client.consume('hello', RECORDS)).toEqual(expected(RECORDS, 3))
  })
})

/** What client/client.ts writes. */
function expected(records: number, partitions: number): Record<string, string[]> {
  const values = (partition: number): string[] =>
    Array.from({ length: records / partitions }, (_, index) => `${partition}-${index}`)
  return Object.fromEntries(
    Array.from({ length: partitions }, (_, partition) => [String(partition), values(partition)]),
  )
}
