/** A cluster that is moved to the image of Apache Kafka, and back, on its own volumes. `DISTRIBUTION_NODES=3` has three nodes. */
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { Authority } from '../tools/certificates.ts'
import { describeWith } from '../tools/requires.ts'
import { engine } from './bed/kubernetes.ts'
import { shownCertificate, tlsSecret } from './certificate.ts'
import { installOperator, Namespace, useImage } from './cluster.ts'
import { kafkaCluster, kafkaTopic } from './manifests.ts'
import type { Client } from './pod-client.ts'

const NODES = Number(process.env['DISTRIBUTION_NODES'] ?? 1)
const RECORDS = 300
const POOLS = [{ name: 'nodes', roles: ['controller', 'broker'], replicas: NODES, storage: { size: '1Gi' } }]
const MOVE_MS_MAX = 300_000
const BOOTSTRAP = 'main-bootstrap.distribution.svc'

describeWith(['kubernetes', 'java', 'mvn'], `a cluster of ${NODES} that changes its distribution`, () => {
  const authority = new Authority()
  let namespace: Namespace
  let client: Client
  let apache = ''
  let written = 0

  beforeAll(async () => {
    apache = await engine().loadApache()
    await installOperator()
    await useImage('apacheImages', '4.3', apache)
    namespace = await Namespace.create('distribution')
    const replicas = Math.min(NODES, 3)
    const issued = authority.issue({ commonName: 'broker', hosts: [BOOTSTRAP] })
    const listeners = [
      { name: 'plain', port: 9092 },
      { name: 'secure', port: 9093, tls: true, certificate: { secretName: 'kafka-tls' } },
    ]
    await namespace.apply(
      tlsSecret('kafka-tls', issued, authority.certificate),
      kafkaCluster({ pools: POOLS, listeners }),
      kafkaTopic('orders', { partitions: 3, replicas }),
    )
    await namespace.ready('kafkacluster/main', 'kafkatopic/orders')
    client = await namespace.client('main-bootstrap:9092')
    await write()
  })

  afterAll(() => Namespace.remove('distribution'))

  async function write(): Promise<void> {
    await client.produce('orders', RECORDS)
    written += RECORDS
  }

  async function moveTo(distribution: string): Promise<string[]> {
    const patch = JSON.stringify({ spec: { distribution } })
    await namespace.kubectl('patch', 'kafkacluster', 'main', '--type=merge', '-p', patch)
    await namespace.settled('kafkacluster/main')
    const image = '{range .items[*]}{.spec.containers[?(@.name=="kafka")].image} {end}'
    const selector = 'kafka.ottla.dev/cluster=main'
    return (await namespace.kubectl('get', 'pods', '-l', selector, '-o', `jsonpath=${image}`)).trim().split(' ')
  }

  /** The common name of the certificate that clients inside of Kubernetes see. */
  async function shown(): Promise<string> {
    const { spec } = await namespace.get('service', 'main-bootstrap')
    return shownCertificate({ host: String(spec['clusterIP']), port: 9093 }, BOOTSTRAP, authority.certificate)
  }

  async function countRead(): Promise<number> {
    return Object.values(await client.consume('orders', written)).flat().length
  }

  test(
    'Apache Kafka goes on where ours has stopped',
    async () => {
      expect(await shown()).toBe('broker')
      expect(await moveTo('apache')).toEqual(Array.from({ length: NODES }, () => apache))
      expect(await shown()).toBe('broker')
      await write()
      expect(await countRead()).toBe(written)
    },
    MOVE_MS_MAX,
  )

  test(
    'ours goes on where Apache Kafka has stopped',
    async () => {
      expect(await moveTo('bundled')).not.toContain(apache)
      await write()
      expect(await countRead()).toBe(written)
    },
    MOVE_MS_MAX,
  )

  test('the topic is the same all the time', async () => {
    const { status } = await namespace.get('kafkatopic', 'orders')
    expect(status['conditions']).toMatchObject([{ type: 'Ready', status: 'True' }])
  })
})
