import { afterAll, beforeAll, expect, test } from '@jest/globals'
import kafkajs from 'kafkajs'
import { AdminClient } from '../../broker/client/admin-client.ts'
import { nodeEnv } from '../../broker/host/env.ts'
import { splitAddress } from '../../operator/api/address.ts'
import { describeWith } from '../tools/requires.ts'
import { installOperator, kubectl, type KubeObject, Namespace } from './cluster.ts'
import { kafkaCluster, kafkaTopic } from './manifests.ts'

const BROKERS = [0, 1, 2]
const RECORDS = 90
/** Every Kubernetes node has it: no label has to be put on one. */
const RACK = 'kubernetes.io/hostname'

interface ServiceObject extends KubeObject {
  readonly spec: { readonly clusterIP: string; readonly ports: readonly { readonly nodePort: number }[] }
}

describeWith(['kubernetes'], 'listeners that are reached from outside of Kubernetes', () => {
  let namespace: Namespace

  beforeAll(async () => {
    await installOperator()
    namespace = await Namespace.create('listeners')
    const pools = [{ name: 'nodes', replicas: BROKERS.length, storage: { size: '1Gi' } }]
    const listeners = [
      { name: 'plain', port: 9092 },
      { name: 'nodes', port: 9094, type: 'nodeport' },
      { name: 'cloud', port: 9095, type: 'loadbalancer' },
    ]
    await namespace.apply(
      kafkaCluster({ pools, listeners, rack: { topologyKey: RACK } }),
      kafkaTopic('payments', { partitions: BROKERS.length, replicas: BROKERS.length }),
    )
  })

  afterAll(async () => {
    await Namespace.remove('listeners')
  })

  const service = (name: string) => namespace.get('service', `main-${name}`) as Promise<ServiceObject>

  /** What a cloud's controller tells of a Service of listener cloud. */
  async function balance(name: string, ip: string): Promise<void> {
    const status = { loadBalancer: { ingress: [{ ip }] } }
    const patch = ['--subresource=status', '--type=merge', '-p', JSON.stringify({ status })]
    await namespace.kubectl('patch', 'service', `main-cloud-${name}`, ...patch)
  }

  async function bootstrapOf(listener: string): Promise<string> {
    const { status } = await namespace.get('kafkacluster', 'main')
    const listeners = status['listeners'] as { name: string; bootstrapServers: string }[]
    return listeners.find(({ name }) => name === listener)?.bootstrapServers ?? ''
  }

  /** What brokers say of themselves to a client that came by `listener`. */
  async function brokersBy(listener: string) {
    const bootstrap = (await bootstrapOf(listener)).split(',').map(splitAddress)
    await using client = new AdminClient({ bootstrap, timeoutMs: 20_000 }, nodeEnv())
    const { brokers } = await client.describeCluster()
    return brokers.toSorted((a, b) => a.id - b.id)
  }

  /** Writes to and reads from every broker, as somebody outside of Kubernetes does. */
  async function roundTrip(listener: string): Promise<number> {
    const brokers = (await bootstrapOf(listener)).split(',')
    const kafka = new kafkajs.Kafka({ brokers, clientId: 'outside', logLevel: kafkajs.logLevel.NOTHING })
    const [producer, consumer] = [kafka.producer(), kafka.consumer({ groupId: listener })]
    const enough = Promise.withResolvers<void>()
    let read = 0
    try {
      await Promise.all([producer.connect(), consumer.connect()])
      const messages = Array.from({ length: RECORDS }, (_, index) => ({
        partition: index % BROKERS.length,
        value: listener,
      }))
      await producer.send({ topic: 'payments', acks: -1, messages })
      await consumer.subscribe({ topic: 'payments', fromBeginning: true })
      await consumer.run({
        eachMessage: async ({ message }) => {
          if (String(message.value) === listener) read += 1
          if (read === RECORDS) enough.resolve()
        },
      })
      await enough.promise
      return read
    } finally {
      await Promise.all([producer.disconnect(), consumer.disconnect()])
    }
  }

  test('brokers wait for their load balancers, and the cluster says so', async () => {
    await namespace.has('kafkacluster/main', '{.status.conditions[?(@.type=="PlacesKnown")].reason}', 'PlacePending')
    const { status } = await namespace.get('kafkacluster', 'main')
    const place = status.conditions?.find(({ type }) => type === 'PlacesKnown')
    expect(place?.message).toMatch(/Service main-cloud-\S+ has no address of a load balancer yet/)
  })

  test('with their load balancers they start', async () => {
    // An address that leads to the Service.
    for (const name of ['bootstrap', ...BROKERS.map(String)]) {
      await balance(name, (await service(`cloud-${name}`)).spec.clusterIP)
    }
    await namespace.ready('kafkacluster/main', 'kafkatopic/payments')
  })

  test('each broker advertises its Kubernetes node and a port of its own', async () => {
    const brokers = await brokersBy('nodes')
    const nodes = await kubectl(['get', 'nodes', '-o', 'jsonpath={.items[*].status.addresses[*].address}'])
    const ports = await Promise.all(BROKERS.map(async (id) => (await service(`nodes-${id}`)).spec.ports[0]?.nodePort))
    expect(brokers.map(({ port }) => port)).toEqual(ports)
    for (const { host } of brokers) expect(nodes.split(' ')).toContain(host)
  })

  test('each broker advertises its load balancer', async () => {
    const addresses = await Promise.all(BROKERS.map(async (id) => (await service(`cloud-${id}`)).spec.clusterIP))
    const brokers = await brokersBy('cloud')
    expect(brokers.map(({ host, port }) => `${host}:${port}`)).toEqual(addresses.map((address) => `${address}:9095`))
  })

  test('the rack of a broker is what the label of its Kubernetes node says', async () => {
    const path = 'jsonpath={range .items[*]}{.metadata.name}={.spec.nodeName} {end}'
    const pods = await namespace.kubectl('get', 'pods', '-l', 'kafka.ottla.dev/cluster=main', '-o', path)
    const placed = new Map(
      pods
        .trim()
        .split(' ')
        .map((line) => line.split('=') as [string, string]),
    )
    const brokers = await brokersBy('nodes')
    expect(brokers.map(({ rack }) => rack)).toEqual(BROKERS.map((id) => placed.get(`main-nodes-${id}`)))
  })

  test.each(['nodes', 'cloud'])('a client outside writes and reads by listener %s', async (listener) => {
    expect(await roundTrip(listener)).toBe(RECORDS)
  })

  test('volumes grow while their brokers run, and for brokers to come', async () => {
    const uids = () =>
      namespace.kubectl('get', 'pods', '-l', 'kafka.ottla.dev/cluster=main', '-o', 'jsonpath={.items[*].metadata.uid}')
    const before = await uids()
    const pools = [{ name: 'nodes', replicas: BROKERS.length, storage: { size: '2Gi' } }]
    const patch = ['--type=merge', '-p', JSON.stringify({ spec: { pools } })]
    await namespace.kubectl('patch', 'kafkacluster', 'main', ...patch)
    for (const id of BROKERS) await namespace.has(`pvc/data-0-main-nodes-${id}`, '{.status.capacity.storage}', '2Gi')
    const template = '{.spec.volumeClaimTemplates[0].spec.resources.requests.storage}'
    await namespace.has('statefulset/main-nodes', template, '2Gi')
    await namespace.settled('kafkacluster/main')
    expect(await uids()).toBe(before)
  })
})
