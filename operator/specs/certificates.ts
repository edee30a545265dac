import type { KafkaCluster } from '../api/resource.ts'
import type { Listener } from './external-services.ts'
import { isBroker } from './nodes.ts'
import type { Pool } from './nodes.ts'

/** Where certificates are in a pod: a directory for each listener, by its name. */
const ROOT = '/etc/ottla-tls'
/** As a Secret of type kubernetes.io/tls has them. */
const CHAIN = 'tls.crt'
const KEY = 'tls.key'
/** Of the pod's group (fsGroup) to read. */
const MODE = 0o440
const PROVIDER = 'org.apache.kafka.common.config.provider.DirectoryConfigProvider'
/** cert-manager renews a certificate of 90 days when it has 30 left, one of 45 days when it has 15: one that has so little has not been renewed. */
export const EXPIRING_SECONDS = 7 * 86_400
const WAIT_PREFIX = 'certificate-'

/** What has to be added to the pods of a pool. */
export interface CertificateParts {
  /** Init containers: each waits until the certificate of one listener is there. */
  readonly waits: readonly { readonly name: string; readonly args: readonly string[] }[]
  readonly volumes: readonly object[]
  /** Of every container that reads server.properties, and of those that wait. */
  readonly volumeMounts: readonly object[]
}

/** Those whose clients speak TLS. */
export function tlsListeners({ spec }: KafkaCluster): Listener[] {
  return spec.listeners.filter(({ tls }) => tls)
}

/**
 * What brokers are told of the certificates of their listeners. The values are references to files (KIP-297), so that no private key is in a
 * ConfigMap; Apache Kafka and the bundled broker resolve them in the same way.
 */
export function certificateConfig(cluster: KafkaCluster): Record<string, string> {
  const listeners = tlsListeners(cluster)
  if (listeners.length === 0) return {}
  const ofListener = ({ name }: Listener): [string, string][] => [
    [`listener.name.${name}.ssl.keystore.type`, 'PEM'],
    [`listener.name.${name}.ssl.keystore.certificate.chain`, `\${dir:${directoryOf(name)}:${CHAIN}}`],
    [`listener.name.${name}.ssl.keystore.key`, `\${dir:${directoryOf(name)}:${KEY}}`],
  ]
  return {
    'config.providers': 'dir',
    'config.providers.dir.class': PROVIDER,
    // No other value can be used to read another file.
    'config.providers.dir.param.allowed.paths': ROOT,
    ...Object.fromEntries(listeners.flatMap(ofListener)),
  }
}

/**
 * Empty for pools without listeners that have a certificate. A Secret that lacks something is no reason for Kubernetes to hold the pod back: what waits
 * for it is a container, whose state tells the operator of it, which has no right to read Secrets.
 */
export function certificateParts(cluster: KafkaCluster, pool: Pool): CertificateParts {
  const listeners = isBroker(pool) ? tlsListeners(cluster) : []
  return {
    waits: listeners.map(({ name }) => ({
      name: `${WAIT_PREFIX}${name}`,
      args: ['broker/await-files.js', `${directoryOf(name)}/${CHAIN}`, `${directoryOf(name)}/${KEY}`],
    })),
    volumes: listeners.map(({ name, certificate }) => ({
      name: volumeOf(name),
      secret: {
        secretName: certificate?.secretName ?? '',
        items: [CHAIN, KEY].map((key) => ({ key, path: key })),
        defaultMode: MODE,
        optional: true,
      },
    })),
    // The directory, not the files: only so does Kubernetes bring them up to date.
    volumeMounts: listeners.map(({ name }) => ({ name: volumeOf(name), mountPath: directoryOf(name), readOnly: true })),
  }
}

/** The listener whose certificate the init container `name` waits for; null: it waits for something else. */
export function awaitedListener(name: string): string | null {
  return name.startsWith(WAIT_PREFIX) ? name.slice(WAIT_PREFIX.length) : null
}

function volumeOf(listener: string): string {
  return `tls-${listener}`
}

function directoryOf(listener: string): string {
  return `${ROOT}/${listener}`
}
