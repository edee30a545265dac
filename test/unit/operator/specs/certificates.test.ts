import { expect, test } from '@jest/globals'
import { parseProperties } from '../../../../broker/config/properties.ts'
import type { KafkaCluster } from '../../../../operator/api/resource.ts'
import { certificateConfig } from '../../../../operator/specs/certificates.ts'
import { configMap, podConfig } from '../../../../operator/specs/config-map.ts'
import type { Listener } from '../../../../operator/specs/external-services.ts'
import { nodesOf } from '../../../../operator/specs/nodes.ts'
import { specProblem } from '../../../../operator/specs/spec-problem.ts'
import { statefulSet } from '../../../../operator/specs/stateful-set.ts'
import { kafkaCluster, pool } from '../../../fakes/operator.ts'

const PLAIN: Listener = { name: 'plain', port: 9092, type: 'internal', tls: false }
const SECURE: Listener = {
  name: 'secure',
  port: 9094,
  type: 'internal',
  tls: true,
  certificate: { secretName: 'kafka-tls' },
}
const CONTROLLERS = pool({ name: 'controllers', roles: ['controller'] })
const BROKERS = pool({ name: 'brokers', roles: ['broker'] })
const OPTIONS = { image: 'i', helperImage: 'helper', clusterId: 'AAAAAAAAAAAAAAAAAAAAAQ', volumeClaims: null }

function secured(listener: Partial<Listener> = {}, spec: Partial<KafkaCluster['spec']> = {}): KafkaCluster {
  return kafkaCluster({ pools: [CONTROLLERS, BROKERS], listeners: [PLAIN, { ...SECURE, ...listener }], ...spec })
}

function configOf(cluster: KafkaCluster, poolName: string): Map<string, string> {
  const node = nodesOf(cluster).find((one) => one.pool.name === poolName)
  if (node === undefined) throw new Error('no node')
  return podConfig(cluster, node)
}

// oxlint-disable-next-line typescript/no-explicit-any -- manifests are looked into freely
function podOf(cluster: KafkaCluster, of: typeof BROKERS): any {
  const { spec } = statefulSet(cluster, of, OPTIONS) as unknown as { spec: { template: { spec: unknown } } }
  return spec.template.spec
}

test('brokers read the certificate of a listener from the files of its Secret, and no other listener has one', () => {
  const config = configOf(secured(), 'brokers')
  expect(config.get('listener.security.protocol.map')).toBe(
    'CONTROLLER:PLAINTEXT,INTERNAL:PLAINTEXT,PLAIN:PLAINTEXT,SECURE:SSL',
  )
  expect(Object.fromEntries([...config].filter(([key]) => /^(listener[.]name|config)[.]/.test(key)))).toEqual({
    'config.providers': 'dir',
    'config.providers.dir.class': 'org.apache.kafka.common.config.provider.DirectoryConfigProvider',
    'config.providers.dir.param.allowed.paths': '/etc/ottla-tls',
    'listener.name.secure.ssl.keystore.type': 'PEM',
    'listener.name.secure.ssl.keystore.certificate.chain': '${dir:/etc/ottla-tls/secure:tls.crt}',
    'listener.name.secure.ssl.keystore.key': '${dir:/etc/ottla-tls/secure:tls.key}',
  })
})

test('controllers know that a listener speaks TLS, and have no certificate', () => {
  const config = configOf(secured(), 'controllers')
  expect(config.get('listener.security.protocol.map')).toContain('SECURE:SSL')
  expect([...config.keys()].filter((key) => key.includes('ssl') || key.startsWith('config.'))).toEqual([])
  expect(JSON.stringify(podOf(secured(), CONTROLLERS))).not.toContain('kafka-tls')
})

test('what refers to files is the same in server.properties', () => {
  const data = configMap(secured(), BROKERS).data as Record<string, string>
  const [text = ''] = Object.values(data)
  const read = parseProperties(text)
  for (const [key, value] of Object.entries(certificateConfig(secured())))
    expect([key, read.get(key)]).toEqual([key, value])
})

test('a cluster without TLS is told of no providers', () => {
  expect(certificateConfig(secured({ tls: false }))).toEqual({})
})

test("the Secret is a volume that Kubernetes keeps up to date, with its two files only, for the pod's group to read", () => {
  const { volumes, containers, securityContext } = podOf(secured(), BROKERS)
  expect(volumes).toContainEqual({
    name: 'tls-secure',
    secret: {
      secretName: 'kafka-tls',
      items: [
        { key: 'tls.crt', path: 'tls.crt' },
        { key: 'tls.key', path: 'tls.key' },
      ],
      defaultMode: 0o440,
      optional: true,
    },
  })
  const mount = { name: 'tls-secure', mountPath: '/etc/ottla-tls/secure', readOnly: true }
  expect(containers[0].volumeMounts).toContainEqual(mount)
  expect(securityContext.fsGroup).toBe(1000)
})

test('a pod waits for each certificate before anything of Kafka runs, by the image that can wait', () => {
  const other: Listener = { ...SECURE, name: 'other', port: 9095, certificate: { secretName: 'other-tls' } }
  const { initContainers } = podOf(secured({}, { listeners: [SECURE, other], distribution: 'apache' }), BROKERS)
  expect(initContainers.map(({ name, image }: { name: string; image: string }) => [name, image])).toEqual([
    ['certificate-secure', 'helper'],
    ['certificate-other', 'helper'],
    ['format', 'i'],
  ])
  expect(initContainers[1].args).toEqual([
    'broker/await-files.js',
    '/etc/ottla-tls/other/tls.crt',
    '/etc/ottla-tls/other/tls.key',
  ])
  expect(initContainers[2].volumeMounts).toContainEqual(expect.objectContaining({ name: 'tls-other' }))
})

test('TLS without a certificate is a problem of the spec, whatever admission has let pass', () => {
  const { certificate: _, ...bare } = SECURE
  expect(specProblem(secured())).toBeNull()
  expect(specProblem(kafkaCluster({ listeners: [bare] }))).toBe(
    'spec.listeners: secure: tls needs certificate.secretName',
  )
})
