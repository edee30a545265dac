import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { describeWith } from '../tools/requires.ts'
import { installOperator, kubectl, Namespace } from './cluster.ts'
import { kafkaCluster, kafkaTopic } from './manifests.ts'
import { Records } from './records.ts'

const POOLS = [{ name: 'nodes', roles: ['controller', 'broker'], replicas: 3, storage: { size: '1Gi' } }]
const PODS = ['main-nodes-0', 'main-nodes-1', 'main-nodes-2']
const PARTITIONS = 3

interface PodSeen {
  readonly metadata: { readonly name: string; readonly uid: string; readonly creationTimestamp: string }
  readonly spec: { readonly nodeName: string }
  readonly status: { readonly conditions: readonly { readonly type: string; readonly lastTransitionTime: string }[] }
}

describeWith(['kubernetes'], 'a cluster that is rolled', () => {
  let namespace: Namespace
  let records: Records

  beforeAll(async () => {
    namespace = await Namespace.create('rolling')
    await installOperator()
    await namespace.apply(kafkaCluster({ pools: POOLS }), kafkaTopic('orders', { partitions: PARTITIONS, replicas: 3 }))
    await namespace.ready('kafkacluster/main', 'kafkatopic/orders')
    const client = await namespace.client('main-bootstrap:9092')
    records = new Records({ topic: 'orders', partitions: PARTITIONS }, { client })
    await records.write()
  })

  afterAll(async () => {
    await Namespace.remove('rolling')
  })

  async function pods(): Promise<PodSeen[]> {
    const list = await namespace.kubectl('get', 'pods', '-l', 'kafka.ottla.dev/cluster=main', '-o', 'json')
    return (JSON.parse(list) as { items: PodSeen[] }).items
  }

  async function uids(): Promise<Record<string, string>> {
    return Object.fromEntries((await pods()).map(({ metadata }) => [metadata.name, metadata.uid]))
  }

  /** How often the operator has restarted each pod. */
  async function restarts(): Promise<Record<string, number>> {
    const path = 'jsonpath={range .items[*]}{.note}{"\\n"}{end}'
    const selector = '--field-selector=reason=PodRestarting'
    const notes = (await namespace.kubectl('get', 'events.events.k8s.io', selector, '-o', path)).split('\n')
    return Object.fromEntries(PODS.map((pod) => [pod, notes.filter((note) => note.startsWith(`${pod} `)).length]))
  }

  function configure(config: Record<string, number>): Promise<string> {
    return namespace.apply(kafkaCluster({ pools: POOLS, config }))
  }

  test('what brokers take on while they run restarts none of them', async () => {
    const before = await uids()
    await configure({ 'message.max.bytes': 2_000_000 })
    await namespace.settled('kafkacluster/main')
    expect(await uids()).toEqual(before)
    const changed = '--field-selector=reason=ConfigChanged'
    const notes = await namespace.kubectl('get', 'events.events.k8s.io', changed, '-o', 'jsonpath={.items[*].note}')
    expect(notes).toContain('changed without a restart: message.max.bytes=2000000')
  })

  test('what they do not restarts them one after the other, and a producer does not notice', async () => {
    const before = await uids()
    await records.writeDuring(async () => {
      await configure({ 'message.max.bytes': 2_000_000, 'queued.max.requests': 400 })
      await namespace.settled('kafkacluster/main')
    })
    const after = await pods()
    for (const { metadata } of after) expect(before[metadata.name]).not.toBe(metadata.uid)
    expect(await restarts()).toEqual(Object.fromEntries(PODS.map((pod) => [pod, 1])))
    const inOrder = after.toSorted((a, b) => (a.metadata.creationTimestamp < b.metadata.creationTimestamp ? -1 : 1))
    for (const [index, pod] of inOrder.slice(1).entries()) {
      const ready = inOrder[index]?.status.conditions.find(({ type }) => type === 'Ready')?.lastTransitionTime ?? ''
      expect(pod.metadata.creationTimestamp >= ready).toBe(true)
    }
    await records.expectAllThere()
  })

  test('with a broker down the roll waits, says for which partition, and goes on when it is back, whoever leads the operators', async () => {
    const [down] = (await pods()).filter(({ metadata }) => metadata.name === 'main-nodes-1')
    const node = down?.spec.nodeName ?? ''
    await kubectl(['cordon', node])
    try {
      await namespace.kubectl('delete', 'pod', 'main-nodes-1', '--wait=false', '--grace-period=1')
      await configure({ 'queued.max.requests': 300 })
      await namespace.has('kafkacluster/main', '{.status.rollout.blockedBy[0].topic}', 'orders')
      const { status } = await namespace.get('kafkacluster', 'main')
      const { blockedBy } = status['rollout'] as { blockedBy: { topic?: string; isr?: number[]; minIsr?: number }[] }
      const { isr = [], minIsr } = blockedBy.find(({ topic }) => topic === 'orders') ?? {}
      expect({ isr: isr.toSorted((a, b) => a - b), minIsr }).toEqual({ isr: [0, 2], minIsr: 2 })
      expect(await restarts()).toMatchObject({ 'main-nodes-0': 1, 'main-nodes-2': 1 })
      await records.write()
    } finally {
      await kubectl(['uncordon', node])
    }
    await namespace.has('kafkacluster/main', '{.status.rollout.state}', 'Rolling')
    const operator = ['--namespace', 'ottla-system', 'delete', 'pod', '-l', 'app.kubernetes.io/instance=ottla']
    await kubectl([...operator, '--wait=false', '--grace-period=0', '--force'])
    await namespace.settled('kafkacluster/main')
    expect(await restarts()).toMatchObject({ 'main-nodes-0': 2, 'main-nodes-2': 2 })
    await records.expectAllThere()
  })
})
