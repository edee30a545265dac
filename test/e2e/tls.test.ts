/** Brokers behind one address: a proxy that passes TLS through by server names, as the operator's Ingresses and TLSRoutes say. */
import { connect, type TLSSocket } from 'node:tls'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import kafkajs from 'kafkajs'
import { Authority } from '../tools/certificates.ts'
import { describeWith } from '../tools/requires.ts'
import { tlsRouteCrd } from './bed/gateway-api.ts'
import { shownCertificate, tlsSecret } from './certificate.ts'
import { installOperator, kubectl, Namespace, OPERATOR_NAMESPACE, RELEASE } from './cluster.ts'
import { kafkaCluster, kafkaTopic } from './manifests.ts'
import { CLASS, GATEWAY, Passthrough } from './passthrough.ts'

const BROKERS = [0, 1000]
const RECORDS = 40
const SECRET = 'kafka-tls'
const LISTENERS = ['web', 'gate'] as const
/** The kubelet brings the file within ten seconds here, and the broker looks at it once a minute. */
const RENEWED_MS_MAX = 150_000

const domainOf = (by: string) => `${by}.example.org`
const bootstrapOf = (by: string) => `kafka.${domainOf(by)}`

function routed(name: string, port: number, type: object): object {
  return {
    name,
    port,
    tls: true,
    certificate: { secretName: SECRET },
    advertised: { host: `broker-{nodeId}.${domainOf(name)}` },
    bootstrap: { host: bootstrapOf(name) },
    ...type,
  }
}

/** As rbac.certificates of the chart gives it to the operator. */
function rightToRead(secret: string): object[] {
  const [apiVersion, metadata] = ['rbac.authorization.k8s.io/v1', { name: 'certificates' }]
  const rules = [{ apiGroups: [''], resources: ['secrets'], resourceNames: [secret], verbs: ['get'] }]
  const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: metadata.name }
  const subjects = [{ kind: 'ServiceAccount', name: RELEASE, namespace: OPERATOR_NAMESPACE }]
  return [
    { apiVersion, kind: 'Role', metadata, rules },
    { apiVersion, kind: 'RoleBinding', metadata, roleRef, subjects },
  ]
}

