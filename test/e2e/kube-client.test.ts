import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { CONFIG_MAP, EVENT, KAFKA_CLUSTER, KAFKA_TOPIC, LEASE, POD, STATEFUL_SET } from '../../operator/api/resource.ts'
import type { KafkaCluster, KafkaTopic, Manifest, Resource } from '../../operator/api/resource.ts'
import type { Pod } from '../../operator/cluster/kubernetes.ts'
import type { WatchEvent } from '../../operator/kube/api.ts'
import { setFinalizer } from '../../operator/kube/finalizer.ts'
import { KubeRest } from '../../operator/kube/rest.ts'
import { condition } from '../fakes/operator.ts'
import { TestApi } from '../tools/kube-api.ts'
import { uninstallOperatorOfAll } from './cluster.ts'
import { podlessOperator } from './podless-operator.ts'
import { describeWith } from '../tools/requires.ts'

async function until<T>(read: () => Promise<T>, isDone: (value: T) => boolean): Promise<T> {
  for (;;) {
    const value = await read()
    if (isDone(value)) return value
    await new Promise((wake) => setTimeout(wake, 50))
  }
}

describeWith(['kubernetes'], "the operator's Kubernetes client on a real API server", () => {
  let test$: TestApi
  let api: KubeRest
  let namespace = ''

  beforeAll(async () => {
    // Another one would look after the same resources.
    await uninstallOperatorOfAll()
    test$ = new TestApi()
    api = new KubeRest({ signal: new AbortController().signal }, test$)
    await test$.installCrds()
    namespace = await test$.makeNamespace('client')
  })
  afterAll(() => test$.removeNamespace(namespace))

  const map = (name: string, data: Record<string, string>): Manifest => ({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name, namespace },
    data,
  })

  test('apply creates, changes, and takes away what it leaves out', async () => {
    await api.apply(CONFIG_MAP, map('applied', { a: '1', b: '2' }))
    const after = await api.apply<Resource & { data?: object }>(CONFIG_MAP, map('applied', { a: '3' }))
    expect(after.data).toEqual({ a: '3' })
  })

  test('an apply that changes nothing makes no new version', async () => {
    const first = await api.apply(CONFIG_MAP, map('same', { a: '1' }))
    const second = await api.apply(CONFIG_MAP, map('same', { a: '1' }))
    expect(second.metadata.resourceVersion).toBe(first.metadata.resourceVersion)
  })

  test('what is not there is null; deleting it is no error', async () => {
    expect(await api.get(CONFIG_MAP, namespace, 'nothing')).toBeNull()
    await api.delete(CONFIG_MAP, namespace, 'nothing', { uid: 'any' })
  })

  test('only the very object that was meant is deleted', async () => {
    const { metadata } = await api.create(CONFIG_MAP, map('mine', {}))
    await expect(api.delete(CONFIG_MAP, namespace, 'mine', { uid: 'another' })).rejects.toMatchObject({ status: 409 })
    await api.delete(CONFIG_MAP, namespace, 'mine', { uid: metadata.uid ?? '' })
    expect(await api.get(CONFIG_MAP, namespace, 'mine')).toBeNull()
  })

  test('a finalizer is not set on an object that has changed meanwhile', async () => {
    const stale = await api.create(CONFIG_MAP, map('held', {}))
    await api.apply(CONFIG_MAP, map('held', { a: '1' }))
    await expect(setFinalizer(api, CONFIG_MAP, stale, 'test/held', true)).rejects.toMatchObject({ status: 409 })
    const fresh = await api.get<Resource>(CONFIG_MAP, namespace, 'held')
    const held = await setFinalizer(api, CONFIG_MAP, fresh ?? stale, 'test/held', true)
    expect(held.metadata.finalizers).toEqual(['test/held'])
    await setFinalizer(api, CONFIG_MAP, held, 'test/held', false)
  })

  test('a watch tells what happens after a version, bookmarks not counted', async () => {
    const { resourceVersion } = await api.list(CONFIG_MAP, { namespace })
    const stop = new AbortController()
    const events: WatchEvent[] = []
    const done = Promise.withResolvers<void>()
    const watching = api.watch(
      CONFIG_MAP,
      { namespace, resourceVersion },
      (event) => {
        if (event.type !== 'BOOKMARK') events.push(event)
        if (event.type === 'DELETED') done.resolve()
      },
      stop.signal,
    )
    const { metadata } = await api.create(CONFIG_MAP, map('watched', {}))
    await api.apply(CONFIG_MAP, map('watched', { a: '1' }))
    await api.delete(CONFIG_MAP, namespace, 'watched', { uid: metadata.uid ?? '' })
    await done.promise
    stop.abort()
    await watching.catch(() => undefined)
    expect(events.map(({ type, object }) => `${type} ${object.metadata.name}`)).toEqual([
      'ADDED watched',
      'MODIFIED watched',
      'DELETED watched',
    ])
  })

  test('a refusal carries the words of the server', async () => {
    const bad = map('Not A Name', {})
    await expect(api.apply(CONFIG_MAP, bad)).rejects.toMatchObject({ code: 'Invalid', status: 422 })
  })

  test('nothing is sent once the signal has aborted', async () => {
    const stop = new AbortController()
    const stopped = new KubeRest({ signal: stop.signal }, test$)
    stop.abort(new Error('lease lost'))
    await expect(stopped.apply(CONFIG_MAP, map('late', {}))).rejects.toThrow('lease lost')
    expect(await api.get(CONFIG_MAP, namespace, 'late')).toBeNull()
  })

  test('everything that the operator makes is accepted, and goes with the cluster', async () => {
    const stop = new AbortController()
    const where = { namespace, name: 'ottla-operator' }
    const operator = podlessOperator({ namespace, lease: where, transport: test$.transport })
    const running = operator.run(stop.signal)
    const spec = { pools: [{ name: 'nodes', storage: { size: '1Gi' } }] }
    const head = { apiVersion: KAFKA_CLUSTER.apiVersion, metadata: { name: 'orders', namespace } }
    const { metadata } = await api.create<Resource>(KAFKA_CLUSTER, { ...head, kind: 'KafkaCluster', spec })
    await api.create(KAFKA_TOPIC, {
      ...head,
      kind: 'KafkaTopic',
      metadata: { name: 't', namespace },
      spec: { cluster: { name: 'orders' } },
    })
    // The pod comes from the StatefulSet controller: restricted Pod Security lets it pass.
    const [pod] = await until(
      async () => (await api.list<Pod>(POD, { namespace })).items,
      (pods) => pods.length === 1,
    )
    expect(pod?.metadata.name).toBe('orders-nodes-0')
    const cluster = await until(
      () => api.get<KafkaCluster>(KAFKA_CLUSTER, namespace, 'orders'),
      (found) => condition(found, 'Ready')?.includes('orders-nodes-0:') ?? false,
    )
    expect(cluster?.status?.clusterId).toMatch(/^[\w-]{22}$/)
    const topic = await api.get<KafkaTopic>(KAFKA_TOPIC, namespace, 't')
    expect(condition(topic, 'Reconciling')).toContain('ClusterNotReady')
    expect((await api.list(EVENT, { namespace })).items.length).toBeGreaterThan(0)
    stop.abort()
    expect(await running).toBe('ended')
    const lease = await api.get<Resource & { spec: { holderIdentity?: string } }>(LEASE, namespace, 'ottla-operator')
    expect(lease?.spec.holderIdentity ?? '').toBe('')
    await api.delete(KAFKA_CLUSTER, namespace, 'orders', { uid: metadata.uid ?? '' })
    await until(
      async () => [
        ...(await api.list(STATEFUL_SET, { namespace })).items,
        ...(await api.list(CONFIG_MAP, { namespace, labelSelector: 'kafka.ottla.dev/cluster=orders' })).items,
      ],
      (left) => left.length === 0,
    )
  })
})
