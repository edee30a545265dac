import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { describeWith } from '../tools/requires.ts'
import { installOperator, Namespace } from './cluster.ts'
import { kafkaCluster, kafkaTopic } from './manifests.ts'
import type { Client } from './pod-client.ts'
import { Records } from './records.ts'

const PARTITIONS = 6
const WAIT_MS_MAX = 150_000
const ASK_EVERY_MS = 300
const FIRST_NODES = ['main-brokers-0', 'main-brokers-1', 'main-brokers-2', 'main-controllers-0']
const DURABILITY = { replicationFactor: 2, minInSyncReplicas: 1 }
const storage = { size: '1Gi' }

function cluster(controllers: number, brokers: number): object {
  const pools = [
    { name: 'controllers', roles: ['controller'], replicas: controllers, storage },
    { name: 'brokers', roles: ['broker'], replicas: brokers, storage },
  ]
  return kafkaCluster({ pools, durability: DURABILITY })
}

describeWith(['kubernetes'], 'a cluster that is scaled', () => {
  let namespace: Namespace
  let client: Client
  let records: Records

  beforeAll(async () => {
    namespace = await Namespace.create('scaling')
    await installOperator()
    await namespace.apply(cluster(1, 3), kafkaTopic('orders', { partitions: PARTITIONS, replicas: 2 }))
    await namespace.ready('kafkacluster/main', 'kafkatopic/orders')
    client = await namespace.client('main-bootstrap:9092')
    records = new Records({ topic: 'orders', partitions: PARTITIONS }, { client })
  })

  afterAll(async () => {
    await Namespace.remove('scaling')
  })

  /** Asks until `done`; gives the last answer. */
  async function until<T>(what: string, ask: () => Promise<T>, done: (answer: T) => boolean): Promise<T> {
    const deadline = performance.now() + WAIT_MS_MAX
    for (;;) {
      const answer = await ask()
      if (done(answer)) return answer
      if (performance.now() > deadline) throw new Error(`not ${what}: ${JSON.stringify(answer)}`)
      await sleep(ASK_EVERY_MS)
    }
  }

  async function votersBecome(...ids: number[]): Promise<void> {
    const voters = async (): Promise<string> => {
      const { status } = await namespace.get('kafkacluster', 'main')
      return (status['quorum'] as { voters: number[] }).voters.join()
    }
    await until(`the voters ${ids.join()}`, voters, (now) => now === ids.join())
  }

  async function uids(): Promise<Record<string, string>> {
    const list = await namespace.kubectl('get', 'pods', '-l', 'kafka.ottla.dev/cluster=main', '-o', 'json')
    const { items } = JSON.parse(list) as { items: { metadata: { name: string; uid: string } }[] }
    return Object.fromEntries(items.map(({ metadata }) => [metadata.name, metadata.uid]))
  }

  test('controllers and brokers that are added get their part, and nothing is restarted for it', async () => {
    const before = await uids()
    expect(Object.keys(before).toSorted()).toEqual(FIRST_NODES)
    await records.writeDuring(async () => {
      await namespace.apply(cluster(3, 4))
      await votersBecome(0, 1, 2)
      await namespace.settled('kafkacluster/main')
      // Its part of all there is: the brokers before it may not have been even.
      const isSpread = (replicas: number[][]): boolean =>
        replicas.filter((ids) => ids.includes(1003)).length >= 3 && replicas.flat().length === 2 * PARTITIONS
      await until('spread', () => client.replicas('orders'), isSpread)
    })
    expect(await uids()).toMatchObject(before)
    await records.expectAllThere()
  })

  test('those that are taken away are emptied first; their volumes stay', async () => {
    await records.writeDuring(async () => {
      await namespace.apply(cluster(1, 3))
      await votersBecome(0)
      await namespace.settled('kafkacluster/main')
      const gone = ['pod/main-brokers-3', 'pod/main-controllers-1', 'pod/main-controllers-2']
      await namespace.wait('--for=delete', ...gone)
    })
    expect(Object.keys(await uids()).toSorted()).toEqual(FIRST_NODES)
    expect((await client.replicas('orders')).flat()).not.toContain(1003)
    expect(await namespace.list('pvc')).toContain('persistentvolumeclaim/data-0-main-brokers-3')
    await records.expectAllThere()
  })

  test('a rebalance shows its plan, and is carried out when it is approved', async () => {
    const spec = { cluster: { name: 'main' }, mode: 'remove-brokers', brokers: [1002] }
    await records.writeDuring(async () => {
      await namespace.apply({
        apiVersion: 'kafka.ottla.dev/v1alpha1',
        kind: 'KafkaRebalance',
        metadata: { name: 'away' },
        spec,
      })
      expect(await namespace.says('kafkarebalance/away', 'Proposed')).toContain('kafka.ottla.dev/rebalance=approve')
      expect((await client.replicas('orders')).flat()).toContain(1002)
      await namespace.kubectl('annotate', 'kafkarebalance/away', 'kafka.ottla.dev/rebalance=approve')
      await namespace.ready('kafkarebalance/away')
    })
    // Who is asked may hear of the end of a move later than whom the operator asked.
    await until(
      'away',
      () => client.replicas('orders'),
      (replicas) => !replicas.flat().includes(1002),
    )
    await records.expectAllThere()
  })

  test("a topic's replication factor changes", async () => {
    await records.writeDuring(async () => {
      await namespace.apply(kafkaTopic('orders', { partitions: PARTITIONS, replicas: 3 }))
      await namespace.has('kafkatopic/orders', '{.status.replicas}', '3')
      await namespace.settled('kafkatopic/orders')
    })
    expect((await client.replicas('orders')).map(({ length }) => length)).toEqual(Array(PARTITIONS).fill(3))
    await records.expectAllThere()
  })
})
