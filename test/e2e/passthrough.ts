import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { unpacked } from '../tools/debian.ts'
import { freePorts } from '../tools/node.ts'
import { ServerProcess } from '../tools/server-process.ts'
import type { KubeObject, Namespace } from './cluster.ts'

const HOST = '127.0.0.1'
const START_MS_MAX = 20_000
/** Its libraries besides: it is not installed. */
const PACKAGES = ['haproxy', 'liblua5.3-0', 'libopentracing1', 'libopentracing-c-wrapper0']
const PASSTHROUGH = 'haproxy.org/ssl-passthrough'

/** The names of IngressClass and Gateway that it answers to. */
export const CLASS = 'passthrough'
export const GATEWAY = 'edge'

interface Ingress extends KubeObject {
  readonly metadata: KubeObject['metadata'] & { readonly annotations?: Record<string, string> }
  readonly spec: {
    readonly ingressClassName?: string
    readonly rules: readonly {
      readonly host: string
      readonly http: {
        readonly paths: readonly { readonly backend: { readonly service: { readonly name: string } } }[]
      }
    }[]
  } & KubeObject['spec']
}

interface TlsRoute extends KubeObject {
  readonly spec: {
    readonly parentRefs: readonly { readonly name: string }[]
    readonly hostnames: readonly string[]
    readonly rules: readonly { readonly backendRefs: readonly { readonly name: string }[] }[]
  } & KubeObject['spec']
}

interface Service extends KubeObject {
  readonly spec: {
    readonly clusterIP: string
    readonly ports: readonly { readonly port: number }[]
  } & KubeObject['spec']
}

/** Server name -> `host:port`. */
type Backends = ReadonlyMap<string, string>

/** HAProxy, which leads connections by their server names to where the Ingresses and TLSRoutes of a namespace say, and decrypts nothing. */
export class Passthrough implements AsyncDisposable {
  readonly port: number
  readonly #directory: string
  readonly #process: ServerProcess

  private constructor(port: number, directory: string, process: ServerProcess) {
    this.port = port
    this.#directory = directory
    this.#process = process
  }

  static async start(namespace: Namespace): Promise<Passthrough> {
    const root = await unpacked('haproxy', PACKAGES)
    const directory = mkdtempSync(join(tmpdir(), 'passthrough-'))
    const [port = 0] = await freePorts(1)
    const file = join(directory, 'haproxy.cfg')
    writeFileSync(file, configuration(port, await backendsOf(namespace)))
    const libraries = join(root, 'usr/lib')
    const env = {
      LD_LIBRARY_PATH: readdirSync(libraries)
        .map((name) => join(libraries, name))
        .join(':'),
    }
    const command = { program: join(root, 'usr/sbin/haproxy'), args: ['-db', '-f', file], env }
    const process = new ServerProcess('HAProxy', command, join(directory, 'haproxy.log'))
    await process.accepting(HOST, port, START_MS_MAX)
    return new Passthrough(port, directory, process)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#process.end('SIGTERM')
    rmSync(this.#directory, { recursive: true, force: true })
  }
}

async function backendsOf(namespace: Namespace): Promise<Backends> {
  const services = new Map((await list<Service>(namespace, 'services')).map((one) => [one.metadata.name, one.spec]))
  const addressOf = (name = ''): string => {
    const service = services.get(name)
    return `${service?.clusterIP}:${service?.ports[0]?.port}`
  }
  const ingresses = (await list<Ingress>(namespace, 'ingresses')).filter(
    ({ metadata, spec }) => spec.ingressClassName === CLASS && metadata.annotations?.[PASSTHROUGH] === 'true',
  )
  const routes = (await list<TlsRoute>(namespace, 'tlsroutes')).filter(({ spec }) =>
    spec.parentRefs.some(({ name }) => name === GATEWAY),
  )
  return new Map([
    ...ingresses.flatMap(({ spec }) =>
      spec.rules.map(({ host, http }) => [host, addressOf(http.paths[0]?.backend.service.name)] as const),
    ),
    ...routes.flatMap(({ spec }) =>
      spec.hostnames.map((host) => [host, addressOf(spec.rules[0]?.backendRefs[0]?.name)] as const),
    ),
  ])
}

async function list<T extends KubeObject>(namespace: Namespace, kind: string): Promise<T[]> {
  return (JSON.parse(await namespace.kubectl('get', kind, '-o', 'json')) as { items: T[] }).items
}

function configuration(port: number, backends: Backends): string {
  const all = [...backends]
  return [
    'defaults',
    '  mode tcp',
    '  timeout connect 5s',
    '  timeout client 5m',
    '  timeout server 5m',
    'frontend all',
    `  bind ${HOST}:${port}`,
    '  tcp-request inspect-delay 5s',
    '  tcp-request content accept if { req.ssl_hello_type 1 }',
    ...all.map(([name], index) => `  use_backend backend${index} if { req.ssl_sni -i ${name} }`),
    ...all.flatMap(([, address], index) => [`backend backend${index}`, `  server pods ${address}`]),
    '',
  ].join('\n')
}