describeWith(['kubernetes', 'go', 'apt'], 'listeners behind one address', () => {
  const authority = new Authority()
  let namespace: Namespace
  let proxy: Passthrough | undefined
  /** Of pods, before anything of the certificate is changed. */
  let uids = ''

  beforeAll(async () => {
    await kubectl(['apply', '--server-side', '--force-conflicts', '-f', await tlsRouteCrd()])
    await installOperator()
    namespace = await Namespace.create('tls')
    const pools = [
      { name: 'nodes', replicas: 1, storage: { size: '1Gi' } },
      { name: 'more', roles: ['broker'], replicas: 1, storage: { size: '1Gi' } },
    ]
    const listeners = [
      { name: 'plain', port: 9092 },
      routed('web', 9094, { type: 'ingress', ingress: { className: CLASS } }),
      routed('gate', 9095, { type: 'tlsroute', gateway: { parentRefs: [{ name: GATEWAY }] } }),
    ]
    await namespace.apply(...rightToRead(SECRET))
    await namespace.apply(kafkaCluster({ pools, listeners }), kafkaTopic('payments', { partitions: 2, replicas: 2 }))
  })

  afterAll(async () => {
    await proxy?.[Symbol.asyncDispose]()
    await Namespace.remove('tls')
    await kubectl(['delete', '--wait=false', '--ignore-not-found', '-f', await tlsRouteCrd()])
  })

  async function issue(commonName: string): Promise<void> {
    const hosts = LISTENERS.map((name) => `*.${domainOf(name)}`)
    const issued = authority.issue({ commonName, hosts })
    await namespace.apply(tlsSecret(SECRET, issued, authority.certificate))
  }

  /** What a Gateway's controller says of its routes. */
  async function acceptRoutes(): Promise<void> {
    for (const name of await namespace.list('tlsroutes')) {
      const told = {
        status: 'True',
        reason: 'Accepted',
        message: 'accepted',
        lastTransitionTime: '2026-01-01T00:00:00Z',
      }
      const conditions = [{ type: 'Accepted', ...told }]
      const parents = [{ parentRef: { name: GATEWAY }, controllerName: 'example.org/passthrough', conditions }]
      const patch = ['--subresource=status', '--type=merge', '-p', JSON.stringify({ status: { parents } })]
      await namespace.kubectl('patch', name, ...patch)
    }
  }

  /** A connection to the proxy as to `servername`, that of a client which trusts the authority. */
  function open(servername: string, onConnect: () => void): TLSSocket {
    return connect({ ...address(), servername, ca: authority.certificate }, onConnect)
  }

  const address = () => ({ host: '127.0.0.1', port: proxy?.port ?? 0 })
  const shownFor = (servername: string) => shownCertificate(address(), servername, authority.certificate)

  /** A client that finds every name at the proxy; `names` are those that it has gone to. */
  function clientOf(by: string) {
    const names = new Set<string>()
    const kafka = new kafkajs.Kafka({
      brokers: [`${bootstrapOf(by)}:443`],
      clientId: 'outside',
      logLevel: kafkajs.logLevel.NOTHING,
      ssl: true,
      socketFactory: ({ host, onConnect }) => {
        names.add(host)
        return open(host, onConnect)
      },
    })
    return { kafka, names }
  }

  /** Writes to and reads from every broker; resolves with how many were read, and the names that led there. */
  async function roundTrip(by: string): Promise<{ read: number; names: string[] }> {
    const { kafka, names } = clientOf(by)
    const [producer, consumer] = [kafka.producer(), kafka.consumer({ groupId: by })]
    const enough = Promise.withResolvers<void>()
    let read = 0
    try {
      await Promise.all([producer.connect(), consumer.connect()])
      const messages = Array.from({ length: RECORDS }, (_, index) => ({ partition: index % 2, value: by }))
      await producer.send({ topic: 'payments', acks: -1, messages })
      await consumer.subscribe({ topic: 'payments', fromBeginning: true })
      await consumer.run({
        eachMessage: async ({ message }) => {
          if (String(message.value) === by) read += 1
          if (read === RECORDS) enough.resolve()
        },
      })
      await enough.promise
      return { read, names: [...names].sort() }
    } finally {
      await Promise.all([producer.disconnect(), consumer.disconnect()])
    }
  }

  const podUids = () =>
    namespace.kubectl('get', 'pods', '-l', 'kafka.ottla.dev/cluster=main', '-o', 'jsonpath={.items[*].metadata.uid}')

  test('brokers wait for their certificate, and the cluster says for which', async () => {
    const pods = `listener web: Secret ${SECRET}, for which main-more-0, main-nodes-0 wait`
    const message = '{.status.conditions[?(@.type=="CertificatesPresent")].message}'
    await namespace.has('kafkacluster/main', message, `not there, or without tls.crt and tls.key: ${pods}`)
  })

  test('with their certificate they start', async () => {
    await issue('first')
    await namespace.ready('kafkacluster/main', 'kafkatopic/payments')
  })

  test('the operator sees what they show, and when that expires', async () => {
    await namespace.has('kafkacluster/main', '{.status.conditions[?(@.type=="CertificatesValid")].reason}', 'Valid')
    const { status } = await namespace.get('kafkacluster', 'main')
    const said = status.conditions?.find(({ type }) => type === 'CertificatesValid')
    expect(said?.message).toContain('CN=first, which main-')
  })

  test('routes that nobody has taken are told, and that they have been', async () => {
    const reason = '{.status.conditions[?(@.type=="RoutesAccepted")].reason}'
    await namespace.has('kafkacluster/main', reason, 'AwaitingController')
    await acceptRoutes()
    await namespace.has('kafkacluster/main', reason, 'Accepted')
  })

  test('the status tells where clients begin, and what they have to trust', async () => {
    const { status } = await namespace.get('kafkacluster', 'main')
    const { certificate } = authority
    expect(status['listeners']).toEqual([
      { name: 'plain', bootstrapServers: 'main-bootstrap.tls.svc:9092' },
      ...LISTENERS.map((name) => ({ name, bootstrapServers: `${bootstrapOf(name)}:443`, certificate })),
    ])
  })

  test('the first certificate is shown until there is another one', async () => {
    proxy = await Passthrough.start(namespace)
    expect(await shownFor(bootstrapOf('web'))).toBe('first')
    // Taken on while clients come and go.
    uids = await podUids()
    await issue('second')
  })

  test.each(LISTENERS)('a client writes and reads by listener %s, each broker by its own name', async (by) => {
    const brokers = BROKERS.map((id) => `broker-${id}.${domainOf(by)}`)
    expect(await roundTrip(by)).toEqual({ read: RECORDS, names: [...brokers, bootstrapOf(by)].sort() })
  })

  test(
    'another certificate is shown to new connections, and no pod restarts for it',
    async () => {
      const deadline = performance.now() + RENEWED_MS_MAX
      const names = LISTENERS.flatMap((by) => BROKERS.map((id) => `broker-${id}.${domainOf(by)}`))
      for (const name of names) {
        while ((await shownFor(name)) !== 'second' && performance.now() < deadline) await sleep(500)
      }
      expect(await Promise.all(names.map(shownFor))).toEqual(names.map(() => 'second'))
      expect(await podUids()).toBe(uids)
    },
    RENEWED_MS_MAX + 30_000,
  )
})
