import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Authority, type Issued, LOCAL_HOSTS } from './certificates.ts'
import { freePorts, type NodeOptions, type RunningNode } from './node.ts'

const HOST = '127.0.0.1'
const PROVIDER = 'org.apache.kafka.common.config.provider.DirectoryConfigProvider'

export interface TlsNodeOptions {
  readonly start: (options: NodeOptions) => Promise<RunningNode>
  readonly overrides?: Readonly<Record<string, string>>
}

/** A node with TLS on two listeners: `TLS`, which asks nobody for a certificate, and `MUTUAL`, which needs one of everybody. */
export interface TlsNode {
  readonly node: RunningNode
  readonly authority: Authority
  /** PEM of the authority that the listeners' certificate and those of clients are of. */
  readonly authorityFile: string
  /** `localhost:port` */
  bootstrap(listener: string): string
  /** Of a client that is trusted: a file with its key, and then its certificate. */
  readonly clientFile: string
  readonly client: Issued
  stop(): Promise<void>
}

/** The keys are those that the operator writes for either distribution. */
export async function startTlsNode({ start, overrides }: TlsNodeOptions): Promise<TlsNode> {
  const directory = mkdtempSync(join(tmpdir(), 'tls-node-'))
  const authority = new Authority()
  const client = authority.issue({ commonName: 'client' })
  const authorityFile = join(directory, 'ca.pem')
  const clientFile = join(directory, 'client.pem')
  writeFileSync(authorityFile, authority.certificate)
  writeFileSync(clientFile, client.key + client.certificate)
  const secret = writeSecret(directory, authority)
  const own = {
    'keystore.type': 'PEM',
    'keystore.certificate.chain': `\${dir:${secret}:tls.crt}`,
    'keystore.key': `\${dir:${secret}:tls.key}`,
  }
  const trusting = { 'truststore.type': 'PEM', 'truststore.location': authorityFile, 'client.auth': 'required' }
  const listeners = { TLS: own, MUTUAL: { ...own, ...trusting } }
  const ports = await portsFor(directory, Object.keys(listeners))
  const node = await start({ directory, overrides: { ...propertiesOf(listeners, ports), ...overrides } })
  return {
    node,
    authority,
    authorityFile,
    clientFile,
    client,
    bootstrap: (listener) => `localhost:${ports.get(listener)}`,
    stop: async () => {
      await node.stop()
      rmSync(directory, { recursive: true, force: true })
    },
  }
}

function writeSecret(directory: string, authority: Authority): string {
  const secret = join(directory, 'secret')
  mkdirSync(secret)
  const { certificate, key } = authority.issue({ commonName: 'broker', hosts: LOCAL_HOSTS, keyType: 'rsa' })
  writeFileSync(join(secret, 'tls.crt'), certificate)
  writeFileSync(join(secret, 'tls.key'), key)
  return secret
}

/** Where each listener is; the node finds its own ports in the directory. */
async function portsFor(directory: string, listeners: readonly string[]): Promise<Map<string, number>> {
  const [broker = 0, controller = 0, metrics = 0, ...rest] = await freePorts(3 + listeners.length)
  writeFileSync(join(directory, 'ports.json'), JSON.stringify({ broker, controller, metrics }))
  return new Map([
    ['PLAINTEXT', broker],
    ['CONTROLLER', controller],
    ...listeners.map((name, index): [string, number] => [name, rest[index] ?? 0]),
  ])
}

function propertiesOf(
  listeners: Readonly<Record<string, Readonly<Record<string, string>>>>,
  ports: ReadonlyMap<string, number>,
): Record<string, string> {
  const all = [...ports].map(([name, port]) => `${name}://${HOST}:${port}`).join(',')
  const keys = Object.entries(listeners).flatMap(([name, ssl]) =>
    Object.entries(ssl).map(([key, value]) => [`listener.name.${name.toLowerCase()}.ssl.${key}`, value]),
  )
  return {
    listeners: all,
    'advertised.listeners': all.replaceAll(HOST, 'localhost'),
    'listener.security.protocol.map': [...ports.keys()]
      .map((name) => `${name}:${name in listeners ? 'SSL' : 'PLAINTEXT'}`)
      .join(','),
    'config.providers': 'dir',
    'config.providers.dir.class': PROVIDER,
    ...Object.fromEntries(keys),
  }
}
